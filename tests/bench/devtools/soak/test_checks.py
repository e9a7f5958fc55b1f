"""The checks of a soak find what they are for."""

from pathlib import Path

import pytest

from bench.devtools.soak import checks
from bench.devtools.soak.process import Process
from bench.report.markdown.leaderboard import leaderboard
from bench.results import store
from tests.bench.records import record


def ended(status: int, text: str, hung: bool = False) -> Process:
    return Process(["run"], Path(), 0, 0, [], output=text.encode(), status=status, hung=hung)


@pytest.mark.parametrize(
    ("process", "faults"),
    [
        (ended(0, "done"), []),
        (ended(2, "bench: no such model"), []),
        (ended(2, "no such model"), ["exit status 2 without a word"]),
        (ended(1, "bench: ?"), ["exit status 1, not 0 or 2"]),
        (ended(2, "bench: x\nTraceback (most recent call last):"), ["prints a traceback"]),
        (ended(-9, "", hung=True), ["hangs"]),
    ],
)
def test_how_a_command_ended(process: Process, faults: list[str]) -> None:
    assert [*checks.ended_well(process, [0, 2])] == faults


def test_what_lies_about(tmp_path: Path) -> None:
    store.write(tmp_path / "results", record(), {"sample": [0]})
    (tmp_path / "runs/a").mkdir(parents=True)
    (tmp_path / "runs/a/best.pt").write_text("")
    assert [*checks.no_strays(tmp_path)] == []
    for name in ("results/.x.json.abc.tmp", "runs/a/last.part", "runs/a/last.pt", f"results/y{store.IMAGES}"):
        (tmp_path / name).write_text("")
    assert len([*checks.no_strays(tmp_path)]) == 4
    assert [*checks.nothing_written(tmp_path)] != []
    assert [*checks.nothing_written(tmp_path / "runs/b")] == []


def test_half_a_record_and_half_a_page(tmp_path: Path) -> None:
    path = store.write(tmp_path, record(), {"sample": [0]})
    page = tmp_path / "page.md"
    page.write_text(leaderboard(store.read_all(tmp_path), "results", tmp_path))
    assert [*checks.records_whole(tmp_path), *checks.page_whole(page), *checks.page_whole(tmp_path / "none.md")] == []
    for whole in (path, page):
        whole.write_text(whole.read_text()[: len(whole.read_text()) // 2])
    assert len([*checks.records_whole(tmp_path)]) == 1
    assert len([*checks.page_whole(page)]) == 1


def test_a_process_that_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    monkeypatch.setattr(checks, "_GONE", 0.2)
    assert [*checks.processes_gone(tmp_path)] == []
    left = subprocess.Popen(["sleep", "60"], cwd=tmp_path)
    try:
        assert [*checks.processes_gone(tmp_path)] == [f"processes go on: {left.pid}"]
    finally:
        left.kill()
        left.wait()

"""Eight processes write records and the page at once: no record is lost, none is half, the page is always whole."""

import multiprocessing
from pathlib import Path

from bench.devtools.soak.checks import no_strays, page_whole, records_whole
from bench.report.markdown.leaderboard import leaderboard
from bench.report.pages import keep_current
from bench.results import store
from tests.bench.records import record
from tests.bench.results_folder import keep

PROCESSES, RECORDS = 8, 3


def write(folder: Path, number: int) -> None:
    for each in range(RECORDS):
        keep(folder / "results", 0.7 + 0.01 * each, RECORDS * number + each)
        keep_current(folder / "results", folder / "page.md")


def test_eight_processes_in_one_folder(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write, args=(tmp_path, number)) for number in range(PROCESSES)]
    for writer in writers:
        writer.start()
    looks = 0
    while any(writer.is_alive() for writer in writers):
        assert [*page_whole(tmp_path / "page.md"), *records_whole(tmp_path / "results")] == []
        looks += (tmp_path / "page.md").exists()
        writers[0].join(0.01)
    assert [writer.exitcode for writer in writers] == [0] * PROCESSES
    assert looks > 0
    records = store.read_all(tmp_path / "results")
    assert not records.damaged
    assert sorted(each.spec.seed for _, each in records) == list(range(PROCESSES * RECORDS))
    expected = leaderboard(records, "results", tmp_path / "results")
    assert (tmp_path / "page.md").read_text() == expected  # whoever wrote last had every record
    assert not [*no_strays(tmp_path)]


def test_a_record_that_comes_while_the_page_is_made_is_on_it(tmp_path: Path, monkeypatch) -> None:
    from bench.report import pages

    store.write(tmp_path / "results", record("unet", seed=0), {})
    made = pages.pages
    late = [record("wnet", seed=1)]

    def slow(*given: object, **named: object) -> dict[Path, str]:
        texts = made(*given, **named)
        while late:
            store.write(tmp_path / "results", late.pop(), {})
        return texts

    monkeypatch.setattr(pages, "pages", slow)
    pages.keep_current(tmp_path / "results", tmp_path / "page.md")
    assert "`wnet`" in (tmp_path / "page.md").read_text()

"""A sweep ends with the same records however it was made."""

import tempfile
from pathlib import Path

import pytest

from bench.devtools.interrupted_sweeps import compare, differences


def test_what_differs_is_named() -> None:
    ours = {"a": {"test": 1.0, "weights": "x"}, "b": {"test": 2.0, "weights": "y"}}
    assert [*differences(ours, ours)] == []
    assert [*differences(ours, {"a": {"test": 1.0, "weights": "z"}})] == [
        "a differs in weights",
        "b has a record on one side alone",
    ]


@pytest.mark.extra
@pytest.mark.timeout(900)
def test_interrupted_three_times_and_on_two_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="a cluster needs it")
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "600")  # a busy machine takes its time
    for name in ("TMPDIR", "RAY_TMPDIR"):  # as they are again after the test
        monkeypatch.setenv(name, tempfile.gettempdir())
    monkeypatch.setattr(tempfile, "tempdir", None)
    told: list[str] = []
    assert compare(tmp_path, ["unet[width=2]", "masknet"], ["mask: bce, depth: l1"], 2, True, told.append) == []
    assert told[0] == "plain: 4 of 4 runs"
    assert told[1].startswith("interrupted, exit statuses [-9, ")

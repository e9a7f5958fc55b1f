"""Whoever starts a run's process records how it ended when the process could not."""

import json
from pathlib import Path

import pytest

from bench.core.record import Record
from bench.core.spec import RunSpec
from bench.results import store
from bench.run import folder as run_folder
from bench.run.folder import Busy
from bench.run.supervision import record_lost
from bench.train.assemble import Run
from bench.train.events import Listener
from tests.bench.rectangles import Rectangles
from tests.bench.run.kills import DiesAt, Killed
from tests.bench.run.small_runs import small_run, small_runner


def killed_run(folder: Path, step: int = 2, **changes):
    source = Rectangles()
    run = small_run(source, train_samples=64, **changes)
    with pytest.raises(Killed):
        small_runner(folder, source, DiesAt(step)).run(run)
    return run


def lost(folder: Path, run: Run | RunSpec) -> tuple[Record, Path]:
    return record_lost(run, folder / "results", folder / "runs", "cpu", "killed", "its process was ended by SIGKILL")


def named(folder: Path) -> list[Record]:
    return [record for _, record in store.read_all(folder / "results")]


def test_a_killed_run_has_a_record_with_all_that_was_known(tmp_path: Path) -> None:
    run = killed_run(tmp_path)
    assert named(tmp_path) == []
    record, path = lost(tmp_path, run)
    assert store.read(path) == record
    assert (record.outcome, record.reason) == ("killed", "its process was ended by SIGKILL")
    assert record.id == run.spec.id
    assert record.parameters == small_runner(tmp_path / "b", Rectangles()).run(run)[0].parameters
    assert record.failure.epoch == 1
    assert record.test == {}
    assert record.seconds >= 0


def test_a_process_that_ended_before_it_began_has_a_record_too(tmp_path: Path) -> None:
    run = small_run(Rectangles())
    record, _ = lost(tmp_path, run.spec)
    assert record.failure.phase == "preparation"


def test_a_kill_after_the_record_was_written_leaves_that_one(tmp_path: Path) -> None:
    class DiesAtTheEnd(Listener):
        def finished(self, *_: object) -> None:
            raise Killed

    source = Rectangles()
    run = small_run(source)
    with pytest.raises(Killed):
        small_runner(tmp_path, source, DiesAtTheEnd()).run(run)
    record, _ = lost(tmp_path, run)
    assert record.outcome == "finished"
    assert named(tmp_path) == [record]


def test_a_kill_is_recorded_once_and_the_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    run = killed_run(tmp_path)
    lost(tmp_path, run)
    lost(tmp_path, run)
    assert [record.outcome for record in named(tmp_path)] == ["killed"]
    small_runner(tmp_path, Rectangles()).run(run)
    assert sorted(record.outcome for record in named(tmp_path)) == ["finished", "killed"]


def test_a_run_that_is_being_made_is_not_killed(tmp_path: Path) -> None:
    run = killed_run(tmp_path)
    with run_folder.locked(tmp_path / "runs" / run.spec.id), pytest.raises(Busy):
        lost(tmp_path, run)


@pytest.mark.parametrize("content", ["", "{", "[]", json.dumps({"id": "x"})])
def test_a_damaged_draft_is_none(tmp_path: Path, content: str) -> None:
    run = killed_run(tmp_path)
    (tmp_path / "runs" / run.spec.id / run_folder.DRAFT).write_text(content)
    record, _ = lost(tmp_path, run)
    assert record.outcome == "killed"

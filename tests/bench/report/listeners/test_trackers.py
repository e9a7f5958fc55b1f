"""Trackers are named, checked before anything is run, and no run depends on them."""

from pathlib import Path

import pytest

from bench.core.errors import BenchError
from bench.report.listeners import trackers
from bench.report.listeners.lost_runs import LostRuns
from bench.run.sweep.listener import SweepListener
from bench.train.events import Listener
from registry.errors import RegistryError
from tests.bench.records import record
from tests.bench.run.sweep.made_up import task

OWN = "tests.bench.report.listeners.test_trackers:TextFile"


class TextFile(Listener):
    """A user's own tracker: a line for every run that ends."""

    def __init__(self, path: str = "tracked.txt") -> None:
        self.path = Path(path)

    def finished(self, record, folder, preview) -> None:
        with self.path.open("a") as file:
            file.write(f"{record.spec.model} {record.outcome}\n")


def test_one_that_does_not_exist_is_refused_with_the_nearest() -> None:
    with pytest.raises(RegistryError, match="mlflow"):
        trackers.check_trackers(["mlfow"])


def test_one_that_is_not_installed_is_refused_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda package: None)
    with pytest.raises(BenchError, match=r"mlflow is not installed: pip install 'maskdepth-bench\[track\]'"):
        trackers.check_trackers(["mlflow"])


def test_a_parameter_that_it_does_not_take_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda package: object())
    with pytest.raises(RegistryError, match="experimnt"):
        trackers.check_trackers(["mlflow[experimnt=a]"])
    assert trackers.check_trackers(["mlflow[experiment=a]"] * 2) == ("mlflow[experiment=a]",)


def test_a_users_own_is_named_by_its_place(tmp_path: Path) -> None:
    assert trackers.check_trackers([OWN]) == (OWN,)
    (listener,) = trackers.build_trackers([OWN]).values()
    assert isinstance(listener, TextFile)


class Notices(SweepListener):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def notice(self, task, words: str) -> None:
        self.words.append(words)


def test_runs_whose_process_was_lost_are_reported_and_others_not_twice(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    notices = Notices()
    lost = LostRuns([OWN, f"{OWN}[path={tmp_path}]"], tmp_path / "runs", notices)
    lost.ended(task(), record(outcome="killed"), made=False)
    lost.ended(task(), record(), made=True)
    assert (tmp_path / "tracked.txt").read_text() == "unet killed\n"
    assert len(notices.words) == 1 and notices.words[0].startswith("warning: no report to ")

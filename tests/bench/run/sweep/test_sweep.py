"""A sweep of real runs: the records of a plain experiment, failures as rows, kills, and going on."""

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import nn

from bench.core.errors import BenchError
from bench.core.protocol import find_protocol
from bench.results import store
from bench.run.experiment import Experiment
from bench.run.sweep import scheduler as scheduling
from bench.run.sweep.executors.local import LocalExecutor
from bench.run.sweep.listener import SweepListener
from bench.run.sweep.task import Task
from bench.train.events import Listener
from registry.contract import Prediction
from registry.errors import RegistryError
from tests.bench.rectangles import Rectangles
from tests.bench.run.sweep.forked_server import fork_servers
from tests.bench.run.sweep.made_up import SMALL, run_here, small_sweep
from tests.bench.run.sweep.outcomes import outcomes

MODELS = ("unet[width=4]", "masknet")


class Hanging(nn.Module):
    """A net that does in its first training step what a test asks for: dies, hangs, leaves, prints."""

    stride = 1
    does = ""

    def __init__(self, does: str = "") -> None:
        super().__init__()
        self.conv, self.act = nn.Conv2d(6, 2, 1), does

    def forward(self, bg: torch.Tensor, bg_fg: torch.Tensor) -> Prediction:
        if self.training and len(bg) == 8:  # not in the audit
            if self.act == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            elif self.act == "segfault":
                os.kill(os.getpid(), signal.SIGSEGV)
            elif self.act == "hang":
                time.sleep(600)
            elif self.act == "leave":
                os._exit(7)
            elif self.act == "raise":
                raise ValueError("in a step")
        mask, depth = self.conv(torch.cat([bg, bg_fg], 1)).split(1, 1)
        return Prediction(mask, depth)


OWN = "tests.bench.run.sweep.test_sweep:Hanging"


@pytest.fixture
def forked_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    fork_servers(monkeypatch)


def test_the_records_are_those_of_an_experiment(tmp_path: Path) -> None:
    compare_with_experiment(tmp_path, MODELS, [0, 1], baselines=True, threads=1)
    assert len(store.read_all(tmp_path / "swept/results")) == 7


def test_with_two_threads_too_as_a_process_is_forked_before_there_are_any(tmp_path: Path) -> None:
    compare_with_experiment(tmp_path, MODELS[:1], [0], baselines=False, threads=2)


def compare_with_experiment(folder: Path, models: Sequence[str], seeds: list[int], baselines: bool, threads: int):
    """Make the same runs plainly and by a sweep."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        protocol = find_protocol("quick").override(**SMALL)
        plain = Experiment(
            models, "mask: bce, depth: l1", Rectangles(), protocol=protocol, seeds=seeds, device="cpu",
            baselines=baselines, results=folder / "plain/results", runs=folder / "plain/runs",
        )  # fmt: skip
        for _ in plain.run(Listener(), lambda line: None):
            pass
        scheduler = small_sweep(folder / "swept", *models, seeds=seeds, baselines=baselines, threads=threads).run()
    finally:
        torch.set_num_threads(before)
    assert {record.outcome for record in scheduler.records.values()} == {"finished"}
    assert outcomes(folder / "swept") == outcomes(folder / "plain")
    records = [record for _, record in store.read_all(folder / "swept/results")]
    assert {record.environment.threads for record in records} == {threads}
    assert {record.loading for record in records} == {"resident"}
    assert not list((folder / "swept/runs").rglob("output.txt"))


def test_what_is_done_is_found_and_nothing_is_started(tmp_path: Path) -> None:
    run_here(small_sweep(tmp_path, *MODELS))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "results").iterdir()}
    swept = small_sweep(tmp_path, *MODELS, seeds=[0, 1])
    assert (swept.plan.done, len(swept.plan.left)) == (2, 2)
    assert swept.plan.seconds > 0 and swept.plan.unknown == 0
    again = small_sweep(tmp_path, *MODELS)
    assert (again.plan.done, len(again.plan.left), again.plan.seconds) == (2, 0, 0.0)
    assert not again.run().records
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "results").iterdir()} == before
    assert len(small_sweep(tmp_path, *MODELS, again=True).plan.left) == 2


def test_what_a_kill_left_of_a_picture_goes_and_the_picture_can_still_be_drawn(
    tmp_path: Path,
) -> None:
    run_here(small_sweep(tmp_path, MODELS[0]))
    (folder,) = (tmp_path / "runs").glob("[0-9a-f]*")
    draft, half = folder / "draft.json", folder / ".thumbnails.png.abcdefgh.tmp"
    for path in (draft, half):  # as of a run that was killed hours ago, between its record and its pictures
        path.write_text("{}")
        os.utime(path, (0, 0))
    assert not small_sweep(tmp_path, MODELS[0]).run().records
    assert draft.exists() and not half.exists()


def test_failures_are_rows_and_the_others_go_on(tmp_path: Path, forked_servers: None) -> None:
    models = [f"{OWN}[does={act}]" for act in ("segfault", "leave", "raise", "nothing")]
    scheduler = small_sweep(tmp_path, *models).run()
    by_act = {record.spec.model.partition("=")[2][:-1]: record for record in scheduler.records.values()}
    assert {act: record.outcome for act, record in by_act.items()} == {
        "segfault": "killed", "leave": "failed", "raise": "failed", "nothing": "finished",
    }  # fmt: skip
    assert by_act["segfault"].reason == "its process was ended by SIGSEGV; it had written no checkpoint"
    assert "ValueError: in a step" in by_act["raise"].reason
    assert by_act["raise"].failure.traceback
    assert len(store.read_all(tmp_path / "results")) == 4
    plan = small_sweep(tmp_path, *models).plan
    assert (plan.done, len(plan.failed), len(plan.left)) == (1, 3, 0)
    assert len(small_sweep(tmp_path, *models, retry_failed=True).plan.left) == 3


def test_a_run_that_hangs_is_a_row_after_its_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked_servers: None
) -> None:
    monkeypatch.setattr(scheduling, "PATIENCE", 0.5)  # it sleeps through the request to end
    (record,) = small_sweep(tmp_path, f"{OWN}[does=hang]", timeout=1.0).run().records.values()
    assert record.outcome == "timeout"
    words = "not done after 1 s, and killed 0 s after it was asked to end; it had written no checkpoint"
    assert record.reason == words


class Watch(SweepListener):
    """Does something when a task has begun to train."""

    def __init__(self, act) -> None:
        self.act, self.seen = act, set()

    def tick(self, scheduler) -> None:
        for key, running in scheduler.running.items():
            if running.news.get("steps") and key not in self.seen:
                self.seen.add(key)
                self.act(scheduler, running.task)


def test_stopped_in_the_middle_it_goes_on_from_the_checkpoint(tmp_path: Path, forked_servers: None) -> None:
    changes = {"train_samples": 8 * 20, "epochs": 2}
    run_here(small_sweep(tmp_path / "whole", changes=changes))
    stopped = small_sweep(tmp_path / "stopped", changes=changes)

    def stop(scheduler, task: Task) -> None:
        stopped.interruption.handle(signal.SIGTERM)

    first = stopped.run(Watch(stop))
    assert first.interrupted == "interrupted" and not first.records
    assert [*(tmp_path / "stopped/runs").rglob("last.pt")]
    again = small_sweep(tmp_path / "stopped", changes=changes)
    (record,) = run_here(again).records.values()
    assert record.outcome == "finished" and record.resumed == 1
    assert outcomes(tmp_path / "stopped") == outcomes(tmp_path / "whole")


def test_a_killed_process_is_a_row_and_retrying_ends_as_if_nothing_had_been(
    tmp_path: Path, forked_servers: None
) -> None:
    changes = {"train_samples": 8 * 20, "epochs": 2}
    run_here(small_sweep(tmp_path / "whole", changes=changes))
    swept = small_sweep(tmp_path / "killed", changes=changes)
    executor = LocalExecutor(swept.worker_config())

    def kill(scheduler, task: Task) -> None:
        os.kill(executor.processes[task.key], signal.SIGKILL)

    (record,) = swept.run(Watch(kill), executor).records.values()
    assert record.outcome == "killed"
    retried = small_sweep(tmp_path / "killed", changes=changes, retry_failed=True)
    (record,) = run_here(retried).records.values()
    assert record.outcome == "finished"
    ours = outcomes(tmp_path / "killed")
    assert ours == outcomes(tmp_path / "whole")


def test_runs_that_share_a_device_are_marked(tmp_path: Path) -> None:
    scheduler = run_here(small_sweep(tmp_path, *MODELS, share=2))
    loads = [record.load for record in scheduler.records.values()]
    assert [(load.shared, load.marked) for load in loads] == [(2, True)] * 2


class Notices(SweepListener):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def notice(self, task: Task, words: str) -> None:
        self.words.append(words)


def test_two_sweeps_of_one_grid_share_the_work(tmp_path: Path) -> None:
    sweeps = [small_sweep(tmp_path, *MODELS, seeds=[0, 1]) for _ in range(2)]
    plans = [sweep.plan for sweep in sweeps]  # both find nothing done
    assert [len(plan.left) for plan in plans] == [4, 4]
    heard = [Notices() for _ in sweeps]
    threads = [threading.Thread(target=sweep.run, args=[each]) for sweep, each in zip(sweeps, heard, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = store.read_all(tmp_path / "results")
    assert not records.damaged
    assert sorted(record.id for _, record in records) == sorted(task.spec.id for task in plans[0].left)
    assert all(len(sweep.scheduler.records) == 4 for sweep in sweeps)
    words = [said for each in heard for said in each.words]
    assert words.count("another process has made it meanwhile") == 4, "whoever did not make a run says so"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"changes": {"optimizer": "adam[lr=-1]"}}, RegistryError),
        ({"changes": {"train_samples": 4}}, BenchError),
        ({"precision": "int8"}, BenchError),
        ({"metrics": ["nothing_of_the_kind"]}, RegistryError),
    ],
)
def test_mistakes_show_before_anything_is_run(tmp_path: Path, given: dict, error: type[Exception]) -> None:
    with pytest.raises(error):
        small_sweep(tmp_path, **given)
    assert not list(tmp_path.iterdir())


def test_no_process_is_left(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    small_sweep(tmp_path).run()
    servers = [
        path for path in Path("/proc").glob("[0-9]*/cmdline")
        if b"sweep.executors.server" in _read(path) and str(os.getpid()).encode() == _parent(path)
    ]  # fmt: skip
    assert not servers


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _parent(path: Path) -> bytes:
    return _read(path.with_name("stat")).rpartition(b")")[2].split()[1]

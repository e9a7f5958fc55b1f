"""The scheduler in made-up time: order, outcomes, timeouts, stopping."""

import signal

import pytest

from bench.core.interruption import Interruption
from bench.run.sweep.agenda import Agenda
from bench.run.sweep.listener import SweepListener
from bench.run.sweep.scheduler import PATIENCE, Scheduler
from bench.run.sweep.task import BUSY, Task
from tests.bench.run.sweep.made_up import Clock, MemoryTaskRecords, Script, ScriptedExecutor, finishes, task

CELLS, SEEDS = ("unet", "wnet", "masknet"), 2


def tasks(cells: tuple[str, ...] = CELLS, seeds: int = SEEDS) -> list[tuple[tuple[int, int], Task]]:
    return [((seed, place), task(cell, seed)) for place, cell in enumerate(cells) for seed in range(seeds)]


def made(script: Script, slots: int = 1, deaf: bool = False, left: list | None = None, **more) -> Scheduler:
    clock = Clock()
    executor = ScriptedExecutor(clock, script, slots, deaf)
    scheduler = Scheduler(Agenda(left or tasks()), executor, MemoryTaskRecords(), clock=clock, **more)
    scheduler.run()
    return scheduler


def test_first_seeds_of_all_cells_come_first() -> None:
    scheduler = made(finishes())
    assert [label.rpartition(" ")[2] for label in scheduler.executor.submitted] == ["0"] * 3 + ["1"] * 3
    assert [label.partition(" ")[0] for label in scheduler.executor.submitted] == [*CELLS, *CELLS]
    assert {record.outcome for record in scheduler.records.values()} == {"finished"}
    assert scheduler.interrupted is None


@pytest.mark.parametrize("slots", [1, 2, 5])
def test_as_many_at_once_as_there_is_room(slots: int) -> None:
    scheduler = made(finishes(), slots)
    assert scheduler.executor.most == slots
    assert len(scheduler.records) == 6


@pytest.mark.parametrize(
    ("events", "outcome", "reason"),
    [
        ([(3, "ended", {"status": -9})], "killed", "its process was ended by SIGKILL"),
        ([(3, "ended", {"status": -11, "output": "x\nlast words"})], "killed", "its process was ended by SIGSEGV"),
        ([(3, "ended", {"status": 143})], "killed", "asked to end by somebody else"),
        ([(3, "ended", {"status": 7})], "failed", "status 7 and without a record"),
        ([(1, "refused", {"reason": "no such data"}), (1, "ended", {"status": 2})], "failed", "no such data"),
    ],
)
def test_one_that_leaves_no_record_gets_one_and_the_others_go_on(events: list, outcome: str, reason: str) -> None:
    def script(task: Task) -> list:
        return events if task.spec.model == "wnet" and task.spec.seed == 0 else finishes()(task)

    scheduler = made(script)
    broken = [record for record in scheduler.records.values() if record.outcome != "finished"]
    assert [record.outcome for record in broken] == [outcome]
    assert reason in broken[0].reason
    assert len(scheduler.records) == 6
    if "output" in events[0][2]:
        assert scheduler.task_records.failures[broken[0].id].traceback == ["x", "last words"]


@pytest.mark.parametrize("deaf", [False, True])
def test_a_timeout_ends_a_run_and_no_other(deaf: bool) -> None:
    def script(task: Task) -> list:
        return finishes(5000.0 if task.spec.model == "wnet" else 10.0)(task)

    scheduler = made(script, timeout=100.0, deaf=deaf)
    outcomes = [record.outcome for record in scheduler.records.values()]
    assert outcomes == ["finished", "timeout", "finished"] * 2
    reasons = {record.reason for record in scheduler.records.values() if record.outcome == "timeout"}
    assert reasons == {"not done after 100 s" + deaf * ", and killed 60 s after it was asked to end"}
    assert all(100 < seconds < 103 + deaf * (PATIENCE + 2) for seconds in scheduler.durations.values() if seconds > 50)


def test_waiting_for_the_device_does_not_count() -> None:
    def script(task: Task) -> list:
        return [(0, "waiting", {}), (500, "acquired", {}), *((at + 500, *rest) for at, *rest in finishes(50)(task))]

    assert {record.outcome for record in made(script, timeout=100.0).records.values()} == {"finished"}


def test_a_run_that_another_process_makes_is_tried_again_later() -> None:
    tries: dict[str, int] = {}

    def script(task: Task) -> list:
        tries[task.key] = tries.get(task.key, 0) + 1
        return [(1, "ended", {"status": BUSY})] if tries[task.key] < 3 else finishes()(task)

    said, began = [], []
    listener = SweepListener()
    listener.notice = lambda task, words: said.append((task.key, words))  # type: ignore[method-assign]
    listener.began = lambda task: began.append(task.key)  # type: ignore[method-assign]
    scheduler = made(script, listener=listener)
    assert {*tries.values()} == {3}
    assert len(scheduler.records) == 6
    assert sorted(began) == sorted(key for key, _ in said) == sorted(tries), "once each"
    assert {words for _, words in said} == {"another process is making it; looked at again until it is done"}


def test_the_deadline_stops_with_what_is_left_kept() -> None:
    clock_limit = 35.0
    scheduler = made(finishes(), deadline=clock_limit)
    assert scheduler.interrupted == "deadline"
    assert len(scheduler.records) == 3
    assert len(scheduler.agenda) == 3
    assert not scheduler.running


def test_a_signal_stops_everything_that_goes_on_and_begins_nothing() -> None:
    interruption = Interruption()

    def script(task: Task) -> list:
        if task.spec.model == "wnet":
            with interruption.deferred():
                interruption.handle(signal.SIGTERM)
        return finishes()(task)

    scheduler = made(script, slots=2, interruption=interruption)
    assert scheduler.interrupted == "interrupted"
    assert scheduler.records == {}
    assert len(scheduler.agenda) == 6


def test_what_ends_with_a_record_although_it_was_stopped_counts() -> None:
    def script(task: Task) -> list:
        return finishes(10.0)(task)

    clock = Clock()
    executor = ScriptedExecutor(clock, script, deaf=True)
    scheduler = Scheduler(Agenda(tasks()), executor, MemoryTaskRecords(), clock=clock, deadline=5.0)
    scheduler.run()
    assert [record.outcome for record in scheduler.records.values()] == ["finished"]
    assert len(scheduler.agenda) == 5

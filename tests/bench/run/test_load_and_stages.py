"""What a record says of the machine's load and of progressive stages, by hand; and what begins and completes it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.protocol import find_protocol
from bench.core.record import Epoch
from bench.core.record.timings import HOST_BOUND
from bench.run.run_record import _stages, begin_record, complete_record, load_of
from bench.timing.ledger import Ledger
from bench.timing.memory import PeakMeter
from bench.timing.window import Window
from bench.train.assemble import make_run
from bench.train.checks.trial import Size
from bench.train.events import Observers
from bench.train.failures import Diverged
from tests.bench.rectangles import Rectangles

CPU = torch.device("cpu")


def window(images: int = 8, seconds: float = 1.0, tag: str = "", **more: Any) -> Window:
    return Window(steps=1, images=images, seconds=seconds, blocks=more.pop("blocks", None), tag=tag, **more)


def test_nothing_is_known_without_windows() -> None:
    assert load_of([]) is None


def test_a_quiet_machine() -> None:
    found = load_of([window(others=0.01), window(others=0.03), window(others=0.02)])
    assert found is not None
    assert (found.windows, found.disturbed, found.others, found.reasons) == (3, 0, 0.02, {})
    assert not found.marked and found.unknown is None and found.shared == 1


def test_reasons_are_counted_the_most_frequent_first() -> None:
    windows = [window(disturbed=why) for why in ("clock", "others", None, "others")]
    found = load_of(windows)
    assert found is not None
    assert list(found.reasons.items()) == [("others", 2), ("clock", 1)]
    assert found.disturbed == 3 and not found.marked


def test_a_record_is_marked_where_every_window_was_disturbed() -> None:
    found = load_of([window(disturbed="others"), window(disturbed="clock")])
    assert found is not None and found.marked


def test_a_machine_that_cannot_be_watched_says_so() -> None:
    found = load_of([window(), window()])
    assert found is not None
    assert found.unknown == "nothing counts what others take of this machine" and found.others is None


@settings(max_examples=30)
@given(st.integers(2, 9), st.lists(st.sampled_from([None, "clock"]), min_size=1, max_size=6))
def test_beside_other_runs_every_window_is_disturbed(share: int, reasons: list[str | None]) -> None:
    found = load_of([window(disturbed=why) for why in reasons], share)
    assert found is not None
    assert found.marked and found.shared == share and found.disturbed == len(reasons)
    beside = found.reasons.get(f"beside {share - 1} other run{'s' * (share > 2)} of a sweep", 0)
    assert beside == reasons.count(None) and found.reasons.get("clock", 0) == reasons.count("clock")


def epoch(number: int, size: int, loss: float) -> Epoch:
    return Epoch(
        epoch=number, size=size, learning_rate=0.1, train_loss={}, val_loss={"total": loss}, val_metrics={"m": loss}
    )


def progressive():
    (small, large) = (stage for stage in find_protocol("standard").stages[:2])
    stages = (small.model_copy(update={"epochs": 2}), large.model_copy(update={"epochs": 1}))
    return find_protocol("standard").model_copy(update={"stages": stages})


def test_each_stage_has_its_rate_and_its_last_validation() -> None:
    protocol = progressive()
    small, large = protocol.stages
    history = [epoch(1, small.size, 0.9), epoch(2, small.size, 0.7), epoch(3, large.size, 0.5)]
    windows = [
        window(100, 1.0, small.label),
        window(100, 0.5, small.label),
        window(100, 4.0, small.label),
        window(100, 9.0, small.label, blocks={"forward": [1.0]}),
        window(100, 2.5, large.label),
    ]
    assert _stages(protocol, history, windows) == [
        {"size": small.size, "batch": small.batch, "epochs": 2, "images_per_second": 100.0, "val_loss": 0.7, "val_metrics": {"m": 0.7}},  # noqa: E501
        {"size": large.size, "batch": large.batch, "epochs": 1, "images_per_second": 40.0, "val_loss": 0.5, "val_metrics": {"m": 0.5}},  # noqa: E501
    ]  # fmt: skip


def test_a_stage_that_was_not_reached_is_left_out_and_one_stage_alone_says_nothing() -> None:
    protocol = progressive()
    (only,) = _stages(protocol, [epoch(1, protocol.stages[0].size, 0.9)], [])
    assert (only["epochs"], only["images_per_second"]) == (1, None)
    assert _stages(find_protocol("quick"), [epoch(1, 64, 0.9)], []) == []


@pytest.fixture(scope="module")
def begun():
    run = make_run("unet[width=4]", "mask: bce", find_protocol("quick"), Rectangles().describe())
    return begin_record(run, CPU, Size(1234, None, "not counted: it looks at values", ("a note",)), [], Rectangles())


def test_a_record_that_has_begun_is_one_of_a_killed_run(begun: Any) -> None:
    assert begun.outcome == "killed" and begun.reason == "its process ended before the run did"
    assert (begun.parameters, begun.gmacs, begun.epochs, begun.test) == (1234, None, [], {})
    assert begun.facts["gmacs"] == "not counted: it looks at values" and begun.facts["model"] == ["a note"]
    assert "plugins" not in begun.facts, "what is empty is left out"


def observers() -> Observers:
    return Observers(Ledger(CPU), Ledger(CPU), PeakMeter(CPU))


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ValueError("no"), "failed"),
        (MemoryError(), "oom"),
        (Diverged(1, 3, torch.tensor([1, 2])), "diverged"),
        (SystemExit(0), "failed"),
    ],
)
def test_what_ended_a_run_completes_its_record(begun: Any, error: BaseException, outcome: str) -> None:
    made = observers()
    made.position.enter("training", 1)
    found = complete_record(begun, None, error, made, 12.5, [], share=2)
    assert (found.outcome, found.seconds, found.loading) == (outcome, 12.5, "none")
    assert found.failure is not None and found.failure.phase == "training"
    assert found.test == {} and found.epochs == [] and found.facts["model"] == ["a note"]
    assert type(found).model_validate_json(found.model_dump_json()) == found


def test_tiers_are_named_in_order(begun: Any) -> None:
    for tiers, words in ((["resident"], "resident"), (["streamed", "live"], "live and streamed")):
        assert complete_record(begun, None, ValueError(), observers(), 1.0, tiers).loading == words


@pytest.mark.parametrize("timed", [False, True])
def test_why_no_blocks_were_timed_is_recorded(begun: Any, timed: bool) -> None:
    made = observers()
    made.training.untimed = "a step outside the CUDA graph takes 9 MiB beside it, and 1 MiB are free"
    made.training.windows = [window(1, 1.0, "64 px", blocks={"step": [1.0]} if timed else None)]
    facts = complete_record(begun, None, ValueError(), made, 1.0, []).facts
    assert facts.get("blocks") == (None if timed else f"not timed: {made.training.untimed}")


@pytest.mark.parametrize(
    ("device", "waited", "said"), [("cuda", 0.01, HOST_BOUND), ("cuda", 0.9, None), ("cpu", 0.0, None)]
)
def test_blocks_that_are_launch_times_are_called_that(begun: Any, device: str, waited: float, said: str | None) -> None:
    """By the windows whose blocks were timed: those of a graph launch at once."""
    made = observers()
    made.training.device = torch.device(device)
    plain = [window(8, 1.0, engine="graphed", wait_seconds=1.0 - waited) for _ in range(4)]
    made.training.windows = [*plain, window(8, 1.0, blocks={"step": [1.0]}, wait_seconds=waited)]
    assert complete_record(begun, None, ValueError(), made, 1.0, []).facts.get("blocks") == said


def test_scores_that_are_not_finite_are_a_divergence(begun: Any) -> None:
    summary = {"mask_dice": SimpleNamespace(value=float("inf"), images=8)}
    test = SimpleNamespace(summary=lambda: summary, facts={}, pooled={})
    trained = SimpleNamespace(
        test=test, history=[], best_epoch=1, resumed=0, others={}, facts={}, seen=None, heads=("mask",)
    )
    found = complete_record(begun, trained, None, observers(), 1.0, [])  # type: ignore[arg-type]
    assert found.outcome == "diverged" and found.test == {}
    assert found.reason == "predictions on the test split hold NaN or infinity"

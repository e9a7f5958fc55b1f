"""What ends a run early, as data: outcome, reason, place, and a traceback without paths."""

from __future__ import annotations

import errno

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from bench.core.record import Failure
from bench.train.failures import (
    TRACEBACK_LINES,
    Diverged,
    Position,
    describe,
    failure_of,
    out_of_memory,
    outcome_of,
    traceback_lines,
)
from registry.models import models

IDS = torch.tensor([3, 1, 4])
SHORT = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
    MemoryError(),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
    RuntimeError("CUDA error: out of memory"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
]
OTHER = [
    RuntimeError("shape '[2]' is invalid"),
    ValueError("out of memory is no word for this"),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
]


def raised(error: BaseException, depth: int = 0) -> BaseException:
    """The error with the traceback of so many nested calls."""

    def call(left: int) -> None:
        if left:
            call(left - 1)
        else:
            raise error

    try:
        call(depth)
    except BaseException as found:
        return found
    raise AssertionError


@pytest.mark.parametrize("error", SHORT, ids=lambda error: str(error)[:20] or type(error).__name__)
def test_short_memory_in_all_its_words_is_oom(error: BaseException) -> None:
    assert out_of_memory(error)
    outcome, reason = outcome_of(error)
    assert outcome == "oom"
    assert reason == (str(error) or "out of memory")


@pytest.mark.parametrize("error", OTHER, ids=lambda error: str(error)[:20])
def test_other_errors_are_failures(error: BaseException) -> None:
    assert not out_of_memory(error)
    assert outcome_of(error)[0] == "failed"


@pytest.mark.parametrize(
    ("step", "term", "words"),
    [
        (5, None, "the loss became NaN or infinite at step 5 of epoch 2; samples [3, 1, 4]"),
        (5, "depth.ssim", "the loss became NaN or infinite at step 5 of epoch 2, depth.ssim first; samples [3, 1, 4]"),
        (None, None, "the loss became NaN or infinite in validation of epoch 2; samples [3, 1, 4]"),
    ],
)
def test_a_divergence_names_epoch_step_samples_and_term(step: int | None, term: str | None, words: str) -> None:
    error = Diverged(2, step, IDS, term)
    assert outcome_of(error) == ("diverged", words)
    elsewhere = Position("checkpoint", 9, 9, torch.tensor([7]), "optimizer")  # where it was noticed, not where it was
    assert failure_of(raised(error), elsewhere, 12.5) == Failure(
        phase="training" if step else "validation", epoch=2, step=step, samples=[3, 1, 4], term=term, peak_mib=12.5
    )


def test_any_other_failure_is_where_the_run_was() -> None:
    found = failure_of(raised(ValueError("no")), Position("test", None, 3, IDS, "metrics"), 1.0)
    assert (found.phase, found.epoch, found.step, found.samples) == ("test", None, 3, [3, 1, 4])
    assert (found.exception, found.block, found.term) == ("ValueError", "metrics", None)


def test_the_cause_is_what_the_traceback_shows() -> None:
    try:
        raise RuntimeError("wrapped") from raised(ValueError("first"), depth=2)
    except RuntimeError as error:
        lines = failure_of(error, Position(), 0.0).traceback
    assert sum("in call: " in line for line in lines) == 3


def test_a_position_forgets_the_batch_with_the_phase_and_the_block_with_the_batch() -> None:
    position, entered = Position(), list[str]()

    def span(name: str):
        entered.append(name)
        return torch.no_grad()

    position.enter("training", 4)
    position.batch(2, IDS)
    with position.watch(span)("forward"):
        assert position.block == "forward"
    assert entered == ["forward"]
    position.batch(3, IDS)
    assert position.block is None
    position.enter("validation", 4)
    assert (position.phase, position.epoch, position.step, position.samples) == ("validation", 4, None, None)


def test_an_error_in_the_forward_pass_names_the_part_of_the_model() -> None:
    model = models.build("unet[width=4]")
    blocks = model.blocks()  # type: ignore[attr-defined]
    name, part = next((name, parts[0]) for name, parts in blocks.items() if name != "head")
    part.forward = lambda *_: (_ for _ in ()).throw(ValueError("in a part"))
    try:
        model(torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16))
    except ValueError as error:
        for block, expected in (("forward", f"forward/{name}"), ("loss/mask.bce", "loss/mask.bce"), (None, None)):
            assert failure_of(error, Position("training", 1, 1, IDS, block, model), 0.0).block == expected
        assert failure_of(error, Position("training", 1, 1, IDS, "forward", nn.Identity()), 0.0).block == "forward"


@given(message=st.text(), depth=st.integers(0, 20))
def test_a_description_is_a_line_whatever_the_message(message: str, depth: int) -> None:
    error = raised(RuntimeError(message), depth)
    text = describe(error)
    assert len(text.splitlines()) <= 1 and text.startswith("RuntimeError: ")
    assert "(test_failures.py, line " in text
    lines = traceback_lines(error)
    assert len(lines) == min(depth + 2, TRACEBACK_LINES)
    assert lines[-1].endswith("in call: raise error")
    assert all(line.startswith("test_failures.py:") for line in lines)


def test_an_error_without_words_or_place() -> None:
    assert describe(ValueError()) == "ValueError: no reason given"
    assert traceback_lines(ValueError()) == []

"""The batch that fits: exact where memory is a line, corrected where it bends, refused where nothing fits."""

from itertools import repeat
from types import SimpleNamespace
from typing import ClassVar

import pytest
import torch

from bench.core.errors import BenchError
from bench.profile import memory_budget
from bench.profile.memory_budget import fit_batch, fit_batch_of, peak_of
from tests.bench.progress_log import Told
from tests.bench.rectangles import Rectangles

MIB = 2**20


def test_a_line_is_met_at_once() -> None:
    fit = fit_batch(lambda batch: (100 + 3 * batch) * MIB, budget_mib=400)
    assert fit.batch == 100
    assert (fit.fixed_mib, fit.an_image_mib) == pytest.approx((100, 3))
    assert len(fit.checks) == 1
    assert fit.checks[0].expected_mib == pytest.approx(fit.checks[0].measured_mib)


def test_a_bend_is_corrected() -> None:
    """Weights' gradients are the worst moment of small batches, activations that of large ones."""

    def peak(batch: int) -> int:
        return max(200 + 2 * batch, 100 + 8 * batch) * MIB

    fit = fit_batch(peak, budget_mib=500)
    assert fit.checks[0].measured_mib > 500
    assert peak(fit.batch) <= 500 * MIB < peak(fit.batch + 3)


def test_every_answer_was_run_and_fits() -> None:
    for budget in range(20, 300, 7):
        sizes: dict[int, int] = {}

        def peak(batch: int, sizes=sizes) -> int:
            sizes[batch] = (10 + batch + batch * batch // 40) * MIB
            return sizes[batch]

        fit = fit_batch(peak, budget_mib=budget)
        assert sizes[fit.batch] <= budget * MIB
        assert fit.peak_mib == sizes[fit.batch] / MIB
        largest = max(batch for batch in range(1, 400) if peak(batch) <= budget * MIB)
        assert fit.batch >= 0.8 * largest


def test_too_small_a_budget() -> None:
    with pytest.raises(BenchError, match="--memory-budget"):
        fit_batch(lambda batch: (100 + batch) * MIB, budget_mib=50)


def test_a_real_net(make) -> None:
    runner = make(batch=4, size=32)
    progress = Told()
    fit = fit_batch_of(runner, Rectangles(), budget_mib=20, progress=progress)
    assert f"a step with batch {fit.batch}" in progress.words
    assert fit.peak_mib <= 20
    assert fit.peak_mib >= 0.9 * 20
    assert peak_of(make(batch=fit.batch, size=32)) / MIB == pytest.approx(fit.peak_mib, rel=0.05)
    assert f"batch {fit.batch}" in fit.sentence()


def test_what_runs_out_of_memory_is_over_the_budget() -> None:
    def peak(batch: int) -> int:
        if batch > 70:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return (100 + 3 * batch) * MIB

    fit = fit_batch(peak, budget_mib=400, probes=(8, 32))
    assert fit.checks[0].measured_mib is None and fit.checks[0].batch == 100
    assert "ran out of memory" in fit.sentence()
    assert 60 <= fit.batch <= 70


class CapturedRunner:
    """A runner on CUDA whose graph holds 3 MiB an image, and an eager step beside it as much again."""

    engine, refused = "graphed", None
    device = torch.device("cuda", 0)
    made: ClassVar[list[str]] = []
    keeps = 0

    def __init__(self, run, source, device, batches: int, engine: str) -> None:
        self.captured, self.batches = False, repeat((1, None))
        self.batch = run.batch
        self.made.append(engine)

    def first_steps(self) -> float:
        self.captured, CapturedRunner.keeps = True, 10 + 3 * self.batch
        return 0.0

    def step(self, epoch: int, batch: object, eagerly: bool = False) -> None:
        assert eagerly, "a replay takes nothing beside the graph"
        CapturedRunner.keeps += 3 * self.batch


def test_a_graph_and_the_eager_steps_beside_it_both_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training times blocks in eager steps, which cannot use the memory of the graph."""

    def emptied() -> None:
        CapturedRunner.keeps = 7

    monkeypatch.setattr(torch.cuda, "empty_cache", emptied)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 5 * MIB)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: CapturedRunner.keeps * MIB)
    monkeypatch.setattr(memory_budget, "StepRunner", CapturedRunner)
    runner = CapturedRunner(SimpleNamespace(batch=1), None, None, 1, "graphed")
    runner.spec = SimpleNamespace(protocol=SimpleNamespace(override=lambda batch: batch))
    runner.run = SimpleNamespace(altered=lambda protocol: SimpleNamespace(batch=protocol))
    fit = fit_batch_of(runner, Rectangles(), budget_mib=303)  # 3 + 6 an image, without the 7 that were there before
    assert (fit.batch, fit.peak_mib) == (50, 303)
    assert set(CapturedRunner.made) == {"graphed"}


def test_memory_that_does_not_grow_says_nothing() -> None:
    """As where a workspace for few images outweighs all that more of them hold."""
    with pytest.raises(BenchError, match="cannot be estimated"):
        fit_batch(lambda batch: (300 - batch) * MIB, budget_mib=400, probes=(8, 32))


def test_a_budget_below_the_probes_is_tried_with_fewer() -> None:
    fit = fit_batch(lambda batch: (10 + 10 * batch) * MIB, budget_mib=45, probes=(8, 32))
    assert fit.batch == 3

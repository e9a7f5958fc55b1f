"""Options of ``bench sweep``: what goes together, threads of runs that share a CPU."""

import pytest
import torch

from bench.cli.options.sweep import LimitOptions, SettlingOptions, TuningOptions
from bench.core.errors import BenchError


def test_runs_that_share_a_cpu_divide_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 16)
    assert [LimitOptions(share=share).run_threads() for share in (1, 2, 5, 32)] == [16, 8, 3, 1]
    assert LimitOptions(share=4, threads=16).run_threads() == 16


def test_one_number_a_sweep() -> None:
    assert TuningOptions().grid() is None
    assert TuningOptions(tune=["optimizer.lr=1e-3,3e-3"]).grid().values == (0.001, 0.003)
    with pytest.raises(BenchError, match="--tune was given 2 times"):
        TuningOptions(tune=["optimizer.lr=1e-3,3e-3", "optimizer.weight_decay=0,1"]).grid()


@pytest.mark.parametrize("given", [{"prune": True}, {"weights": "mask=1"}])
def test_options_of_tuning_need_it(given: dict) -> None:
    with pytest.raises(BenchError, match="are of --tune"):
        TuningOptions(**given).grid()


@pytest.mark.parametrize("given", [{"budget": "2h"}, {"settle_by": "mask_iou"}, {"margin": 0.1}])
def test_options_of_settling_need_it(given: dict) -> None:
    with pytest.raises(BenchError, match="are of --until-settled"):
        SettlingOptions(**given).seeds(3)
    assert SettlingOptions(until_settled=True, **given).seeds(5) == 5


def test_settling_has_a_number_of_seeds_of_its_own() -> None:
    assert SettlingOptions(until_settled=True).seeds(1) == 12
    assert SettlingOptions().seeds(1) == 1

"""The table of systems holds together: what it names exists, sizes fit the models, both forms get one budget."""

import pytest
import torch

from bench.reproduce.system import Trial
from bench.reproduce.systems import SYSTEMS, find_system
from registry.errors import UnknownName
from registry.losses import parse
from registry.models import models
from registry.optimizers import optimizers
from registry.schedules import schedules

TRIALS = [(key, trial) for key, system in SYSTEMS.items() for trial in system.trials]


def test_all_five_are_there() -> None:
    assert list(SYSTEMS) == ["000", "001", "002", "003", "004"]
    with pytest.raises(UnknownName, match="002"):
        find_system("02")


@pytest.mark.parametrize(("key", "trial"), TRIALS, ids=[f"{key} {trial.title}" for key, trial in TRIALS])
def test_a_trial_can_be_run(key: str, trial: Trial) -> None:
    for name, form in trial.forms.items():
        entry, _ = models.resolve(form.model)
        assert f"system {key}" in entry.facts["source"]
        assert set(parse(form.recipe).heads) >= set(entry.facts["heads"]) & {"mask", "depth"}
        optimizers.resolve(form.optimizer)
        schedules.resolve(form.schedule)
        for full in (False, True):
            protocol = trial.protocol(name, "x", full)
            assert all(stage.size % entry.facts["stride"] == 0 for stage in protocol.stages)
    published, corrected = (trial.protocol(name, "x") for name in trial.forms)
    assert published.stages == corrected.stages
    assert published.train_samples == corrected.train_samples
    assert trial.published != trial.corrected
    assert 2 <= trial.fault.count(". ") + 1 <= 3


def test_a_budget_scales_with_the_samples() -> None:
    trial = SYSTEMS["002"].trials[0]
    assert [stage.batch for stage in trial.protocol("published", "x", full=True).stages] == [512, 128, 32]
    small = trial.protocol("published", "x", full=True, samples=100)
    assert [stage.batch for stage in small.stages] == [100, 100, 32]
    assert (small.train_samples, small.val_samples, small.test_samples) == (100, 32, 32)


def test_system_002s_learning_rate_begins_anew_at_each_stage() -> None:
    form = SYSTEMS["002"].trials[0].published
    optimizer = optimizers.build(form.optimizer)([torch.nn.Parameter(torch.zeros(1))])
    schedule = schedules.build(form.schedule)(optimizer, 0)
    rates = []
    for _ in range(8):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.epoch(0.0)
    assert rates == pytest.approx([1e-2, 1e-4, 1e-6, 1e-2, 1e-4, 1e-6, 1e-2, 1e-4])

"""A plug-in that alters what is the whole process's is refused before training, or its run fails and others do not."""

import logging
import os
import random
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bench.core.errors import BenchError
from bench.metrics import metrics
from bench.results import store
from bench.train.events import Listener
from registry.contract import Prediction
from registry.errors import ContractError
from registry.models import models
from tests.bench.rectangles import Rectangles
from tests.bench.run.small_experiments import records, small_experiment
from tests.bench.run.small_runs import small_run, small_runner

ALTERS = {
    "chdir": lambda: os.chdir("/"),
    "dtype": lambda: torch.set_default_dtype(torch.float64),
    "threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "deterministic": lambda: torch.use_deterministic_algorithms(True, warn_only=True),
    "backends": lambda: setattr(torch.backends.cudnn, "enabled", False),
    "stdout": lambda: sys.stdout.close(),
}
SEEDS = {"torch": lambda: torch.manual_seed(0), "numpy": lambda: np.random.seed(0), "random": lambda: random.seed(0)}
PUT_BACK = {
    "environ": lambda: os.environ.update(MASKDEPTH_TEST="1"),
    "warnings": lambda: warnings.filterwarnings("ignore", message="of no kind"),
    "logging": lambda: logging.getLogger().addHandler(logging.NullHandler()),
}


class Altering(nn.Module):
    """A net that does something to the process when it is built, called, or in its fifth training step."""

    stride = 1

    def __init__(self, built: str = "", called: str = "", later: str = "") -> None:
        super().__init__()
        self.conv, self.called, self.later, self.steps = nn.Conv2d(6, 2, 1), called, later, 0
        self.act(built)

    def act(self, what: str) -> None:
        {"": lambda: None, **ALTERS, **SEEDS, **PUT_BACK}[what]()

    def forward(self, bg: torch.Tensor, bg_fg: torch.Tensor) -> Prediction:
        self.act(self.called)
        if self.training and torch.is_grad_enabled():
            self.steps += 1
            self.act(self.later if self.steps == 5 else "")
        return Prediction(*self.conv(torch.cat([bg, bg_fg], 1)).split(1, 1))


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """This file is a user's module; whatever a faulty mend left altered is put back."""
    monkeypatch.setitem(sys.modules, "own_settings", sys.modules[__name__])
    monkeypatch.chdir(tmp_path)


def built(what: str):
    return lambda: Altering(built=what)


for name in [*ALTERS, *SEEDS]:
    globals()[f"Built_{name}"] = built(name)


def call(name: str):
    def term(prediction, target):
        {**ALTERS, **SEEDS}[name]()
        return (prediction.value - target.value).abs().mean()

    def metric(prediction, target):
        ALTERS[name]()
        return (prediction.value - target.value).abs().flatten(1).mean(1)

    metric.__name__ = metric.__qualname__ = f"metric_{name}"
    return term, metrics.register(head="mask", higher_is_better=True)(metric)


for name in [*ALTERS, *SEEDS]:
    globals()[f"term_{name}"], globals()[f"metric_{name}"] = call(name)
    globals()[f"Called_{name}"] = (lambda what: lambda: Altering(called=what))(name)


@pytest.mark.parametrize(
    ("plugin", "what"),
    [*(("Called", what) for what in ALTERS), *((plugin, "chdir") for plugin in ("Built", "term", "metric"))],
)
def test_settings_of_the_process_are_refused_to_plugins_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: str, what: str
) -> None:
    monkeypatch.setattr(sys, "stdout", (tmp_path / "stdout").open("w"))  # the test runner's own stays open
    named = f"own_settings:{plugin}_{what}"
    model, loss, keys = "unet[width=4]", "mask: bce, depth: l1", []
    if plugin == "term":
        loss = f"mask: bce, depth: {named}"
    elif plugin == "metric":
        keys = [named]
    else:
        model = named
    with pytest.raises(ContractError, match=f"{named}.* alters "):
        small_experiment(tmp_path, model, loss=loss, metrics=keys)
    assert Path.cwd() == tmp_path
    assert torch.get_default_dtype() is torch.float32
    assert not sys.stdout.closed
    assert {path.name for path in tmp_path.iterdir()} == {"stdout"}


@pytest.mark.parametrize("what", SEEDS)
@pytest.mark.parametrize(("plugin", "when"), [("Built", "is built"), ("Called", "is called"), ("term", "is called")])
def test_plugins_do_not_seed_what_all_draw_from(tmp_path: Path, plugin: str, when: str, what: str) -> None:
    named = f"own_settings:{plugin}_{what}"
    loss = f"mask: bce, depth: {named}" if plugin == "term" else "mask: bce, depth: l1"
    with pytest.raises(ContractError, match=f"{named}.* seeds the generator of {what} when it {when}"):
        small_experiment(tmp_path, "unet[width=4]" if plugin == "term" else named, loss=loss)


class Notices(Listener):
    def __init__(self) -> None:
        self.words: list[str] = []

    def notice(self, words: str) -> None:
        self.words.append(words)


@pytest.mark.parametrize("what", ["chdir", "dtype", "threads", "deterministic", "backends"])
def test_a_late_alteration_fails_that_run_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    source, run = Rectangles(), small_run(Rectangles(), "mine:Net", train_samples=64)
    whole = small_runner(tmp_path / "alone", source).run(small_run(source))[0]
    with monkeypatch.context() as patch:
        patch.setattr(models, "build", lambda key: Altering(later=what))
        runner = small_runner(Path("relative"), source)
        record, path = runner.run(run)
    assert (record.outcome, record.failure.exception) == ("failed", "ContractError")
    assert "mine:Net alters " in record.reason
    assert store.read(tmp_path / path) == record
    after, _ = runner.run(small_run(source))
    assert after.test == whole.test
    assert after.arithmetic == whole.arithmetic
    assert after.environment == whole.environment
    assert {path.name for path in Path("relative/runs").iterdir()} == {run.spec.id, after.id}


@pytest.mark.parametrize(("what", "named"), [("environ", "os.environ"), ("warnings", "warnings."), ("logging", "logg")])
def test_what_decides_nothing_is_put_back_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, named: str
) -> None:
    before = dict(os.environ), list(warnings.filters), list(logging.getLogger().handlers)
    monkeypatch.setattr(models, "build", lambda key: Altering(later=what))
    notices = Notices()
    record, _ = small_runner(tmp_path, Rectangles(), notices).run(small_run(Rectangles(), "mine:Net", train_samples=64))
    assert record.outcome == "finished"
    [words] = notices.words
    assert words.startswith("mine:Net alters ")
    assert named in words
    assert (dict(os.environ), list(warnings.filters), list(logging.getLogger().handlers)) == before


def test_threads_that_go_on_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()

    def build(key: str) -> nn.Module:
        threading.Thread(target=done.wait, name="of mine").start()
        return Altering()

    monkeypatch.setattr(models, "build", build)
    notices = Notices()
    try:
        small_runner(tmp_path, Rectangles(), notices).run(small_run(Rectangles(), "mine:Net"))
    finally:
        done.set()
    assert any("threads that go on: of mine" in words for words in notices.words)


def test_an_ordinary_run_alters_nothing(tmp_path: Path) -> None:
    notices = Notices()
    small_runner(tmp_path, Rectangles(), notices).run(small_run(Rectangles()))
    assert notices.words == []


@metrics.register(head="mask", higher_is_better=True)
def alters_prediction(prediction, target):
    return prediction.value.sub_(0.1).flatten(1).mean(1)


@metrics.register(head="mask", higher_is_better=True)
def alters_target(prediction, target):
    return target.value.zero_().flatten(1).mean(1)


@metrics.register(head="mask", higher_is_better=True)
def alters_logits(view):
    view.judged("mask")[0].logits.clamp_(0, 1)
    return view.mask.flatten(1).float().mean(1)


@metrics.register(head="mask", higher_is_better=True)
def ends_the_program(prediction, target):
    raise SystemExit(0)


@pytest.mark.parametrize("name", ["alters_prediction", "alters_target", "alters_logits"])
def test_a_metric_that_alters_what_others_see_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ContractError, match=f"metric own_settings:{name} alters in place what other metrics see"):
        small_experiment(tmp_path, metrics=[f"own_settings:{name}"])
    assert list(tmp_path.iterdir()) == []


def test_a_metric_that_ends_the_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="cannot be computed: SystemExit"):
        small_experiment(tmp_path, metrics=["own_settings:ends_the_program"])


@metrics.register(head="mask", higher_is_better=True)
def draws(prediction, target):
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)
    return torch.rand(len(prediction.value))


def test_a_metric_that_draws_changes_nothing_of_what_it_measures(tmp_path: Path) -> None:
    changes = {"epochs": 2, "train_samples": 32}

    def scores(*keys: str) -> tuple:
        made = small_experiment(tmp_path / str(keys), "twin_unet[width=4]", metrics=keys, changes=changes)
        [record], _ = records(made)
        return record.epochs[-1].train_loss, record.test["mask_dice"]

    assert scores("own_settings:draws") == scores()


@metrics.register(head="mask", higher_is_better=True)
def infinite(prediction, target):
    return torch.full((len(prediction.value),), torch.inf)


@metrics.register(head="mask", higher_is_better=True)
def undefined(prediction, target):
    return torch.full((len(prediction.value),), torch.nan)


@pytest.mark.parametrize("name", ["infinite", "undefined"])
def test_a_metric_without_any_value_is_named(tmp_path: Path, name: str) -> None:
    key, notices = f"own_settings:{name}", Notices()
    [record], _ = records(small_experiment(tmp_path, metrics=[key]), notices)
    assert record.outcome == "finished"
    assert record.test[key].value is None
    assert record.facts["metrics"] == {key: "NaN or infinite for every test image"}
    assert notices.words == [f"metric {key} has no value: NaN or infinite for every test image"]

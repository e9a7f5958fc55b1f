"""An experiment: mistakes show before training, one failure ends no other run, and nothing is made twice."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import nn

from bench.core.errors import BenchError, Interrupted
from bench.core.protocol import find_protocol
from bench.results import store
from bench.run import found as found_module
from bench.train.assemble import make_run
from bench.train.checks.trial import size_of, try_out
from bench.train.events import Listener
from registry.contract import Prediction
from registry.errors import RegistryError
from tests.bench.rectangles import Rectangles
from tests.bench.run.small_experiments import records, small_experiment
from tests.bench.run.small_runs import SMALL

CPU = torch.device("cpu")


class Wrong(nn.Module):
    """A net that raises in its third training step of full batches, once it was tried out."""

    stride = 1
    tried = False

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(6, 2, 1)

    def forward(self, bg: torch.Tensor, bg_fg: torch.Tensor) -> Prediction:
        if self.training and Wrong.tried:
            raise ValueError("in a step")
        mask, depth = self.conv(torch.cat([bg, bg_fg], 1)).split(1, 1)
        return Prediction(mask, depth)


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(Wrong, "tried", False)
    monkeypatch.setitem(sys.modules, "wrong_net", sys.modules[__name__])
    return "wrong_net:Wrong"


def test_a_failed_run_is_recorded_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    made = small_experiment(tmp_path, wrong, "unet[width=4]")
    monkeypatch.setattr(Wrong, "tried", True)
    found, _ = records(made)
    assert [record.outcome for record in found] == ["failed", "finished"]
    assert "ValueError: in a step (test_experiment.py, line" in found[0].reason
    assert made.failed


def test_a_model_that_does_not_train_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setattr(Wrong, "tried", True)
    with pytest.raises(BenchError, match=r"does not train on 8 images of 32 px: ValueError: in a step \(test_exp"):
        small_experiment(tmp_path, wrong)
    assert list(tmp_path.iterdir()) == []


def test_too_small_a_batch_is_refused_with_one_that_works(tmp_path: Path) -> None:
    run = make_run(
        "smp/deeplabv3/resnet18",
        "mask: bce",
        find_protocol("quick").override(**{**SMALL, "batch": 1}),
        Rectangles().describe(),
    )
    with pytest.raises(BenchError, match=r"does not train on 1 image of 32 px: .* give --batch 2"):
        try_out(run, Rectangles(), CPU)


def test_a_model_is_counted_before_anything_calls_it() -> None:
    run = make_run("unet[width=4]", "mask: bce", find_protocol("quick"), {})
    size = size_of(run, CPU)
    assert size.parameters > 0
    assert size.gmacs > 0
    assert size.gmacs_reason is None


def test_outputs_are_tried_first(tmp_path: Path) -> None:
    (tmp_path / "afile").write_text("x")
    with pytest.raises(BenchError, match="--results: cannot write"):
        small_experiment(tmp_path, results=tmp_path / "afile")
    with pytest.raises(BenchError, match="--runs: cannot write"):
        small_experiment(tmp_path, runs=Path("/proc/nowhere"))


def test_a_recipe_is_parsed_once_an_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from registry.losses import grammar

    count, real = [], grammar.parse
    users = [module for module in list(sys.modules.values()) if getattr(module, "parse", None) is real]

    def counted(text: str):
        count.append(text)
        return real(text)

    for module in users:
        monkeypatch.setattr(module, "parse", counted)
    records(small_experiment(tmp_path, "unet[width=4]", "masknet", seeds=[0, 1]))
    assert count == ["mask: bce, depth: l1"]


def test_what_is_recorded_is_not_made_again_unless_code_or_machine_are_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = records(small_experiment(tmp_path))
    again, lines = records(small_experiment(tmp_path))
    assert again == first
    assert not any("run anew" in line for line in lines)
    monkeypatch.setattr(found_module, "code_version", lambda *names: "another")
    anew, lines = records(small_experiment(tmp_path))
    assert anew[0].started >= first[0].started
    assert len(store.read_all(tmp_path / "results")) == 2
    assert "unet[width=4], seed 0: a record is of other code: run anew" in lines


def test_a_record_of_other_arithmetic_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records(small_experiment(tmp_path))
    monkeypatch.setattr(found_module, "arithmetic", lambda *_: "f" * 12)
    _, lines = records(small_experiment(tmp_path))
    assert any("is of another machine or another version of torch: run anew" in line for line in lines)


def test_parallel_experiments_share_what_they_both_make(tmp_path: Path) -> None:
    def one(seed: int) -> list[str]:
        return [record.id for record in records(small_experiment(tmp_path, seeds=[seed], baselines=True))[0]]

    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(one, range(3)))
    assert len({run for runs in made for run in runs}) == 3 + 3
    assert len(store.read_all(tmp_path / "results")) == 3 + 3


def test_a_signal_between_runs_keeps_what_is_done(tmp_path: Path) -> None:
    made = small_experiment(tmp_path, seeds=[0, 1])

    class StopInTest(Listener):
        def phase(self, name: str) -> None:
            if name == "test":
                made.interruption.handle(15)

    with pytest.raises(Interrupted, match="those that are left") as caught:
        records(made, StopInTest())
    assert caught.value.exit_code == 143
    assert len(store.read_all(tmp_path / "results")) == 1


def test_unknown_inputs_are_refused_and_image_is_another_run(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="pair, image"):
        small_experiment(tmp_path, inputs="video")
    pair, image = records(small_experiment(tmp_path))[0] + records(small_experiment(tmp_path, inputs="image"))[0]
    assert pair.id != image.id
    assert image.spec.inputs == "image"


def test_names_that_do_not_exist(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="unet"):
        small_experiment(tmp_path, "unett")


def alters_target(prediction, target):
    target.value.zero_()
    return (prediction.value - target.value).abs().mean()


def alters_logits(prediction, target):
    prediction.logits.sub_(1.0)
    return (prediction.value - target.value).abs().mean()


def has_no_gradient(prediction, target):
    return (prediction.value.detach() - target.value).abs().mean()


def ends_the_program(prediction, target):
    raise SystemExit(0)


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ("alters_target", "'own_terms:alters_target' alters the target in place: work on a copy"),
        ("alters_logits", "alters the logits of its prediction in place"),
        ("has_no_gradient", "has no gradient"),
        ("ends_the_program", r"does not train on 8 images of 32 px: SystemExit: 0 \(test_experiment.py, line"),
    ],
)
@pytest.mark.parametrize("recipe", ["mask: bce, depth: {}", "mask: l1 + {}, depth: l1"])
def test_terms_that_would_spoil_what_others_read_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: str, term: str, message: str
) -> None:
    monkeypatch.setitem(sys.modules, "own_terms", sys.modules[__name__])
    with pytest.raises((BenchError, RegistryError), match=message):
        small_experiment(tmp_path, loss=recipe.format(f"own_terms:{term}"))
    assert list(tmp_path.iterdir()) == []


def test_a_model_without_a_head_of_the_recipe_is_named_before_another_is_trained(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="nothing to train: masknet predicts mask, the recipe is 'depth: l1'"):
        small_experiment(tmp_path, "unet[width=4]", "masknet", loss="depth: l1")
    assert list(tmp_path.iterdir()) == []

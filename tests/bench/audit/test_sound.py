"""Every corrected recipe passes; what is unsound in one's own code is found; the audit disturbs nothing."""

import time
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from bench.audit.audit import CHECKS, audit
from bench.core.errors import BenchError
from bench.core.finding import Finding, conclude, headline
from bench.core.protocol import Protocol, find_protocol
from bench.data.split import Part
from bench.data.synthetic.source import Synthetic
from bench.metrics.scores import default_metrics
from registry.contract import Quartet
from registry.losses import parse, recipes
from registry.models import models
from tests.bench.audit import faulty
from tests.bench.audit.scenes import Scenes
from tests.bench.progress_log import Told

QUICK = find_protocol("quick")
MINE = "tests.bench.audit.faulty"


class Kept(Synthetic):
    """Rooms that are rendered once, as every audit looks at the same ones."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[object, ...], Quartet] = {}

    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        key = part, *ids.tolist(), size
        if key not in self.kept:
            self.kept[key] = super().scenes(part, ids, size)
        return self.kept[key].map(torch.clone)


SOURCE = Kept()
MODELS = {("mask",): "unet_mask", ("depth",): "unet_depth", ("mask", "depth"): "unet[width=4]"}


def check(name: str, recipe: str = "bce", source: Scenes | None = None, protocol: Protocol = QUICK, **more) -> Finding:
    return next(v for v in audit(recipe, source or Scenes(), protocol, **more) if v.check == name)


@pytest.mark.parametrize("name", [name for name in recipes.names() if "@" not in name])
def test_every_corrected_recipe_is_sound(name: str) -> None:
    findings = audit(name, SOURCE, QUICK.override(epochs=3), MODELS[parse(name).heads])
    assert headline(findings) == f"audit: ok, {len(CHECKS)} checks"


@pytest.mark.parametrize("name", [name for name in recipes.names() if "@" in name])
def test_no_published_recipe_is(name: str) -> None:
    findings = audit(name, SOURCE, QUICK)
    assert any(finding.grade != "ok" for finding in findings)
    for finding in findings:
        assert bool(finding.advice) == (finding.grade != "ok")


@pytest.mark.parametrize("protocol", ["standard", "full"])
def test_every_protocol_is_sound(protocol: str) -> None:
    findings = audit("bce_ssim", SOURCE, find_protocol(protocol), "unet[width=4]")
    assert headline(findings) == f"audit: ok, {len(CHECKS)} checks"


@pytest.mark.parametrize("level", ["none", "flip", "standard", "crop + rotate + hue + noise + blur + dropout + jpeg"])
def test_every_augmentation_is_sound(level: str) -> None:
    assert check("augmentation", protocol=QUICK.override(augmentation=level)).grade == "ok"


def test_it_costs_less_than_a_few_steps() -> None:
    """Beside training steps of the budget's own size, so that a busy machine slows down both."""
    key = "smp/unet/resnet34"
    model, images = models.build(key), torch.rand(2, QUICK.stages[0].batch, 3, QUICK.size, QUICK.size)
    costs = []
    for _ in range(3):
        began = time.process_time()
        audit("bce_ssim", Synthetic(), QUICK, key)
        between = time.process_time()
        for _ in range(4):
            prediction = model(*images)
            (prediction.mask_logits.sum() + prediction.depth_logits.sum()).backward()
        costs.append((between - began) / (time.process_time() - between))
        if costs[-1] < 1.5:
            break
    assert min(costs) < 1.5, costs


def test_it_leaves_no_trace() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    told = Told()
    first = audit("bce", SOURCE, QUICK, "unet[width=4]", progress=told)
    assert told.words == [f"audit: {finding.check}" for finding in first]
    assert torch.equal(torch.rand(3), expected)
    assert audit("bce", SOURCE, QUICK, "unet[width=4]") == first


@pytest.mark.parametrize(
    ("term", "name"),
    [
        ("on_logits", "activation"),
        ("on_logits", "optimum"),
        ("no_floor", "bounded"),
        ("blind", "saturated"),
        ("not_finite_when_empty", "degenerate"),
        ("raises", "floor"),
        ("charbonnier", "degenerate"),
    ],
)
def test_faults_in_a_user_term(term: str, name: str) -> None:
    source = Scenes(holes=0.3)
    found = check(name, f"mask: bce + {MINE}:{term}, depth: {MINE}:{term}", source)
    assert found.grade == "broken"
    if term != "raises":
        assert term in found.finding
    else:
        assert "KeyError" in found.finding


def test_a_sound_user_term() -> None:
    findings = audit(f"mask: bce, depth: {MINE}:sound", Scenes(holes=0.3), QUICK)
    assert headline(findings) == f"audit: ok, {len(CHECKS)} checks"


def test_unknown_depth_that_counts_is_a_warning_where_all_is_known() -> None:
    assert check("degenerate", f"depth: {MINE}:charbonnier", Scenes()).grade == "warn"


@pytest.mark.parametrize("recipe", ["depth: gradient", "depth: ssi", "depth: silog[focus=1]", "depth: edge"])
def test_a_loss_that_is_blind_to_absolute_depth(recipe: str) -> None:
    found = check("optimum", recipe, SOURCE)
    assert found.grade == "broken"
    assert "does not pin it down" in found.finding


def test_depth_that_no_term_sees() -> None:
    found = check("coverage", "mask: bce, depth: ssim", Scenes(holes=0.5))
    assert found.grade == "ok"  # one clean edge leaves windows everywhere
    source = Scenes()
    whole = source.scenes

    def with_sensor_holes(part, ids, size):
        quartet = whole(part, ids, size)
        quartet.valid[..., ::8, ::8] = 0  # no window of 11 is without a hole
        return quartet

    source.scenes = with_sensor_holes
    found = check("coverage", "mask: bce, depth: ssim", source)
    assert found.grade == "warn"
    assert found.numbers["depth"] == 1
    assert check("coverage", "mask: bce, depth: ssim + l1", source).grade == "ok"


def test_unknown_rims_of_masks_are_not_left_out_by_the_loss() -> None:
    source = Scenes()
    whole = source.scenes

    def with_rims(part, ids, size):
        quartet = whole(part, ids, size)
        known = torch.ones_like(quartet.mask)
        known[..., ::4, :] = 0
        return replace(quartet, mask_valid=known)

    source.scenes = with_rims
    found = check("coverage", "mask: bce + dice", source)
    assert found.grade == "ok" and found.numbers["mask"] == 0


def test_a_head_that_the_data_has_no_truth_for_is_not_missed() -> None:
    source = Scenes()
    assert "depth head is not trained" in check("gradient", "mask: bce", source, model="unet[width=4]").finding
    whole = source.scenes
    source.scenes = lambda part, ids, size: replace(whole(part, ids, size), depth=None, valid=None)
    source.has_depth = False
    assert check("gradient", "mask: bce", source, model="unet[width=4]").grade == "ok"


@pytest.mark.parametrize(
    ("model", "grade", "text"),
    [
        (faulty.detached, "broken", "depth: the loss does not depend"),
        (faulty.spare, "warn", "spare.weight, spare.bias"),
    ],
)
def test_models_without_gradient(model, grade: str, text: str) -> None:
    found = check("gradient", "bce", model=model)
    assert found.grade == grade
    assert text in found.finding


def test_a_term_that_is_flat_where_the_model_begins() -> None:
    found = check("gradient", "mask: bce, depth: dssim", model="unet[width=4]", source=SOURCE)
    assert found.grade == "ok"
    assert found.numbers["depth_gradient"] > 0


def test_windows_and_models_that_need_the_size_of_the_protocol() -> None:
    findings = audit("mask: bce, depth: l1 + ssim[window=41]", SOURCE, QUICK, faulty.large_only)
    assert headline(findings) == f"audit: ok, {len(CHECKS)} checks"
    found = check("floor", "mask: bce, depth: ssim[window=63]", SOURCE, QUICK.override(size=48))
    assert found.grade == "broken"
    assert "window of 63" in found.finding


def test_a_head_that_is_not_trained() -> None:
    found = check("gradient", "mask: bce", model="unet[width=4]")
    assert found.grade == "warn"
    assert "depth head is not trained" in found.finding


def test_no_head_in_common() -> None:
    with pytest.raises(BenchError, match="nothing to train"):
        audit("depth: l1", Scenes(), QUICK, "unet_mask")


@pytest.mark.parametrize(
    ("changes", "text"), [({"train_samples": 8, "batch": 32}, "no full batch"), ({"epochs": 0}, "no epoch")]
)
def test_budgets_without_a_step(changes: dict[str, int], text: str) -> None:
    found = check("schedule", protocol=QUICK.override(**changes))
    assert found.grade == "broken"
    assert text in found.finding


@pytest.mark.parametrize("augmentation", [faulty.targets_too, faulty.holes_stay])
def test_augmentations_that_part_what_belongs_together(augmentation) -> None:
    assert check("augmentation", augmentation=augmentation).grade == "broken"


@pytest.mark.parametrize(
    ("mean", "std", "text"), [(0.05, 0.22, "standardised"), (0, 1 / 255, "not divided"), (0, 255, "twice")]
)
def test_scaling_of_the_data(mean: float, std: float, text: str) -> None:
    found = check("targets", source=Scenes(mean=mean, std=std))
    assert found.grade == "broken"
    assert text in found.finding


def test_empty_masks() -> None:
    found = check("targets", source=Scenes(mask=0.0))
    assert found.grade == "broken"
    assert "every mask is empty" in found.finding


def test_a_metric_that_is_constant_and_one_that_is_right() -> None:
    nothing = faulty.mine("nothing", lambda view: torch.zeros(len(view)))
    assert check("metric_direction", metrics={**default_metrics(), **nothing}).grade == "warn"
    right = faulty.mine("mae", lambda view: view.mean(view.error))
    assert check("metric_direction", metrics=right).grade == "ok"


def test_a_metric_that_prefers_a_constant() -> None:
    found = check("metric_constant", metrics=faulty.mine("spread", lambda view: view.depth.flatten(1).std(1)))
    assert found.grade == "broken"


def test_the_worst_comes_first() -> None:
    from bench.core.finding import Fault

    finding = conclude("x", [Fault("warn", "a", "1"), Fault("broken", "b", "2")], "fine", {"n": float("nan"), "m": 1.0})
    assert (finding.grade, finding.finding, finding.advice, finding.numbers) == ("broken", "b; a", "2; 1", {"m": 1.0})
    assert headline([finding, conclude("y", [], "fine")]) == "audit: broken: x, 2 checks"

"""The smp family: what is measured at build, what is left out, and what is refused, with which words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import segmentation_models_pytorch as smp
import timm
import torch
from torch import nn

from registry.contract import Model
from registry.errors import BadParameter, RegistryError, UnknownName
from registry.models import models
from registry.models import smp as family
from registry.models.smp.probe import drop_unused, stages, takes, trace

ENCODERS = {"dpt": "tu-vit_tiny_patch16_224"}


@pytest.mark.parametrize("architecture", family.architectures())
@torch.no_grad()
def test_every_architecture_answers_at_its_stride(architecture: str) -> None:
    model = models.build(f"smp/{architecture}/{ENCODERS.get(architecture, 'resnet18')}").eval()
    assert 4 <= len(model.blocks()) <= 12
    image = torch.rand(1, 3, model.stride, 2 * model.stride)
    prediction = model(image, image)
    assert prediction.mask_logits.shape == prediction.depth_logits.shape == (1, 1, *image.shape[-2:])


def test_same_network_as_smp_builds_from_the_same_seed() -> None:
    torch.manual_seed(5)
    theirs = smp.create_model("unet", "resnet18", None, in_channels=6, classes=2).eval()
    state = torch.get_rng_state()
    torch.manual_seed(5)
    ours = models.build("smp/unet/resnet18").eval()
    assert torch.equal(torch.get_rng_state(), state)
    bg, bg_fg = torch.rand(2, 2, 3, 32, 64)
    with torch.no_grad():
        expected, prediction = theirs(torch.cat([bg, bg_fg], 1)), ours(bg, bg_fg)
    assert torch.equal(torch.cat([prediction.mask_logits, prediction.depth_logits], 1), expected)
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in theirs.parameters())
    assert ours.training is False and all(p.grad is None for p in ours.parameters())


def test_resnet_unet_is_the_family_member() -> None:
    names, stride = list(models.build("resnet_unet").blocks()), models.build("smp/unet/resnet34").stride
    assert names[:5] == ["encoder.stem", "encoder.layer1", "encoder.layer2", "encoder.layer3", "encoder.layer4"]
    assert names[-1] == "head" and stride == 16


def test_weights_that_never_run_are_left_out() -> None:
    theirs = smp.create_model("pspnet", "resnet18", None, in_channels=6, classes=2)
    ours = models.build("smp/pspnet/resnet18")
    dead = sum(p.numel() for layer in (theirs.encoder.layer3, theirs.encoder.layer4) for p in layer.parameters())
    total = sum(p.numel() for p in theirs.parameters())
    assert dead > 0.8 * total
    assert sum(p.numel() for p in ours.parameters()) == total - dead


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("smp/unett/resnet18", "did you mean unet"),
        ("smp/unet/resnet19", "did you mean resnet18"),
        ("smp/unet/tu-mobilenetv3_smal_100", "tu-mobilenetv3_small_100"),
    ],
)
def test_unknown_names_suggest_near_ones(key: str, words: str) -> None:
    with pytest.raises(UnknownName, match=words):
        models.build(key)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("smp/unet", "smp/<architecture>/<encoder>"),
        ("smp/linknet/mit_b0", "not supported for Linknet"),
        ("smp/dpt/resnet18", "Only Timm encoders"),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_reason(key: str, words: str) -> None:
    with pytest.raises(RegistryError, match=words):
        models.build(key)


def test_weights_that_never_run_are_counted_in_a_note() -> None:
    theirs = smp.create_model("pspnet", "resnet18", None, in_channels=6, classes=2)
    ours = models.build("smp/pspnet/resnet18")
    left_out = sum(p.numel() for p in theirs.parameters()) - sum(p.numel() for p in ours.parameters())
    assert ours.notes == (f"{left_out:,} parameters that smp builds and never runs are left out",)
    assert models.build("smp/unet/resnet18").notes == ()


def test_pretrained_weights_without_a_network_name_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> str:
        raise OSError("Name or service not known\nmore")

    monkeypatch.setattr(smp.encoders, "hf_hub_download", offline)
    with pytest.raises(RegistryError, match=r"(?s)'imagenet'.*service not known\..*HF_HOME.*leave weights out"):
        models.build("smp/unet/resnet18[weights=imagenet]")
    assert models.canonical("smp/unet/resnet18[weights=none]") == "smp/unet/resnet18"


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("smp/unet/resnet18[weights=nonsense]", "one of imagenet, ssl, swsl, not 'nonsense'"),
        ("smp/unet/tu-resnet18[weights=nonsense]", "one of a1_in1k, a2_in1k, .*tv_in1k, not 'nonsense'"),
        ("smp/unet/tu-resnet18[weights=imagenet]", "one of a1_in1k"),
        ("smp/unet/tu-resnet18[weights=true]", "one of a1_in1k"),
        ("resnet_unet[weights=nonsense]", "one of imagenet"),
        ("smp/unet/tu-test_efficientnet_ln[weights=x]", "one of r160_in1k"),
    ],
)
def test_weights_that_there_are_not_are_refused_when_the_key_is_read(key: str, names: str) -> None:
    with pytest.raises(BadParameter, match=names):
        models.resolve(key)


def test_a_builder_called_from_python_refuses_them_too() -> None:
    with pytest.raises(UnknownName, match="did you mean a1_in1k"):
        family.build("unet", "tu-resnet18", "a1_in1")
    with pytest.raises(RegistryError, match=r"write the encoder as tu-resnet18\[weights=a1_in1k\]"):
        models.build("smp/unet/tu-resnet18.a1_in1k")


MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def _first_input(model: Model, first: nn.Module, bg: torch.Tensor, bg_fg: torch.Tensor) -> torch.Tensor:
    """What the encoder's first convolution gets."""
    got: list[torch.Tensor] = []
    hook = first.register_forward_pre_hook(lambda _module, inputs: got.append(inputs[0]))
    with torch.no_grad():
        model.eval()(bg, bg_fg)
    hook.remove()
    return got[0]


@pytest.mark.parametrize(
    ("prepared", "expected"),
    [
        ({"mean": MEAN, "std": STD}, lambda rgb: (rgb - torch.tensor(MEAN)) / torch.tensor(STD)),
        (
            {"mean": MEAN, "std": STD, "input_space": "BGR", "input_range": [0, 255]},
            lambda rgb: (255 * rgb.flip(-1) - torch.tensor(MEAN)) / torch.tensor(STD),
        ),
        ({"mean": [0.5] * 3, "std": [0.5] * 3, "input_range": [0, 1]}, lambda rgb: 2 * rgb - 1),
    ],
)
def test_pretrained_weights_arrive_and_get_the_images_they_know(
    prepared: dict[str, Any], expected: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With a stand-in for the download: smp's own filters over six channels, and its own normalisation."""
    state = smp.encoders.get_encoder("resnet18", weights=None).state_dict()
    (tmp_path / "config.json").write_text(json.dumps(prepared))
    monkeypatch.setattr(smp.encoders, "hf_hub_download", lambda *_, **__: str(tmp_path / "config.json"))
    monkeypatch.setattr(smp.encoders, "load_file", lambda *_, **__: state)
    model = models.build("smp/unet/resnet18[weights=imagenet]")
    encoder = model.net.encoder
    assert torch.equal(encoder.layer3[0].conv1.weight, state["layer3.0.conv1.weight"])
    torch.testing.assert_close(encoder.conv1.weight, state["conv1.weight"].repeat(1, 2, 1, 1) / 2)
    bg, bg_fg = torch.rand(2, 1, 3, 32, 32)
    got = _first_input(model, encoder.conv1, bg, bg_fg)
    pair = torch.cat([expected(image.movedim(1, -1)).movedim(-1, 1) for image in (bg, bg_fg)], 1)
    torch.testing.assert_close(got, pair, rtol=1e-4, atol=1e-4)
    (note,) = model.notes
    assert "weights imagenet" in note and "normalised" in note and "made from three channels" in note
    assert model.state_dict().keys() == models.build("smp/unet/resnet18").state_dict().keys()


def test_random_weights_get_the_photographs_as_they_are() -> None:
    model = models.build("smp/unet/resnet18")
    bg, bg_fg = torch.rand(2, 1, 3, 32, 32)
    assert torch.equal(_first_input(model, model.net.encoder.conv1, bg, bg_fg), torch.cat([bg, bg_fg], 1))


@pytest.mark.parametrize("tag", ["a1_in1k", "fb_swsl_ig1b_ft_in1k"])
def test_a_timm_tag_chooses_its_weights(tag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    state, repositories = timm.create_model("resnet18").state_dict(), []

    def load(repository: str, *_: Any, **__: Any) -> dict[str, torch.Tensor]:
        repositories.append(repository)
        return dict(state)

    monkeypatch.setattr(timm.models._builder, "load_state_dict_from_hf", load)
    model = models.build(f"smp/unet/tu-resnet18[weights={tag}]")
    assert repositories == [f"timm/resnet18.{tag}"]
    first = model.net.encoder.model.conv1
    torch.testing.assert_close(first.weight, state["conv1.weight"].repeat(1, 2, 1, 1) / 2)
    bg, bg_fg = torch.rand(2, 1, 3, 32, 32)
    cfg = timm.models.get_pretrained_cfg(f"resnet18.{tag}")
    mean, std = (torch.tensor(values).view(1, 3, 1, 1).repeat(1, 2, 1, 1) for values in (cfg.mean, cfg.std))
    expected = (torch.cat([bg, bg_fg], 1) - mean) / std
    torch.testing.assert_close(_first_input(model, first, bg, bg_fg), expected, rtol=1e-4, atol=1e-4)
    assert tag in model.notes[0]


class Foreign(nn.Module):
    """Calls three of its stages, uses one weight without calling its module, and never uses the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Module()
        self.encoder.first, self.encoder.second = nn.Conv2d(6, 4, 1), nn.BatchNorm2d(4)
        self.encoder.late = nn.ModuleList([nn.Sequential(nn.Conv2d(4, 4, 1)), nn.Sequential(nn.Conv2d(4, 4, 1))])
        self.encoder.dead = nn.Sequential(nn.Conv2d(4, 4, 3))
        self.wasted = nn.Conv2d(4, 4, 1)
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[-1] == 8:
            raise ZeroDivisionError("any error at all")
        x = self.encoder.second(self.encoder.first(x))
        for late in self.encoder.late:
            x = late(x)
        self.wasted(x)
        return nn.functional.conv2d(x, self.head.weight)[..., : x.shape[-1] if x.shape[-1] != 12 else 6]


def test_probe_of_a_foreign_network() -> None:
    net = Foreign().train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    run = trace(net, (2, 6, 4, 4))
    assert run is not None
    late = [f"encoder.late.{i}{inner}" for i in range(2) for inner in ("", ".0")]
    assert run.called == ("encoder.first", "encoder.second", *late, "wasted")
    assert run.uses("encoder.first") and run.uses("head") and not run.uses("encoder.dead") and not run.uses("wasted")
    assert trace(net, (2, 6, 8, 8)) is None and trace(net, (2, 6, 12, 12)) is None
    assert takes(net, (2, 6, 4, 4)) and not takes(net, (2, 6, 8, 8)) and not takes(net, (2, 6, 12, 12))
    assert net.training and all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert stages(net, "encoder", run, at_most=8) == {
        "encoder.stem": ["encoder.first", "encoder.second"],
        "encoder.late.0": ["encoder.late.0"],
        "encoder.late.1": ["encoder.late.1"],
    }
    assert stages(net, "encoder", run, at_most=2) == {
        "encoder.first..late.0": ["encoder.first", "encoder.second", "encoder.late.0"],
        "encoder.late.1": ["encoder.late.1"],
    }
    drop_unused(net, run)
    assert not list(net.encoder.dead.parameters())
    frozen = {name for name, p in net.named_parameters() if not p.requires_grad}
    assert frozen == {"wasted.weight", "wasted.bias", "head.bias"}

"""The smp family: what is measured at build, what is left out, and what is refused, with which words."""

from __future__ import annotations

from typing import Any

import pytest
import segmentation_models_pytorch as smp
import torch
from torch import nn

from registry.errors import RegistryError, UnknownName
from registry.models import models
from registry.models import smp as family
from registry.models._probe import drop_unused, stages, takes, trace

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


def test_pretrained_weights_without_a_network_name_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> str:
        raise OSError("Name or service not known\nmore")

    monkeypatch.setattr(smp.encoders, "hf_hub_download", offline)
    with pytest.raises(RegistryError, match=r"(?s)'imagenet'.*service not known\..*HF_HOME.*leave weights out"):
        models.build("smp/unet/resnet18[weights=imagenet]")
    with pytest.raises(RegistryError, match=r"nonsense.*Available options are.*imagenet"):
        models.build("smp/unet/resnet18[weights=nonsense]")
    assert models.canonical("smp/unet/resnet18[weights=none]") == "smp/unet/resnet18"


def test_pretrained_weights_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in for the download, the encoder's first filters are smp's 3-channel ones spread over six."""
    state = smp.encoders.get_encoder("resnet18", weights=None).state_dict()
    monkeypatch.setattr(smp.encoders, "hf_hub_download", lambda *_, **__: "somewhere")
    monkeypatch.setattr(smp.encoders, "load_file", lambda *_, **__: state)
    net = models.build("smp/unet/resnet18[weights=imagenet]").net
    assert torch.equal(net.encoder.layer3[0].conv1.weight, state["layer3.0.conv1.weight"])
    torch.testing.assert_close(net.encoder.conv1.weight[:, 3:], state["conv1.weight"] / 2)


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

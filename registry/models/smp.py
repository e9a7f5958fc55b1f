"""Every architecture of segmentation_models_pytorch on every encoder of its own or of timm, by name.

``smp/<architecture>/<encoder>``; timm's encoders start with ``tu-``. Nothing is written per combination: the sizes
that a network takes, its dead weights and its stages are found by running it once without memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import segmentation_models_pytorch as smp
import timm
import torch
from torch import Tensor, nn

from registry.contract import Model, Prediction
from registry.errors import RegistryError, UnknownName
from registry.models import models
from registry.models._probe import Trace, drop_unused, stages, takes, trace
from registry.registry import Entry

_STRIDES = (16, 32, 64, 128, 224, 256)
_MULTIPLES = ((1, 1), (3, 2), (5, 7))
# What timm's transformers want to be told before they take other sizes than the one they were trained at.
_ANY_SIZE: tuple[Mapping[str, Any], ...] = ({}, {"dynamic_img_size": True}, {"strict_img_size": False})
_LISTING = "python -c 'from registry.models import smp; print(*smp.{}())'"


def architectures() -> list[str]:
    """The names that may stand after ``smp/``."""
    return sorted(smp.MODEL_ARCHITECTURES_MAPPING)


def encoders() -> list[str]:
    """The names that may stand after the architecture: smp's own and, with ``tu-`` before them, timm's."""
    return sorted([*smp.encoders.get_encoder_names(), *(f"tu-{name}" for name in timm.list_models())])


class SmpNet(Model):
    """A network of segmentation_models_pytorch over six channels, with two output channels: mask and depth.

    Weights that smp builds and never runs (the deepest stages under ``pspnet``, say) are left out.

    Attributes:
        stride: measured, the smallest of 16, 32, 64 ... whose multiples the network takes and gives back.
    """

    def __init__(self, net: nn.Module, stride: int, run: Trace) -> None:
        super().__init__()
        drop_unused(net, run)
        self.net = net
        self.stride = stride
        self._blocks = {
            **stages(net, "encoder", run, at_most=8),
            **stages(net, "decoder", run, at_most=3),
            "head": ["segmentation_head"],
        }

    def predict(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """Both images (B, 3, H, W) in [0, 1] to mask and depth logits (B, 1, H, W)."""
        logits = self.net(torch.cat([bg, bg_fg], dim=1))
        return Prediction(logits[:, :1], logits[:, 1:])

    def blocks(self) -> dict[str, list[nn.Module]]:
        """The encoder's stages (for ResNets: stem, layer1 to layer4), up to three parts of the decoder, head."""
        return {name: [self.net.get_submodule(path) for path in paths] for name, paths in self._blocks.items()}


def build(architecture: str, encoder: str, weights: str | None = None) -> SmpNet:
    """Build one combination.

    Args:
        architecture: one of `architectures`.
        encoder: one of `encoders`.
        weights: None for random initialisation, else the name of pretrained encoder weights (``imagenet``).

    Raises:
        UnknownName: there is no such architecture or encoder.
        RegistryError: they do not go together, or the weights cannot be had.
    """
    _check(architecture, encoder)
    refusals: list[str] = []
    for options in _ANY_SIZE if encoder.startswith("tu-") else _ANY_SIZE[:1]:
        try:
            net: nn.Module = smp.create_model(architecture, encoder, None, in_channels=6, classes=2, **options)
        except Exception as error:  # smp and timm refuse a combination with whatever they stumble over
            refusals.append(str(error))
            continue
        measured = _measure(net)
        if measured is not None:
            return SmpNet(net if weights is None else _pretrained(architecture, encoder, weights, options), *measured)
        refusals.append(f"it takes fixed sizes only, not every multiple of any of {_STRIDES}")
    raise RegistryError(f"smp cannot serve {architecture!r} on encoder {encoder!r}: {refusals[0]}")


def entry(rest: str) -> Entry[Model]:
    """The registry entry of ``smp/<rest>``.

    Raises:
        UnknownName: there is no such architecture or encoder; the nearest names are in the message.
        RegistryError: ``rest`` is not ``architecture/encoder``.
    """
    architecture, slash, encoder = rest.partition("/")
    if not slash or not encoder:
        raise RegistryError(f"cannot read 'smp/{rest}': write it as smp/<architecture>/<encoder>")
    _check(architecture, encoder)

    def build_smp(weights: str | None = None) -> Model:
        return build(architecture, encoder, weights)

    build_smp.__doc__ = f"{architecture} of segmentation_models_pytorch on encoder {encoder}, six channels in."
    return Entry(f"smp/{rest}", build_smp, {"heads": ("mask", "depth"), "source": "segmentation_models_pytorch"})


@models.register(stride=16, heads=("mask", "depth"), source="segmentation_models_pytorch")
def resnet_unet(weights: str | None = None) -> SmpNet:
    """`smp/unet/resnet34`: U-Net on a ResNet-34 encoder."""
    return build("unet", "resnet34", weights)


def _check(architecture: str, encoder: str) -> None:
    if architecture not in smp.MODEL_ARCHITECTURES_MAPPING:
        raise UnknownName("smp architecture", architecture, architectures(), _LISTING.format("architectures"))
    known = timm.is_model(encoder[3:]) if encoder.startswith("tu-") else encoder in smp.encoders.get_encoder_names()
    if not known:
        raise UnknownName("smp encoder", encoder, encoders(), _LISTING.format("encoders"))


def _measure(net: nn.Module) -> tuple[int, Trace] | None:
    """The smallest stride whose multiples ``net`` takes, and a run of it; None if there is none."""
    for stride in _STRIDES:
        if all(takes(net, (2, 6, high * stride, wide * stride)) for high, wide in _MULTIPLES):
            run = trace(net, (2, 6, stride, stride))
            if run is not None:
                return stride, run
    return None


def _pretrained(architecture: str, encoder: str, weights: str, options: Mapping[str, Any]) -> nn.Module:
    wanted: str | bool = True if encoder.startswith("tu-") else weights
    try:
        net: nn.Module = smp.create_model(architecture, encoder, wanted, in_channels=6, classes=2, **options)
    except Exception as error:  # no network, no such weights, no such file: the reason is in the message
        reason = str(error).partition("\n")[0]
        raise RegistryError(
            f"cannot get pretrained weights {weights!r} for encoder {encoder!r}: {reason}. They are downloaded "
            "from huggingface.co: build it once with a network (they are then kept in HF_HOME), or leave weights out "
            "for random initialisation"
        ) from error
    return net

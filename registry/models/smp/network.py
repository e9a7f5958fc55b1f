"""Every architecture of segmentation_models_pytorch on every encoder of its own or of timm, by name.

``smp/<architecture>/<encoder>``; timm's encoders start with ``tu-``. Nothing is written per combination: the sizes
that a network takes, its dead weights and its stages are found by running it once without memory.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Literal

import segmentation_models_pytorch as smp
import timm
import torch
from torch import Tensor, nn

from registry.contract import Model, Prediction
from registry.errors import RegistryError, UnknownName
from registry.models import models
from registry.models.smp.pretrained import Normalise, preprocessing, smp_names, weight_names
from registry.models.smp.probe import Trace, drop_unused, stages, takes, trace
from registry.registry import Entry

_STRIDES = (16, 32, 64, 128, 224, 256)
_MULTIPLES = ((1, 1), (3, 2), (5, 7))
# Options with which timm's transformers take other sizes than they were trained at.
_ANY_SIZE: tuple[Mapping[str, Any], ...] = ({}, {"dynamic_img_size": True}, {"strict_img_size": False})
_LISTING = "python -c 'from registry.models import smp; print(*smp.{}())'"


def architectures() -> list[str]:
    """The names that may stand after ``smp/``."""
    return sorted(smp.MODEL_ARCHITECTURES_MAPPING)


@functools.cache
def encoders() -> list[str]:
    """The names that may stand after the architecture: smp's own and, with ``tu-`` before them, timm's."""
    return sorted([*smp.encoders.get_encoder_names(), *(f"tu-{name}" for name in timm.list_models())])


def members() -> list[str]:
    """What may stand after ``smp/``: every architecture with every encoder, whether they go together or not."""
    return [f"{architecture}/{encoder}" for architecture in architectures() for encoder in encoders()]


class SmpNet(Model):
    """A network of segmentation_models_pytorch over six channels, with two output channels: mask and depth.

    Weights that smp builds and never runs (the deepest stages under ``pspnet``, say) are left out, and its `notes` say
    how many.

    Attributes:
        stride: measured, the smallest of 16, 32, 64 ... whose multiples the network takes and gives back.
        normalise: what brings the photographs to the form that pretrained weights were trained on; else nothing.
    """

    def __init__(self, net: nn.Module, stride: int, run: Trace) -> None:
        super().__init__()
        dead = drop_unused(net, run)
        if dead:
            self.notes = (f"{dead:,} parameters that smp builds and never runs are left out",)
        self.net = net
        self.normalise: nn.Module = nn.Identity()
        self.stride = stride
        self._blocks = {
            **stages(net, "encoder", run, at_most=8),
            **stages(net, "decoder", run, at_most=3),
            "head": ["segmentation_head"],
        }

    def predict(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """Both images (B, 3, H, W) in [0, 1] to mask and depth logits (B, 1, H, W)."""
        logits = self.net(self.normalise(torch.cat([bg, bg_fg], dim=1)))
        return Prediction(logits[:, :1], logits[:, 1:])

    def blocks(self) -> dict[str, list[nn.Module]]:
        """The encoder's stages (for ResNets: stem, layer1 to layer4), up to three parts of the decoder, head."""
        return {name: [self.net.get_submodule(path) for path in paths] for name, paths in self._blocks.items()}


def build(architecture: str, encoder: str, weights: str | None = None) -> SmpNet:
    """Build a network.

    Args:
        architecture: one of `architectures`.
        encoder: one of `encoders`.
        weights: None for random initialisation, else one of `weight_names`: the encoder's first convolution is made
            from three channels as smp does it (each filter twice, at half its size), and gets images normalised as
            those that the weights were trained on.

    Raises:
        UnknownName: no architecture, encoder or weights of that name.
        RegistryError: they do not go together, or the weights cannot be had.
    """
    _check(architecture, encoder)
    if weights is not None and weights not in weight_names(encoder):
        listing = f"timm.list_pretrained({encoder[3:]!r})" if encoder.startswith("tu-") else "smp.encoders.encoders"
        raise UnknownName(f"pretrained weights of encoder {encoder}", weights, weight_names(encoder), listing)
    refusals: list[str] = []
    for options in _ANY_SIZE if encoder.startswith("tu-") else _ANY_SIZE[:1]:
        try:
            net: nn.Module = smp.create_model(architecture, encoder, None, in_channels=6, classes=2, **options)
        except Exception as error:  # smp and timm refuse a combination with whatever they stumble over
            refusals.append(str(error))
            continue
        measured = _measure(net)
        if measured is not None:
            if weights is None:
                return SmpNet(net, *measured)
            return _pretrained(architecture, encoder, weights, options, *measured)
        refusals.append(f"it takes fixed sizes only, not every multiple of any of {_STRIDES}")
    raise RegistryError(f"smp cannot serve {architecture!r} on encoder {encoder!r}: {refusals[0]}")


def entry(rest: str) -> Entry[Model]:
    """The registry entry of ``smp/<rest>``.

    Raises:
        UnknownName: no architecture or encoder of that name; the nearest names are in the message.
        RegistryError: ``rest`` is not ``architecture/encoder``.
    """
    architecture, slash, encoder = rest.partition("/")
    if not slash or not encoder:
        raise RegistryError(f"cannot read 'smp/{rest}': write it as smp/<architecture>/<encoder>")
    _check(architecture, encoder)

    def _build_smp(weights: str | None = None) -> Model:
        return build(architecture, encoder, weights)

    # The names of weights are checked where the key is read, like any parameter's choices.
    names = weight_names(encoder)
    _build_smp.__annotations__["weights"] = Literal[tuple(names)] | None if names else None
    _build_smp.__doc__ = f"{architecture} of segmentation_models_pytorch on encoder {encoder}, six channels in."
    return Entry(f"smp/{rest}", _build_smp, {"heads": ("mask", "depth"), "source": "segmentation_models_pytorch"})


@models.register(stride=16, heads=("mask", "depth"), source="segmentation_models_pytorch")
def resnet_unet(weights: Literal["imagenet"] | None = None) -> SmpNet:
    """`smp/unet/resnet34`: U-Net on a ResNet-34 encoder."""
    return build("unet", "resnet34", weights)


def _check(architecture: str, encoder: str) -> None:
    if architecture not in smp.MODEL_ARCHITECTURES_MAPPING:
        raise UnknownName("smp architecture", architecture, architectures(), _LISTING.format("architectures"))
    if "." in encoder and encoder.partition(".")[0] in encoders():
        name, _, tag = encoder.partition(".")
        raise RegistryError(f"{tag!r} names weights: write the encoder as {name}[weights={tag}]")
    if encoder not in encoders():
        raise UnknownName("smp encoder", encoder, encoders(), _LISTING.format("encoders"))


def _measure(net: nn.Module) -> tuple[int, Trace] | None:
    """The smallest stride whose multiples ``net`` takes, and a run of it; None if no stride fits."""
    for stride in _STRIDES:
        if all(takes(net, (2, 6, high * stride, wide * stride)) for high, wide in _MULTIPLES):
            run = trace(net, (2, 6, stride, stride))
            if run is not None:
                return stride, run
    return None


def _pretrained(
    architecture: str, encoder: str, weights: str, options: Mapping[str, Any], stride: int, run: Trace
) -> SmpNet:
    name, wanted = smp_names(encoder, weights)
    try:
        net: nn.Module = smp.create_model(architecture, name, wanted, in_channels=6, classes=2, **options)
        before = preprocessing(encoder, weights)
    except Exception as error:  # no network, no such file: the reason is in the message
        reason = str(error).partition("\n")[0]
        raise RegistryError(
            f"cannot get pretrained weights {weights!r} for encoder {encoder!r}: {reason}. They are downloaded: build "
            "it once with a network (they are then kept in HF_HOME), or leave weights out for random initialisation"
        ) from error
    model = SmpNet(net, stride, run)
    model.normalise = Normalise(before["mean"], before["std"], before["input_range"], before["input_space"])
    model.notes += (
        f"encoder weights {weights}: photographs are normalised as theirs were ({_form(before)}), the first "
        "convolution is made from three channels",
    )
    return model


def _form(before: Mapping[str, Any]) -> str:
    mean, std = (" ".join(f"{value:g}" for value in before[name]) for name in ("mean", "std"))
    return (
        f"mean {mean}, std {std}, {before['input_space']} from {before['input_range'][0]} to {before['input_range'][1]}"
    )

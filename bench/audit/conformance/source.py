"""What every source of quartets must do, whatever it shows."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch

from bench.audit.conformance.check import NotApplicable, Violation, check, require
from bench.core.errors import BenchError
from bench.data.depth_units import encoding_fault
from bench.data.source import Source
from bench.data.split import FRACTIONS, Part
from registry.contract import Quartet

_SIDE = 32
_IDS = torch.tensor([0, 1, 2, 3, 7, 100, 5_000_000_011])
"""Samples of a batch, a number beyond 32 bits among them."""
_GROUPED = 600
_FACTS = ("kind", "encoding", "has_depth", "seed", "camera", "device")


@dataclass
class SourcePlugin:
    """A source under check.

    Attributes:
        name: what messages call it.
        open: opens the source, with the options it needs.
    """

    name: str
    open: Callable[[], Source]

    @cached_property
    def source(self) -> Source:
        """The source, opened once."""
        return self.open()

    @cached_property
    def batch(self) -> Quartet:
        """Training samples `_IDS`."""
        return self.source.render("train", _IDS, _SIDE)


@check("the loop, the page and the identity of a run read these")
def facts(plugin: SourcePlugin) -> None:
    """It is a Source with kind, encoding, has_depth, seed, camera and device, whose metric encoding says its metres."""
    source = plugin.source
    require(isinstance(source, Source), f"opens a {type(source).__name__}, which is no bench.data.source.Source")
    missing = [name for name in _FACTS if getattr(source, name, None) is None]
    require(not missing, f"it has no {', '.join(missing)}")
    fault = encoding_fault(source.encoding) if source.has_depth else None
    require(fault is None, fault or "")


@check("targets and images in [0, 1] are what every term and metric computes with")
def quartets(plugin: SourcePlugin) -> None:
    """Images and targets lie in [0, 1], float32, of the requested size, with depth as declared."""
    for size in (16, 24, 64):
        for part in FRACTIONS:
            quartet = plugin.source.render(part, _IDS[:3], size)
            where = f"in {part} samples at {size} px"
            try:
                quartet.check()
            except ValueError as error:
                raise Violation(f"{error} {where}") from error
            shape = tuple(quartet.bg_fg.shape)
            require(shape == (3, 3, size, size), f"bg_fg has shape {shape} {where}")
            wrong = [f"{name} is {tensor.dtype}" for name, tensor in quartet.tensors() if tensor.dtype != torch.float32]
            require(not wrong, f"{', '.join(wrong)}, not float32, {where}")
            for field, declared in (
                ("depth", plugin.source.has_depth),
                ("mask", plugin.source.has_mask),
                ("background", plugin.source.has_background),
            ):
                comes = getattr(quartet, "bg" if field == "background" else field) is not None
                require(comes == declared, f"has_{field} is not true to what comes {where}")


@check("caches, resumed runs and another batch size would see other samples under the same numbers")
def pure(plugin: SourcePlugin) -> None:
    """A sample is a function of its part and number alone: not of its batch, nor of what was rendered before."""
    again = plugin.source.render("train", _IDS.flip(0), _SIDE)
    reopened = plugin.open().render("train", _IDS, _SIDE)
    for name, tensor in plugin.batch.tensors():
        require(
            torch.equal(getattr(again, name).flip(0), tensor), f"{name} depends on the order of the batch, or on chance"
        )
        require(torch.equal(getattr(reopened, name), tensor), f"{name} differs when the source is opened anew")
        for i in (0, len(_IDS) - 1):
            alone = getattr(plugin.source.render("train", _IDS[i : i + 1], _SIDE), name)
            require(
                torch.equal(alone[0], tensor[i]), f"{name} of sample {int(_IDS[i])} alone differs from it in a batch"
            )


@check("the same pictures over and over teach nothing, and count as many test images as they are not")
def distinct(plugin: SourcePlugin) -> None:
    """Samples differ from each other, and those of a part from another's."""
    images = [tuple(image.flatten().tolist()) for image in plugin.batch.bg_fg]
    require(len(set(images)) > 1, f"all of {len(images)} training samples are the same picture")
    test = plugin.source.render("test", _IDS, _SIDE)
    require(not torch.equal(test.bg_fg, plugin.batch.bg_fg), "test samples are the training samples")


@check("a mask that is empty in every image cannot be learnt")
def masks(plugin: SourcePlugin) -> None:
    """Some object is to be found: masks are neither all empty nor all full."""
    quartet = plugin.source.render("train", torch.arange(32), _SIDE)
    if quartet.mask is None:
        raise NotApplicable("it has no masks")
    share = (quartet.mask > 0.5).float().mean((1, 2, 3))
    require(share.max() > 0, "all of 32 masks are empty")
    require(share.min() < 1, "all of 32 masks are full")


@check("intervals treat samples of the same group as alike, and a split by group rests on them")
def groups(plugin: SourcePlugin) -> None:
    """Each sample has a background group and an object group, whole numbers that do not change."""
    first, second = (plugin.source.groups("train", _IDS) for _ in range(2))
    require(len(first) == 2, f"groups gives {len(first)} tensors, not two")
    for name, numbers, again in zip(("background", "object"), first, second, strict=True):
        shape = tuple(numbers.shape)
        require(shape == (len(_IDS),), f"{name} groups have shape {shape}, not {(len(_IDS),)}")
        require(numbers.dtype == torch.int64, f"{name} groups are {numbers.dtype}, not int64")
        require(torch.equal(numbers, again), f"{name} groups change from call to call")


@check("a network that has been trained on the test backgrounds or objects is tested on its memory")
def disjoint(plugin: SourcePlugin) -> None:
    """No group stands in two parts, unless the description says that it leaks."""
    if plugin.source.describe().get("leaks"):
        raise NotApplicable("it says of itself that its parts share groups")
    ids = torch.arange(_GROUPED)
    held: dict[Part, tuple[set[int], set[int]]] = {}
    for part in FRACTIONS:
        backgrounds, objects = plugin.source.groups(part, ids)
        held[part] = set(backgrounds.tolist()), set(objects.tolist())
    for which, name in enumerate(("background", "object")):
        for first, other in itertools.combinations(held, 2):
            shared = held[first][which] & held[other][which]
            require(
                not shared, f"{first} and {other} share {len(shared)} {name} groups, such as {min(shared, default=0)}"
            )


@check("the description is what a record says of the data: equal descriptions must mean equal samples")
def description(plugin: SourcePlugin) -> None:
    """It describes itself as JSON, the same when opened anew."""
    try:
        first, second = (json.dumps(source.describe(), sort_keys=True) for source in (plugin.source, plugin.open()))
    except TypeError as error:
        raise Violation(f"describe() is not JSON: {error}") from error
    require(first == second, "describe() differs when the source is opened anew")
    missing = [name for name in ("kind", "camera", "encoding") if name not in plugin.source.describe()]
    require(not missing, f"describe() does not name {', '.join(missing)}")


@check("rendering moves to the device that trains")
def device(plugin: SourcePlugin) -> None:
    """Moved to a device it gives the same samples."""
    moved = plugin.source.to("cpu")
    require(moved.device == torch.device("cpu"), f"moved to the CPU its device is {moved.device}")
    for name, tensor in moved.render("train", _IDS, _SIDE).tensors():
        require(torch.equal(tensor, getattr(plugin.batch, name)), f"{name} differs after the move")


@check("a mistake in a size or a name must not end in pictures of something else")
def refusals(plugin: SourcePlugin) -> None:
    """A size that is no multiple of 8, and a part that does not exist, are refused."""
    for part, size, what in (("train", 63, "a size of 63"), ("tests", 32, "a part called 'tests'")):
        try:
            plugin.source.render(part, _IDS[:1], size)  # type: ignore[arg-type]
        except BenchError:
            continue
        raise Violation(f"{what} is not refused")


CHECKS = (facts, quartets, pure, distinct, masks, groups, disjoint, description, device, refusals)
"""In the order in which they are made."""

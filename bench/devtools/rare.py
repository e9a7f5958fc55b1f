"""What happens once in ten thousand samples: ``python -m bench.devtools.rare --count 1000000 --size 8``.

Renders many samples of the rendered rooms, or of folders, under every camera, augments each chunk by every operation in
turn, and counts what should never be: numbers that are not finite or leave [0, 1], masks that are empty or full, depth
that is not known where a source says so. Counts are kept in a file after every chunk, so that a sweep that was stopped
goes on; exit 1 if anything was found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from bench.core.files import replace
from bench.data.augment import augmentations
from bench.data.augment.pipeline import augment
from bench.data.camera import cameras
from bench.data.source import Source
from bench.data.sources import open_source
from bench.data.split import FRACTIONS, Part
from registry.contract import Quartet

KEPT = 8
"""Ids that are kept of each fault."""
_SEEN_FROM = 32
"""Side from which every figure is met by a ray: at 8 px a distant person may stand between two (4 of 10,000 do)."""


def is_ordinary(fault: str, size: int) -> bool:
    """Whether something is counted and yet no fault.

    An object may be turned or shifted out of the picture, and a slender object between the rays of a tiny picture.
    """
    return fault == "mask/empty after augmentation" or (fault == "mask/empty" and size < _SEEN_FROM)


def faults(quartet: Quartet, all_known: bool) -> Iterator[tuple[str, torch.Tensor]]:
    """Each kind of fault with the places in the batch that show it.

    Args:
        quartet: some samples.
        all_known: whether depth must be known everywhere.
    """
    for name, tensor in quartet.tensors():
        values = tensor.flatten(1)
        finite = values.isfinite().all(1)
        yield f"{name}/not finite", (~finite).nonzero()[:, 0]
        low, high = values.nan_to_num(0.5).aminmax(dim=1)
        yield f"{name}/outside [0, 1]", ((low < 0) | (high > 1)).nonzero()[:, 0]
    if quartet.mask is not None:
        area = quartet.mask.flatten(1)
        yield "mask/empty", (area.amax(1) == 0).nonzero()[:, 0]
        yield "mask/full", (area.amin(1) > 0.5).nonzero()[:, 0]
    if quartet.valid is not None:
        known = quartet.valid.flatten(1)
        yield "valid/neither 0 nor 1", ((known != 0) & (known != 1)).any(1).nonzero()[:, 0]
        if all_known:
            yield "depth/not known everywhere", (known < 1).any(1).nonzero()[:, 0]


class FaultCounts:
    """Counts of faults over the samples of a part of a source, kept in a file.

    Args:
        path: of the counts; those of an unfinished sweep of the same samples are taken up.
        source: what to render.
        part, size: which samples.
        with_augmentation: every operation is applied to each chunk, too.
    """

    def __init__(self, path: Path, source: Source, part: Part, size: int, with_augmentation: bool = True) -> None:
        self.path, self.source, self.part, self.size = path, source, part, size
        self.with_augmentation = with_augmentation
        self.done = 0
        self.found: dict[str, dict[str, Any]] = {}
        key = {"source": source.describe(), "part": part, "size": size, "augmented": with_augmentation}
        self._key = json.loads(json.dumps(key))
        if path.exists():
            before = json.loads(path.read_text())
            if before["key"] == self._key:
                self.done, self.found = before["done"], before["found"]

    def run(self, count: int, chunk: int) -> Mapping[str, dict[str, Any]]:
        """Faults by name, each with its ``count`` and some ``ids``, over the first ``count`` samples."""
        names = [name for name in augmentations.names() if name != "none"] if self.with_augmentation else []
        all_known = self.source.kind == "synthetic"
        while self.done < count:
            ids = torch.arange(self.done, min(count, self.done + chunk))
            quartet = self.source.render(self.part, ids, self.size)
            self._note("", quartet, ids, all_known)
            if names:
                name = names[(self.done // chunk) % len(names)]
                metric = self.source.has_metric_depth
                self._note(" after augmentation", augment(quartet, 0, 1, ids, name, metric), ids, False)
            self.done += len(ids)
            if not self.done // chunk % 16 or self.done >= count:
                state = {"key": self._key, "done": self.done, "found": self.found}
                replace(self.path, json.dumps(state, indent=1) + "\n")
        return self.found

    def _note(self, when: str, quartet: Quartet, ids: torch.Tensor, all_known: bool) -> None:
        for fault, places in faults(quartet, all_known):
            if len(places):
                entry = self.found.setdefault(fault + when, {"count": 0, "ids": []})
                entry["count"] += len(places)
                entry["ids"] = [*entry["ids"], *ids[places].tolist()][:KEPT]


def main(
    count: Annotated[int, typer.Option(min=1, help="Samples of each part and camera.")] = 10_000,
    size: Annotated[int, typer.Option(min=8, help="Side of the images, pixels.")] = 8,
    parts: Annotated[str, typer.Option(help="Parts, between commas.")] = ",".join(FRACTIONS),
    data: Annotated[str, typer.Option(help="Kind of source.")] = "synthetic",
    data_option: Annotated[list[str] | None, typer.Option(help="Its options, name=value.")] = None,
    folder: Annotated[Path, typer.Option(help="Where counts are kept.")] = Path("runs/rare"),
) -> None:
    """Count what should never be."""
    options = dict(text.split("=", 1) for text in data_option or [])
    wrong = 0
    for camera in cameras.names():
        source = open_source(data, camera=camera, **options)
        for part in FRACTIONS:
            if part not in parts.split(","):
                continue
            sweep = FaultCounts(folder / f"{data}_{camera}_{part}_{size}.json", source, part, size)
            found = sweep.run(count, max(64, source.chunk(size) // 4))
            print(f"{data}, {camera}, {part}, {size} px: {sweep.done:,} samples", flush=True)
            for fault, entry in sorted(found.items()):
                print(f"  {fault}: {entry['count']:,}, such as {entry['ids']}", flush=True)
                wrong += not is_ordinary(fault, size)
    raise typer.Exit(1 if wrong else 0)


if __name__ == "__main__":
    typer.run(main)

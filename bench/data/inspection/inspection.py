"""What a source's data is like, before it is used for training: counts, statistics, and what is likely wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from bench.core.amount import amount
from bench.core.finding import Fault, Finding, conclude
from bench.core.progress import Progress, no_progress
from bench.data.images.copies import Copied, copies_in_training
from bench.data.inspection.part_sizes import part_sizes
from bench.data.inspection.quartet_checks import alignment, duplicates_between_parts, fields, masks, misaligned
from bench.data.source import Source, join
from bench.data.split import FRACTIONS, Part
from registry.contract import Quartet

_AT_ONCE = 64
_SHARES = (0.0, 0.05, 0.5, 0.95, 1.0)
_BINS = 20
_UNREAD_PICTURES = (
    *(".heic", ".heif", ".avif", ".jxl", ".exr", ".psd", ".dng", ".raw", ".cr2", ".nef", ".h5", ".mat"),
    *(".mp4", ".avi", ".mov"),
)


@dataclass
class Inspection:
    """What was found.

    Attributes:
        source: the source's description.
        parts: of each part: its quartets (None for endless), those looked at, and backgrounds and objects in these (0
            where objects have no names).
        fields: mean and standard deviation of each channel of each field of the data; targets where they are known.
        coverage: least, 5th percentile, median, 95th and greatest share of a picture that its mask covers.
        depth: encoding, known share, median, and a histogram of twenty equal parts of [0, 1]; None without depth.
        sizes: how many files have which width x height, of stored pictures that were looked at.
        notes: what the source decided, in sentences.
        findings: what was checked.
        copies: each background or object (``what``) of a ``part`` with a near duplicate in train: its ``quartet`` and
            the one of training that it is ``like``, by number, and their files (``file``, ``like_file``; empty where
            the source has none).
        quartets: what was looked at, by part; not in the JSON.
        backgrounds: numbers of these quartets' backgrounds, (B,), by part; not in the JSON.
    """

    source: dict[str, Any]
    parts: dict[str, dict[str, Any]]
    fields: dict[str, dict[str, list[float]]]
    coverage: list[float] | None
    depth: dict[str, Any] | None
    sizes: dict[str, int]
    notes: list[str]
    findings: list[Finding]
    copies: list[dict[str, Any]] = field(default_factory=list)
    quartets: dict[Part, Quartet] = field(repr=False, default_factory=dict)
    backgrounds: dict[Part, Tensor] = field(repr=False, default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """All figures."""
        facts = {name: value for name, value in vars(self).items() if name not in ("quartets", "backgrounds")}
        return {**facts, "findings": [finding.model_dump() for finding in self.findings]}


def inspect(source: Source, samples: int = 256, size: int = 64, progress: Progress = no_progress) -> Inspection:
    """Look at quartets of every part, as a perfect and still camera shows them.

    Args:
        source: any.
        samples: of each part, at most.
        size: side, pixels.
        progress: called as quartets are made.

    Raises:
        BadData: files that cannot be used.
    """
    quartets: dict[Part, Quartet] = {}
    groups: dict[Part, tuple[Tensor, Tensor]] = {}
    names: dict[Part, dict[str, list[str]]] = {}
    parts: dict[str, dict[str, Any]] = {}
    for at, part in enumerate(FRACTIONS):
        total = source.count(part)
        ids = torch.arange(samples if total is None else min(samples, total))
        made = []
        with torch.no_grad():
            for some in torch.split(ids, _AT_ONCE):
                made.append(source.scenes(part, some.to(source.device), size).map(lambda image: image.cpu()))
                progress("looking at quartets", at * samples + int(some[-1]) + 1, len(FRACTIONS) * samples)
        quartets[part] = join(made)
        groups[part] = tuple(numbers.cpu() for numbers in source.groups(part, ids))  # type: ignore[assignment]
        names[part] = source.file_names(part, ids)
        background, item = (len(set(numbers.tolist())) for numbers in groups[part])
        named = item if source.names_objects else 0
        parts[part] = {"quartets": total, "looked_at": len(ids), "backgrounds": background, "objects": named}
    copied = list(copies_in_training(quartets, groups, source.names_objects))
    everything = join(list(quartets.values()))
    backgrounds = torch.cat([group[0] for group in groups.values()])
    return Inspection(
        source=source.describe(),
        parts=parts,
        fields=_statistics(everything),
        coverage=None if everything.mask is None else _coverage(everything.mask),
        depth=_depth(source, everything),
        sizes=_sizes(source),
        notes=list(source.notes),
        findings=[
            _reading(source),
            _files(source),
            part_sizes(source),
            fields(everything, backgrounds),
            alignment(everything, backgrounds),
            masks(everything, source.empty_share),
            duplicates_between_parts(copied, names),
        ],
        copies=[pair for found in copied for pair in _pairs(found, names)],
        quartets=quartets,
        backgrounds={part: group[0] for part, group in groups.items()},
    )


def suspicious(quartet: Quartet, count: int, backgrounds: Tensor | None = None) -> list[int]:
    """Samples that are worth looking at first: misaligned samples (see there), then those with the smallest masks."""
    chosen: list[int] = []
    found = misaligned(quartet, backgrounds)
    if found is not None:
        chosen += found[0].nonzero()[:, 0].tolist()
    if quartet.mask is not None:
        chosen += (quartet.mask > 0.5).float().mean((1, 2, 3)).argsort().tolist()
    return list(dict.fromkeys(chosen))[:count]


def _pairs(copied: Copied, names: Mapping[Part, Mapping[str, Sequence[str]]]) -> Iterator[dict[str, Any]]:
    for quartet, like in copied.copies:
        files = (names[part].get(copied.what) for part in (copied.part, "train"))
        file, like_file = (of[at] if of else "" for of, at in zip(files, (quartet, like), strict=True))
        yield {
            "what": copied.what,
            "part": copied.part,
            "quartet": quartet,
            "like": like,
            "file": file,
            "like_file": like_file,
        }


def _statistics(quartet: Quartet) -> dict[str, dict[str, list[float]]]:
    found = {}
    for name, tensor in quartet.tensors():
        if name in ("valid", "mask_valid"):
            continue
        target = quartet.target(name) if name in ("mask", "depth") else None
        values = tensor.transpose(0, 1).flatten(1).double()
        if target is not None and target.valid is not None:
            values = values[:, target.valid.flatten() > 0.5]
        if values.shape[1]:
            spread = values.std(1, correction=0)
            found[name] = {
                "mean": [round(v, 4) for v in values.mean(1).tolist()],
                "std": [round(v, 4) for v in spread.tolist()],
            }
    return found


def _coverage(mask: Tensor) -> list[float]:
    area = (mask > 0.5).float().mean((1, 2, 3))
    return [round(v, 5) for v in torch.quantile(area, torch.tensor(_SHARES)).tolist()]


def _depth(source: Source, quartet: Quartet) -> dict[str, Any] | None:
    if quartet.depth is None or quartet.valid is None:
        return None
    known = quartet.depth[quartet.valid > 0.5]
    counts = torch.histc(known, _BINS, 0, 1)
    return {
        "encoding": source.encoding,
        "known": round(float((quartet.valid > 0.5).float().mean()), 4),
        "median": round(float(known.median()), 4) if len(known) else None,
        "histogram": [round(share, 4) for share in (counts / max(1, len(known))).tolist()],
    }


def _sizes(source: Source) -> dict[str, int]:
    sizes = getattr(source, "picture_sizes", None)
    return {} if sizes is None else sizes()


def _reading(source: Source) -> Finding:
    """Warnings of the source itself, such as a doubtful depth unit."""
    faults = [
        Fault("warn", doubt, "mend the files, or say how they are read: --depth-unit, --depth-range")
        for doubt in source.warnings
    ]
    faults += [Fault("warn", doubt, "see docs/data.md, groups and splits") for doubt in source.group_warnings]
    faults += [Fault("warn", doubt, "see --mask-values and --foreground") for doubt in source.mask_warnings]
    return conclude("reading", faults, "no doubts")


def _files(source: Source) -> Finding:
    """Whether pictures are among the files that were not looked at."""
    ignored: dict[str, int] = getattr(source, "ignored", {})
    faults = [
        Fault("warn", f"not looked at: {amount(count, f'{suffix} file')}", "turn them into jpg or png")
        for suffix, count in sorted(ignored.items())
        if suffix in _UNREAD_PICTURES
    ]
    others = sum(ignored.values())
    skipped = len(getattr(source, "skipped", ()))
    if skipped:
        left_out = f"left out: {amount(skipped, 'file or quartet', 'files or quartets')}"
        faults.append(Fault("warn", left_out, "mend what the notes above name"))
    passed = f"{amount(others, 'other file')} not looked at" if others else "every file was looked at"
    return conclude("files", faults, passed)

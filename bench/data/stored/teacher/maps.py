"""A teacher's depth of every picture of a set: computed once, kept in a pack of its own, served at any size."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from bench.core.errors import BenchError
from bench.core.progress import Progress, no_progress
from bench.data.depth_units import DepthUnit
from bench.data.stored.decoding.depth_codes import decode_depth, encode_depth
from bench.data.stored.decoding.depth_format import DepthFormat
from bench.data.stored.packing.decoder import Decoder
from bench.data.stored.packing.pack import Field, Pack
from bench.data.stored.packing.threads import make_all
from bench.data.stored.teacher.teacher import Teacher

_BATCH = 16
_SIDES = 64, 384
"""Least and greatest side of a teacher's map, pixels."""
_SAMPLED = 64
_CODES = np.dtype("<u2")


class TeacherMaps:
    """Depth maps of a teacher.

    Args:
        teacher: the model.
        pack: whose samples have a field ``depth``.
        greatest: metres that become 1.0, of a teacher in metres.
    """

    def __init__(self, teacher: Teacher, pack: Pack, greatest: float) -> None:
        self.teacher, self._pack, self._greatest = teacher, pack, greatest

    @classmethod
    def open(cls, teacher: Teacher, folder: Path, identity: dict[str, Any], count: int, greatest: float) -> TeacherMaps:
        """The maps of a set, as far as they were computed.

        Args:
            teacher: the model.
            folder: of packs.
            identity: what decides the pictures; ``size`` is the side of the maps.
            count: quartets.
            greatest: metres that become 1.0.
        """
        side = identity["size"]
        fields = [Field("depth", _CODES.str, (side, side))]
        source = {**identity, "teacher": teacher.description, "greatest": greatest, "count": count}
        tables: dict[str, tuple[Sequence[Field], int]] = {"samples": (fields, count), "backgrounds": ([], 0)}
        return cls(teacher, Pack.open(folder, source, tables, {}), greatest)

    def fill(self, decoder: Decoder, pool: Executor, progress: Progress = no_progress) -> None:
        """Have the teacher predict what is lacking.

        Args:
            decoder: of the pictures, at the side of the maps.
            pool: threads that decode.
            progress: called after every batch.

        Raises:
            BadData: pictures that cannot be used.
            BenchError: the teacher fails, or predicts no depth maps; they cannot be kept.
        """
        table = self._pack.samples
        lacking = table.missing(np.arange(table.count))
        if len(lacking):
            self._pack.check_writable()
        done = table.count - len(lacking)
        for start in range(0, len(lacking), _BATCH):
            rows = lacking[start : start + _BATCH].tolist()
            pictures = np.stack(make_all(pool, decoder.photograph, rows))
            depths = self._predict(torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255)
            for row, depth in zip(rows, depths, strict=True):
                table.put(row, {"depth": encode_depth(self._normal(depth), _CODES)})
            done += len(rows)
            progress(f"depth by {self.teacher.name}", done, table.count)
        table.flush()

    def depth(self, row: int, size: int) -> npt.NDArray[np.float32]:
        """Depth of a picture, (size, size) in [0, 1], -1 where unknown."""
        values, known = decode_depth(self._pack.samples.get("depth", np.array([row]))[0])
        if len(values) == size:
            shown, weight = values, known
        else:
            shown, weight = (
                np.asarray(Image.fromarray(plane).resize((size, size), Image.Resampling.BILINEAR))
                for plane in (values, known)
            )
        inside = weight >= 0.5
        return np.where(inside, np.clip(shown / np.maximum(weight, 0.5), 0, 1), np.float32(-1)).astype(np.float32)

    def format(self) -> DepthFormat:
        """What the maps hold, as `find_depth_format` says it of files."""
        rows = np.unique(np.linspace(0, self._pack.samples.count - 1, _SAMPLED).astype(np.int64))
        values, known = decode_depth(self._pack.samples.get("depth", rows))
        inside = known > 0.5
        median = float(np.median(values[inside])) if inside.any() else 0.0
        by = f"predicted by {self.teacher.name} ({self.teacher.digest})"
        encoding = {
            "m": f"metric, 1.0 = {self._greatest:g} m, {by}",
            "unit": f"per image from least to greatest, {by}",
            "inverse": f"inverse, per image from farthest to nearest, {by}",
        }[self.teacher.unit]
        # A teacher in metres may leave holes; the range of the others is filled.
        is_metric = self.teacher.unit == "m"
        unit = DepthUnit("teacher", encoding, 1.0, holes=is_metric, per_metre=1 / self._greatest if is_metric else None)
        origin = "declared" if self.teacher.is_declared else "teacher"
        return DepthFormat(unit, None, float(inside.mean()), median, None, origin, "")

    def _predict(self, pictures: torch.Tensor) -> npt.NDArray[np.float32]:
        """(B, H, W), as the teacher says it."""
        name = self.teacher.name
        try:
            with torch.no_grad():
                found = self.teacher.predict(pictures)
        except Exception as error:  # of any kind: it is the user's code
            raise BenchError(f"the depth model {name} fails: {type(error).__name__}: {error}") from error
        try:
            depths = torch.as_tensor(found).detach().float().cpu()
        except (TypeError, ValueError, RuntimeError) as error:
            what = f"an object of type {type(found).__name__}"
            raise BenchError(f"the depth model {name} gives {what}, not a tensor (B, H, W)") from error
        if depths.ndim == 4 and depths.shape[1] == 1:
            depths = depths[:, 0]
        if depths.ndim != 3 or len(depths) != len(pictures):
            shape = tuple(torch.as_tensor(found).shape)
            raise BenchError(f"the depth model {name} gives {shape} for {len(pictures)} pictures, not (B, H, W)")
        if not torch.isfinite(depths).flatten(1).any(1).all():
            raise BenchError(f"the depth model {name} gives no finite depth for a picture")
        if depths.shape[-2:] != pictures.shape[-2:]:
            depths = torch.nn.functional.interpolate(
                depths[:, None], pictures.shape[-2:], mode="bilinear", align_corners=False
            )[:, 0]
        numbers: npt.NDArray[np.float32] = depths.numpy()
        return numbers

    def _normal(self, depth: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(H, W) in [0, 1], -1 where unknown."""
        finite = np.isfinite(depth)
        if self.teacher.unit == "m":
            inside = finite & (depth > 0) & (depth <= self._greatest)
            return np.where(inside, depth / self._greatest, np.float32(-1)).astype(np.float32)
        low, high = depth[finite].min(), depth[finite].max()
        scaled = (np.where(finite, depth, low) - low) / (high - low if high > low else 1)
        return np.where(finite, scaled, np.float32(-1)).astype(np.float32)


def map_side(shorter: int) -> int:
    """The side of the maps of pictures whose shorter side has so many pixels."""
    least, greatest = _SIDES
    return max(least, min(greatest, shorter // 32 * 32))

"""Any source written as files in any layout, in a folder or a zip; what was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from bench.core.errors import BenchError, CannotWrite
from bench.core.files import canonical_json, replace
from bench.core.progress import Progress, no_progress
from bench.data.source import Source
from bench.data.split import FRACTIONS, Part
from bench.data.stored.export.fields import box_of, fields_of, lost_fields, pixels_of
from bench.data.stored.export.numbering import Numbering, Written
from bench.data.stored.export.writers import Place, Writer, encode, find_writer
from bench.data.stored.packing.threads import decoding_threads

_AT_ONCE = 64
_PLAN, _LOG = "export.json", "export.log"


def export(
    source: Source,
    layout: str,
    count: int,
    out: Path,
    size: int = 224,
    part: str = "all",
    quality: int = 95,
    progress: Progress = no_progress,
) -> int:
    """Write quartets of a source.

    Args:
        source: any.
        layout: a key of `WRITERS`.
        count: how many; of a source that has fewer, all.
        out: a folder, or a file whose name ends in ``.zip``.
        size: side in pixels.
        part: train, val, test, or ``all`` in their usual shares.
        quality: of JPEG files.
        progress: called as files are written.

    Returns:
        How many quartets were written, those of an earlier attempt included.

    Raises:
        BenchError: a layout that cannot be written or has no numbers for so many; a folder that holds something else.
        CannotWrite: a file cannot be written; what is written stays for the next attempt.
    """
    check_export(layout, out, part)
    writer = find_writer(layout)
    is_zip = _is_zip(out)
    folder = out.with_name(out.name + ".part") if is_zip else out
    plan = {
        "layout": layout,
        "count": count,
        "size": size,
        "part": part,
        "quality": quality,
        "source": source.describe(),
    }
    samples = list(_samples(source, part, count))
    done = _begin(folder, canonical_json(plan))
    numbering = Numbering(done)
    with decoding_threads() as pool:
        for start in range(len(done), len(samples), _AT_ONCE):
            some = samples[start : start + _AT_ONCE]
            new = _write(source, writer, layout, some, size, quality, numbering, folder, pool)
            with _kept(folder / _LOG, folder), (folder / _LOG).open("a") as log:
                log.writelines(json.dumps(asdict(written)) + "\n" for written in new)
            done += new
            progress("writing files", min(start + _AT_ONCE, len(samples)), len(samples))
    with _kept(folder, folder):
        _write_tables(folder, layout, writer, done, ("bg",) if source.names_objects else ("bg", "fg"))
    _warn_of_loss(layout, done)
    if is_zip:
        with _kept(out, folder):
            _zip(folder, out)
    else:
        (folder / _LOG).unlink()
        (folder / _PLAN).unlink()
    return len(done)


@contextmanager
def _kept(path: Path, folder: Path) -> Iterator[None]:
    """Around what writes a file of an export; of an error of the system it says what is left.

    Raises:
        CannotWrite: the file cannot be written.
    """
    try:
        yield
    except OSError as error:
        said = CannotWrite.of(error.filename or str(path), error)
        raise CannotWrite(f"{said}; the same command goes on from what {folder} holds, or delete it") from error


def check_export(layout: str, out: Path, part: str = "all") -> None:
    """Refuse, before the source is opened, what can be refused without it; arguments as of `export`.

    Raises:
        BenchError: a layout that cannot be written, an unknown part, a zip that exists, a file in the folder's place.
    """
    find_writer(layout)
    if part != "all" and part not in FRACTIONS:
        raise BenchError(f"unknown part {part!r}; known: all, {', '.join(FRACTIONS)}")
    if _is_zip(out) and out.exists():
        raise BenchError(f"{out} exists already; remove it, or choose another name")
    if out.exists() and not _is_zip(out) and not out.is_dir():
        raise BenchError(f"{out} is a file: choose a folder, or a name that ends in .zip")


def _is_zip(out: Path) -> bool:
    return out.suffix.lower() == ".zip"


def _begin(folder: Path, plan: str) -> list[Written]:
    """What an earlier attempt wrote.

    Raises:
        BenchError: the folder holds something else.
    """
    if folder.exists() and any(folder.iterdir()):
        kept = folder / _PLAN
        if not kept.is_file() or kept.read_text().strip() != plan:
            raise BenchError(
                f"{folder} is not empty, and holds no unfinished export of this kind; choose another place"
            )
        if not (folder / _LOG).is_file():
            return []
        whole, _, _ = (folder / _LOG).read_text().rpartition("\n")  # a killed process may have left half a line
        replace(folder / _LOG, whole + "\n" if whole else "")
        return [Written.from_json(json.loads(line)) for line in whole.splitlines()]
    folder.mkdir(parents=True, exist_ok=True)
    replace(folder / _PLAN, plan + "\n")
    return []


def _samples(source: Source, part: str, count: int) -> Iterator[tuple[Part, int]]:
    """Which samples are written: of several parts in their usual shares; what one lacks others give."""
    parts: list[Part] = [name for name in FRACTIONS if part in ("all", name)]
    totals = {name: source.count(name) for name in parts}
    available = {name: count if total is None else total for name, total in totals.items()}
    wanted = {name: count if len(parts) == 1 else round(FRACTIONS[name] * count) for name in parts}
    taken = {name: min(wanted[name], available[name]) for name in parts}
    for name in (*reversed(parts), *parts):  # rounding leaves a few; the last part takes them, as ever
        missing = count - sum(taken.values())  # less than 0 where all shares were rounded up
        taken[name] += max(-taken[name], min(missing, available[name] - taken[name]))
    yield from ((name, i) for name in parts for i in range(taken[name]))


def _write(
    source: Source,
    writer: Writer,
    layout: str,
    samples: Sequence[tuple[Part, int]],
    size: int,
    quality: int,
    numbering: Numbering,
    folder: Path,
    pool: Executor,
) -> list[Written]:
    """Render and write some samples."""
    files: list[tuple[str, npt.NDArray[np.generic]]] = []
    written = []
    for part in FRACTIONS:
        ids = torch.tensor([i for name, i in samples if name == part], dtype=torch.int64)
        if not len(ids):
            continue
        quartet = source.render(part, ids, size)
        groups = source.groups(part, ids)
        for i in range(len(ids)):
            pixels = None if quartet.bg is None else pixels_of(quartet.bg[i])
            digest = f"group {groups[0][i]}" if pixels is None else hashlib.sha256(pixels.tobytes()).hexdigest()[:16]
            bg, new = numbering.background(digest)
            # Without names an object goes with its background, and so it is read again: as one group, not as two.
            fg = int(groups[1][i]) + 1 if source.names_objects else bg
            place = Place(bg, fg, numbering.next_of(bg, fg))
            writer.check(place, layout)
            if pixels is not None and new:
                files.append((writer.background(bg), pixels))
            names = writer.names(place)
            files += [(names[field], values) for field, values in fields_of(quartet, i, source, writer)]
            lost = lost_fields(quartet, i, writer.keeps_unknown(source.encoding))
            written.append(Written(place, digest, int(groups[0][i]), box_of(quartet, i), lost))
    for name in {str(Path(name).parent) for name, _ in files}:
        (folder / name).mkdir(parents=True, exist_ok=True)

    def save(file: tuple[str, npt.NDArray[np.generic]]) -> None:
        with _kept(folder / file[0], folder):
            (folder / file[0]).write_bytes(encode(file[1], file[0], quality))

    list(pool.map(save, files))
    return written


def _warn_of_loss(layout: str, done: Sequence[Written]) -> None:
    """Say what cannot be told any more from the files."""
    for field in ("mask", "depth"):
        count = sum(field in written.lost for written in done)
        if count:
            way = "; `pairs` keeps what is unknown of metric depth" if field == "depth" and layout != "pairs" else ""
            warnings.warn(
                f"{field} is unknown in places of {count:,} of {len(done):,} quartets; layout {layout} has no number "
                f"for that: they are written as 0, a {field} like any other{way}",
                stacklevel=3,
            )


def _write_tables(folder: Path, layout: str, writer: Writer, done: Sequence[Written], pools: Sequence[str]) -> None:
    """What belongs beside the pictures: groups of several backgrounds, and the lists of layout 004.

    Args:
        folder: of the export.
        layout: its name.
        writer: of that layout.
        done: what was written.
        pools: ``bg``, and ``fg`` where objects bear the numbers of their backgrounds.
    """
    groups: dict[int, int] = {}
    for written in done:
        groups.setdefault(written.place.bg, written.group)
    if len(set(groups.values())) < len(groups):
        lines = [f"{pool}\t{bg}\tscene{group}" for pool in pools for bg, group in sorted(groups.items())]
        replace(folder / "groups.txt", "\n".join(lines) + "\n")
    if layout == "004":
        rows, boxes = [], []
        for written in done:
            names = writer.names(written.place)
            stems = [writer.background(written.place.bg), *(names[field] for field in ("bg_fg", "mask", "depth"))]
            rows.append("\t".join(Path(stem).stem for stem in stems))
            boxes.append("\t".join((Path(names["bg_fg"]).name, *map(str, written.box))))
        replace(folder / "file_map.txt", "\n".join(rows) + "\n")
        replace(folder / "bbox.txt", "\n".join(boxes) + "\n")


def _zip(folder: Path, out: Path) -> None:
    """The folder as a zip, in one step; pictures are not packed a second time."""
    unfinished = out.with_name(f".{out.name}.tmp")
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive:
            for path in sorted(folder.rglob("*")):
                if path.is_file() and path.name not in (_LOG, _PLAN):
                    archive.write(path, path.relative_to(folder).as_posix())
        unfinished.replace(out)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    shutil.rmtree(folder)

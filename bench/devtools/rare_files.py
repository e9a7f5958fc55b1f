"""What decoding stored files never does, over random files: ``python -m bench.devtools.rare_files --count 1000000``.

A stored set is its files: its samples are rare where its files are. So a sweep of the source ``stored`` makes files, of
any size, pixel format, container, orientation and content, whole or cut short, and decodes each as photograph, mask or
depth under random options. A decoder either refuses a file with a reason (`BadFile`) or returns a square of the size it
was asked for, with values that its field can have. Whatever else happens is counted and named by its file's number,
from which the same file is made again; exit 1 if there was any.
"""

from __future__ import annotations

import io
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import typer
from PIL import Image

from bench.data.depth_units import DEPTH_UNITS, DepthFacts, for_type
from bench.data.images.colour_maps import NAMES as COLOUR_MAPS
from bench.data.stored.decoding import fields
from bench.data.stored.decoding.depth_codes import decode_depth, encode_depth
from bench.data.stored.decoding.fields import DecodeOptions
from bench.data.stored.decoding.images import BadFile
from bench.data.stored.decoding.mask_values import FOREGROUNDS, MaskValues
from bench.data.stored.decoding.placement import FITS

KEPT = 8
"""Numbers of files that are kept of each fault."""
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "I;16", "F")
CONTAINERS = {".png": "PNG", ".jpg": "JPEG", ".tif": "TIFF", ".bmp": "BMP", ".gif": "GIF", ".webp": "WEBP"}
NUMBERS = (".npy", ".pfm")
KINDS = (np.uint8, np.uint16, np.int32, np.float16, np.float32, np.float64, np.bool_)
_ORIENTATION = 0x0112
_EDGES = (0, 1, 3, 85, 127, 128, 170, 254, 255)
Pixels = npt.NDArray[Any]


class RandomFile(NamedTuple):
    """A file of the sweep: its content, a name with its suffix, and how it is made, for messages."""

    content: bytes
    name: str
    about: str


def random_file(number: int, largest: int = 40) -> RandomFile:
    """The file of that number; sides are 1 to ``largest`` pixels, one in eight is cut short."""
    draw = np.random.default_rng(number)
    width, height = (int(side) for side in draw.integers(1, largest, 2, endpoint=True))
    suffix = str(draw.choice([*CONTAINERS, *NUMBERS]))
    content, about = (_numbers if suffix in NUMBERS else _picture)(draw, suffix, width, height)
    if draw.random() < 0.125:
        content, about = content[: int(draw.integers(0, len(content)))], f"{about}, cut short"
    return RandomFile(content, f"file{number}{suffix}", f"{width}x{height} {about}")


def _values(draw: np.random.Generator, kind: Any, shape: tuple[int, ...]) -> Pixels:
    """Numbers of a type: any, few different, or all the same; floats with what is not finite now and then."""
    if np.dtype(kind).kind == "f":
        values = (draw.standard_normal(shape) * 10.0 ** draw.integers(-3, 6)).astype(np.float64)
        if draw.random() < 0.3:
            values[draw.random(shape) < 0.2] = draw.choice([np.nan, np.inf, -np.inf, 0.0])
        with np.errstate(over="ignore"):
            return values.astype(kind)
    most = 1 if kind == np.bool_ else np.iinfo(kind).max
    how = draw.random()
    if how < 0.2:
        return np.full(shape, draw.integers(0, most, endpoint=True)).astype(kind)
    if how < 0.6:
        return draw.choice(np.minimum(_EDGES, most), shape).astype(kind)
    return draw.integers(0, most, shape, endpoint=True).astype(kind)


def _numbers(draw: np.random.Generator, suffix: str, width: int, height: int) -> tuple[bytes, str]:
    if suffix == ".pfm":
        order = str(draw.choice(["<", ">"]))
        head = f"Pf\n{width} {height}\n{'-1' if order == '<' else '1'}\n".encode()
        return head + _values(draw, np.float32, (height, width)).astype(f"{order}f4").tobytes(), "pfm"
    kind = KINDS[draw.integers(len(KINDS))]
    file = io.BytesIO()
    np.save(file, _values(draw, kind, (height, width)))
    return file.getvalue(), f"npy of {np.dtype(kind).name}"


def _picture(draw: np.random.Generator, suffix: str, width: int, height: int) -> tuple[bytes, str]:
    mode = str(draw.choice(MODES))
    shape = (height, width)
    if mode in ("I", "I;16", "F"):
        kind = {"I": np.int32, "I;16": np.uint16, "F": np.float32}[mode]
        image = Image.fromarray(_values(draw, kind, shape))
    elif mode == "1":
        image = Image.fromarray(_values(draw, np.bool_, shape))
    else:
        bands = len(Image.new(mode, (1, 1)).getbands())
        pixels = _values(draw, np.uint8, (*shape, bands))
        if mode in ("L", "P"):
            image = Image.fromarray(pixels[..., 0])
            if mode == "P":  # colours by number, one of them transparent at times
                image = image.convert("P")
                image.putpalette(_values(draw, np.uint8, (768,)).tolist())
                if draw.random() < 0.5:
                    image.info["transparency"] = int(draw.integers(256))
        else:
            image = Image.merge(mode, [Image.fromarray(np.ascontiguousarray(pixels[..., b])) for b in range(bands)])
    how: dict[str, Any] = {"quality": int(draw.integers(1, 101))} if suffix in (".jpg", ".webp") else {}
    if draw.random() < 0.4:
        how["exif"] = Image.Exif()
        how["exif"][_ORIENTATION] = int(draw.integers(0, 10))
    file = io.BytesIO()
    try:
        image.save(file, CONTAINERS[suffix], **how)
    except (OSError, KeyError, ValueError, TypeError):  # a container without that pixel format
        file, mode = io.BytesIO(), "RGB"
        image.convert("L" if mode == "F" else "RGB").save(file, CONTAINERS[suffix])
    return file.getvalue(), f"{CONTAINERS[suffix]} of {mode}"


def random_options(number: int) -> DecodeOptions:
    """Options of decoding, of every kind, by a number."""
    draw = np.random.default_rng([number, 1])
    unit = DEPTH_UNITS[str(draw.choice(list(DEPTH_UNITS)))]
    if draw.random() < 0.2 and unit.per_metre:
        unit = unit.over(float(draw.random()), 1 + 80 * float(draw.random()))
    values = MaskValues((1, 255), (3, 85)) if draw.random() < 0.3 else None
    return DecodeOptions(
        fit=str(draw.choice(FITS)),
        foreground=str(draw.choice(FOREGROUNDS)),
        soft=bool(draw.random() < 0.3),
        values=values,
        unit=for_type(unit, DepthFacts("u2", 1.0, (0.0,) * 5)),
        colour_map=str(draw.choice(COLOUR_MAPS)) if unit.name == "colormap" else None,
    )


def faults(file: RandomFile, options: DecodeOptions, size: int, taken: Counter[str] | None = None) -> Iterator[str]:
    """What is wrong with a file as photograph, mask and depth: values that none of them can have, and other errors.

    Args:
        file, options, size: what is decoded, and how.
        taken: counts the fields as which the file was decoded.
    """
    for field, decode in (("photograph", _photograph), ("mask", _mask), ("depth", _depth), ("known", _known)):
        try:
            yield from (f"{field}: {fault}" for fault in decode(file, options, size))
            if taken is not None:
                taken[field] += 1
        except BadFile as error:
            if not str(error).strip():
                yield f"{field}: refused without a reason"
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            yield f"{field}: {type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}"


def _photograph(file: RandomFile, options: DecodeOptions, size: int) -> Iterator[str]:
    pixels, aspect = fields.photograph(file.content, size, options.fit)
    yield from _square(pixels, (size, size, 3), np.uint8, aspect)


def _mask(file: RandomFile, options: DecodeOptions, size: int) -> Iterator[str]:
    (mask, known), aspect = fields.mask(file.content, file.name, size, options)
    yield from _square(mask, (size, size), np.uint8, aspect)
    if not options.soft and not np.isin(mask, (0, 255)).all():
        yield "grey in a mask that is not soft"
    if known is not None:
        yield from _square(known, (size, size), np.uint8, aspect)
        if known.max() > 1:
            yield "known is neither 0 nor 1"
        elif mask[known == 0].any():
            yield "an object where nothing is known"


def _depth(file: RandomFile, options: DecodeOptions, size: int) -> Iterator[str]:
    values, aspect = fields.depth(file.content, file.name, size, options)
    yield from _square(values, (size, size), np.float32, aspect)
    known = values >= 0
    if not np.isfinite(values).all():
        yield "not finite"
    elif values.max(initial=0) > 1 or (values[~known] != -1).any():
        yield "outside [0, 1]"
    else:
        again, where = decode_depth(encode_depth(values, np.dtype(np.uint16)))
        if (where > 0).tolist() != known.tolist() or np.abs(again - values)[known].max(initial=0) > 1e-5:
            yield "not what its code says"


def _known(file: RandomFile, options: DecodeOptions, size: int) -> Iterator[str]:
    known, aspect = fields.known(file.content, file.name, size, options.fit)
    yield from _square(known, (size, size), np.bool_, aspect)


def _square(pixels: Pixels, shape: tuple[int, ...], kind: Any, aspect: float) -> Iterator[str]:
    if pixels.shape != shape or pixels.dtype != kind:
        yield f"{pixels.dtype} of shape {'x'.join(map(str, pixels.shape))}"
    if not 0 < aspect < np.inf:
        yield "no aspect"


class FileFaults:
    """Counts of faults over files of a sweep.

    Attributes:
        found: by fault, the numbers of the first files that show it.
        counts: by fault, how many do.
        taken: how often a file was decoded as each field, and not refused.
    """

    def __init__(self) -> None:
        self.found: dict[str, list[int]] = {}
        self.counts: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()

    def run(self, first: int, count: int, size: int, largest: int) -> FileFaults:
        """Decode files ``first`` to ``first + count`` in squares of ``size`` pixels."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # Pillow's, of files cut short
            for number in range(first, first + count):
                for fault in faults(random_file(number, largest), random_options(number), size, self.taken):
                    self.counts[fault] += 1
                    if len(self.found.setdefault(fault, [])) < KEPT:
                        self.found[fault].append(number)
        return self


def main(
    count: Annotated[int, typer.Option(min=1, help="Files.")] = 10_000,
    size: Annotated[int, typer.Option(min=8, help="Side of the squares, pixels.")] = 8,
    largest: Annotated[int, typer.Option(min=1, help="Largest side of the files, pixels.")] = 40,
    first: Annotated[int, typer.Option(min=0, help="Number of the first file.")] = 0,
) -> None:
    """Count what decoding never does."""
    swept = FileFaults()
    for begin in range(first, first + count, 10_000):
        swept.run(begin, min(10_000, first + count - begin), size, largest)
        print(
            f"{min(begin + 10_000, first + count) - first:,} files at {size} px: {swept.counts.total():,} faults",
            flush=True,
        )
    print("decoded as", ", ".join(f"{field} {times:,}" for field, times in swept.taken.items()))
    for fault, numbers in sorted(swept.found.items()):
        print(
            f"  {fault}: {swept.counts[fault]:,}, such as {random_file(numbers[0], largest).about}, numbers {numbers}"
        )
    raise typer.Exit(1 if swept.counts else 0)


if __name__ == "__main__":
    typer.run(main)

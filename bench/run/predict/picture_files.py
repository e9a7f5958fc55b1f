"""Which of a user's files are pictures, and which photograph of the background belongs to each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import BadData
from bench.data.images.file_names import printable, stem_of
from bench.data.images.files import SUFFIXES
from bench.data.stored.naming.patterns import Pattern, normal, parse_patterns

_COMPOSITE = re.compile(r"(?<![a-z])(?:bg[_-]?fg|fg[_-]?bg)(?![a-z])", re.IGNORECASE)
"""What names of composites hold; their backgrounds have ``bg`` in its place."""


@dataclass(frozen=True)
class PictureFile:
    """A picture to be predicted.

    Attributes:
        name: what is made of it begins with this.
        bg_fg: its file.
        bg: the file of its background, None without.
    """

    name: str
    bg_fg: Path
    bg: Path | None = None


@dataclass(frozen=True)
class PictureFiles:
    """What was found.

    Attributes:
        pictures: in the order of the files.
        problems: files that cannot be used, with the reason.
        ignored: files that are no images by their suffix.
    """

    pictures: Sequence[PictureFile]
    problems: Sequence[tuple[str, str]]
    ignored: int


def find_pictures(
    given: Iterable[Path], background: Path | None = None, patterns: str = "", paired: bool = True
) -> PictureFiles:
    """The pictures among files and folders, each with its background.

    A background is, in this order: the file that ``background`` names, or the file of the same stem in the folder that
    it names; what ``patterns`` pair by equal ids; the file of a composite's name with ``bg`` in the place of ``bg_fg``
    (or in a folder so called). A file that serves as a background is no picture.

    Args:
        given: files, and folders whose files are meant, not those of folders within; of a folder with folders ``bg``
            and ``bg_fg``, the files in these.
        background: a file or a folder.
        patterns: such as ``bg={scene}.jpg bg_fg={scene}_{n}.jpg``.
        paired: whether pictures need a background; without a background they are problems.

    Raises:
        BadData: no image files.
        BenchError: patterns that cannot be understood.
    """
    files, ignored = _listed(given)
    plates = _plates_of(files, background, parse_patterns(patterns) if patterns else ())
    used = {plate for plate in plates.values() if plate is not None}
    pictures: dict[str, PictureFile] = {}
    problems: list[tuple[str, str]] = []
    for path, plate in plates.items():
        name = stem_of(path)
        if path in used:
            continue
        if not path.exists():
            problems.append((printable(path), "no such file"))
        elif not path.is_file():
            problems.append((printable(path), "not a regular file"))
        elif name in pictures:
            problems.append((printable(path), f"another picture has this name: {printable(pictures[name].bg_fg)}"))
        elif paired and plate is None:
            problems.append((printable(path), "no photograph of its background"))
        elif plate is not None and not plate.is_file():  # opening a named pipe would wait for ever
            problems.append((printable(path), f"its background {printable(plate)} is not a regular file"))
        else:
            pictures[name] = PictureFile(name, path, plate)
    if not pictures and not problems:
        where = ", ".join(map(printable, given))
        if files:
            reason = f"none of its {len(files)} image files is a picture: all of them are backgrounds"
            if patterns:
                reason = f"none of its {len(files)} image files fits bg_fg in --files {patterns}"
            raise BadData([(where, f"{reason}; {printable(files[0])} is the first")])
        raise BadData([(where, f"holds no image files ({ignored} of other suffixes)")])
    return PictureFiles(list(pictures.values()), problems, ignored)


def _listed(given: Iterable[Path]) -> tuple[list[Path], int]:
    """All files with the suffix of an image, those of folders in alphabetical order, and the number of others."""
    files: list[Path] = []
    ignored = 0
    for path in given:
        if not path.is_dir():
            files.append(path)
            continue
        below = {child.name.lower(): child for child in path.iterdir() if child.is_dir()}
        folders = [below[name] for name in ("bg", "bg_fg") if name in below] if "bg_fg" in below else [path]
        for child in sorted(child for folder in folders for child in folder.iterdir()):
            if child.name.startswith(".") or child.is_dir():
                continue
            if child.suffix.lower() in SUFFIXES:
                files.append(child)
            else:
                ignored += 1
    return list(dict.fromkeys(files)), ignored


def _plates_of(files: Sequence[Path], background: Path | None, patterns: Sequence[Pattern]) -> dict[Path, Path | None]:
    """The background of every file that may be a picture."""
    if background is not None:
        if not background.exists():
            raise BadData([(printable(background), "no such file or folder (of backgrounds)")])
        if background.is_dir():
            stems = {stem_of(path): path for path in _listed([background])[0]}
            return {path: stems.get(stem_of(path)) for path in files}
        return {path: background for path in files if not path.exists() or not path.samefile(background)}
    return _by_pattern(files, patterns) if patterns else _by_name(files)


def _by_pattern(files: Sequence[Path], patterns: Sequence[Pattern]) -> dict[Path, Path | None]:
    plates: dict[frozenset[tuple[str, str]], Path] = {}
    pictures: dict[Path, dict[str, str]] = {}
    names = next((pattern.ids for pattern in patterns if pattern.field == "bg"), frozenset())
    for path in files:
        for pattern in patterns:  # the most particular first
            found = pattern.parse(stem_of(path), path.suffix.lower())
            if found is not None:
                ids = {name: normal(value) for name, value in found[1].items()}
                if pattern.field == "bg":
                    plates[frozenset(ids.items())] = path
                elif pattern.field == "bg_fg":
                    pictures[path] = ids
                break
    return {
        path: plates.get(frozenset((name, value) for name, value in ids.items() if name in names))
        for path, ids in pictures.items()
    }


def _by_name(files: Sequence[Path]) -> dict[Path, Path | None]:
    known = {(path.parent, stem_of(path).lower()): path for path in files}
    return {path: next((known[place] for place in _places(path) if place in known), None) for path in files}


def _places(path: Path) -> Iterator[tuple[Path, str]]:
    """Where the background of a composite may lie."""
    stem = stem_of(path).lower()
    folder = path.parent
    if _COMPOSITE.search(stem):
        yield folder, _COMPOSITE.sub("bg", stem)
    if _COMPOSITE.fullmatch(folder.name):
        yield folder.with_name("bg"), stem

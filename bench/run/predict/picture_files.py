"""Which of a user's files are pictures, and which photograph of the background belongs to each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core.amount import amount
from bench.core.errors import BadData, BenchError
from bench.data.images.file_names import printable, stem_of
from bench.data.stored.naming.patterns import Pattern, normal, parse_patterns
from bench.run.predict.listed_files import list_files

_COMPOSITE = re.compile(r"(?<![a-z])(?:bg[_-]?fg|fg[_-]?bg)(?![a-z])", re.IGNORECASE)
"""What names of composites hold; their backgrounds have ``bg`` in its place."""


@dataclass(frozen=True)
class PictureFile:
    """A picture to be predicted.

    Attributes:
        name: what is made of it begins with this; slashes are folders.
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
        unread: pictures whose background is not read, as the run looks at pictures alone.
    """

    pictures: Sequence[PictureFile]
    problems: Sequence[tuple[str, str]]
    ignored: int
    unread: int = 0


def find_pictures(
    given: Iterable[Path],
    background: Path | None = None,
    patterns: str = "",
    paired: bool = True,
    out: Path | None = None,
) -> PictureFiles:
    """The pictures among files and folders, each with its background.

    A background is, in this order: the file that ``background`` names, or the file of the same name, or stem, in the
    folder that it names; what ``patterns`` pair by equal ids; the file of a composite's name with ``bg`` in the place
    of ``bg_fg`` (or in a folder so called). A file that serves as a background is no picture.

    Args:
        given: files, and folders whose files are meant, those of folders within too; of a folder with folders ``bg``
            and ``bg_fg``, the files in these, unless ``patterns`` name folders.
        background: a file or a folder.
        patterns: such as ``bg={scene}.jpg bg_fg={scene}_{n}.jpg``; they may name the last folders of a path.
        paired: whether pictures need a background; without one they are problems. Else backgrounds are no pictures,
            and no picture has one.
        out: folder that predictions are written to, which is not read.

    Raises:
        BadData: no image files.
        BenchError: patterns that cannot be understood, or that stand beside a background.
    """
    given = list(given)
    if background is not None and patterns:
        raise BenchError("--bg and --files both say which background is a picture's: give one of them")
    parsed = parse_patterns(patterns) if patterns else ()
    but = [path for path in (out, background) if path is not None and path.is_dir()]
    listed = list_files(given, but, everything="/" in patterns)
    files = list(listed.names)
    plates = _plates_of(listed.names, background, parsed)
    used = {plate for plate in plates.values() if plate is not None}
    pictures: dict[str, PictureFile] = {}
    problems, unread = list(listed.problems), 0
    for path, plate in plates.items():
        name = listed.names[path]
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
        elif paired and plate is not None and not plate.is_file():  # opening a named pipe would wait for ever
            problems.append((printable(path), f"its background {printable(plate)} is not a regular file"))
        else:
            unread += not paired and plate is not None
            pictures[name] = PictureFile(name, path, plate if paired else None)
    if not pictures and not problems:
        where = ", ".join(map(printable, given))
        if files:
            reason = f"of its {amount(len(files), 'image file')} none is a picture: all are backgrounds"
            if patterns:
                reason = f"of its {amount(len(files), 'image file')} none fits bg_fg in --files {patterns}"
            raise BadData([(where, f"{reason}; {printable(files[0])} is the first")])
        raise BadData([(where, f"holds no image files ({listed.ignored} of other suffixes)")])
    return PictureFiles(list(pictures.values()), problems, listed.ignored, unread)


def _plates_of(
    names: Mapping[Path, str], background: Path | None, patterns: Sequence[Pattern]
) -> dict[Path, Path | None]:
    """The background of every file that may be a picture."""
    if background is not None:
        if not background.exists():
            raise BadData([(printable(background), "no such file or folder (of backgrounds)")])
        if background.is_dir():
            of = {name: path for path, name in list_files([background]).names.items()}
            return {path: of.get(name, of.get(stem_of(path))) for path, name in names.items()}
        return {path: background for path in names if not path.exists() or not path.samefile(background)}
    return _by_pattern(names, patterns) if patterns else _by_name(names)


def _by_pattern(files: Iterable[Path], patterns: Sequence[Pattern]) -> dict[Path, Path | None]:
    plates: dict[tuple[str, frozenset[tuple[str, str]]], Path] = {}
    pictures: dict[Path, tuple[str, dict[str, str]]] = {}
    shared = next((pattern.ids for pattern in patterns if pattern.field == "bg"), frozenset())
    for path in files:
        whole = (path.parent / stem_of(path)).as_posix()
        for pattern in patterns:  # the most particular first
            found = pattern.parse(whole, path.suffix.lower())
            if found is not None:
                ids = {name: normal(value) for name, value in found[1].items()}
                if pattern.field == "bg":
                    key = frozenset(ids.items())
                    plates[found[0], key] = plates["", key] = path
                elif pattern.field == "bg_fg":
                    pictures[path] = found[0], ids
                break

    def plate(folder: str, ids: Mapping[str, str]) -> Path | None:
        """The background of that folder with these ids, or that of any folder."""
        key = frozenset((name, value) for name, value in ids.items() if name in shared)
        return plates.get((folder, key), plates.get(("", key)))

    return {path: plate(*found) for path, found in pictures.items()}


def _by_name(files: Iterable[Path]) -> dict[Path, Path | None]:
    known = {(path.parent, stem_of(path).lower()): path for path in files}
    return {path: next((known[place] for place in _places(path) if place in known), None) for path in files}


def _places(path: Path) -> Iterator[tuple[Path, str]]:
    """Where the background of a composite may lie."""
    stem = stem_of(path).lower()
    folder = path.parent
    if _COMPOSITE.search(stem):
        yield folder, _COMPOSITE.sub("bg", stem)
    for above in (folder, *folder.parents):
        if _COMPOSITE.fullmatch(above.name):
            yield above.with_name("bg") / folder.relative_to(above), stem
            return

"""The image files among what a user names, also in folders within folders, each with the name of its predictions."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.data.images.file_names import printable, stem_of
from bench.data.images.files import SUFFIXES

_SET = ("bg", "bg_fg")
"""Of a folder with these folders nothing else is read."""


@dataclass
class ListedFiles:
    """What was found.

    Attributes:
        names: every file with the suffix of an image, with its name without suffix; of a file of a folder, the name
            below that folder, with slashes. Files of ``bg`` and ``bg_fg`` are named as if they lay beside these.
        problems: folders that cannot be listed, with the reason.
        ignored: files of other suffixes.
    """

    names: dict[Path, str] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)
    ignored: int = 0

    def add_folder(self, folder: Path, but: Sequence[Path], everything: bool) -> None:
        """All files of a folder and of the folders within it, in alphabetical order; hidden ones are left out.

        Args:
            folder: which.
            but: folders that are not entered.
            everything: whether folders beside ``bg`` and ``bg_fg`` are read, too.
        """
        self._add(folder, "", but, everything, frozenset())

    def _add(
        self, folder: Path, name: str, but: Sequence[Path], everything: bool, above: frozenset[tuple[int, int]]
    ) -> None:
        try:
            facts = folder.stat()
            children = sorted(child for child in folder.iterdir() if not child.name.startswith("."))
        except OSError as error:
            self.problems.append((printable(folder), f"cannot be listed: {error.strerror}"))
            return
        within = above | {(facts.st_dev, facts.st_ino)}
        below = {child.name.lower(): child for child in children if child.is_dir()}
        pair = [below[folder_name] for folder_name in _SET if folder_name in below] if "bg_fg" in below else []
        for child in children if everything or not pair else pair:
            if child.is_dir():
                own = (child.stat().st_dev, child.stat().st_ino)
                if own not in within and not any(_same(child, other) for other in but):
                    self._add(child, name if child in pair else f"{name}{_composed(child)}/", but, everything, within)
            elif child.suffix.lower() in SUFFIXES:
                self.names.setdefault(child, f"{name}{stem_of(child)}")
            else:
                self.ignored += 1


def list_files(given: Iterable[Path], but: Sequence[Path] = (), everything: bool = False) -> ListedFiles:
    """The files among what a user names.

    Args:
        given: files, and folders.
        but: folders within these that are not entered.
        everything: see `ListedFiles.add_folder`.
    """
    found = ListedFiles()
    for path in given:
        if path.is_dir():
            found.add_folder(path, but, everything)
        else:
            found.names.setdefault(path, stem_of(path))
    return found


def _composed(folder: Path) -> str:
    return unicodedata.normalize("NFC", folder.name)


def _same(path: Path, other: Path) -> bool:
    return other.exists() and path.samefile(other)

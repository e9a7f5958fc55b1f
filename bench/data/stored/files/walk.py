"""Every file below a folder, and the parts of file names."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

_REASONS = {errno.ELOOP: "a link in a loop", errno.ENOENT: "a link to nothing"}


def suffix_of(name: str) -> str:
    """The suffix of a file's name, in small letters with its dot; empty without one."""
    base = name[name.rfind("/") + 1 :]
    dot = base.rfind(".")
    return base[dot:].lower() if 0 < dot < len(base) - 1 else ""


def printable(name: str) -> str:
    """A name that every terminal and file can take: bytes that are no UTF-8 are escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


def walk(
    folder: Path, suffixes: Collection[str], problems: list[tuple[str, str]]
) -> Iterator[tuple[str, os.stat_result]]:
    """Every file below a folder with its facts; links are followed, but into no folder that is being walked already.

    Paths are texts: of a million files, objects would take most of the time.

    Args:
        folder: where to begin.
        suffixes: of files whose broken links are problems, as are those without a suffix that may be of a folder.
        problems: gets every folder that cannot be listed, and every broken link.
    """
    pending: list[tuple[str, frozenset[tuple[int, int]]]] = [(str(folder), frozenset())]
    while pending:
        place, above = pending.pop()
        try:
            facts = Path(place).stat()
            inside = {*above, (facts.st_dev, facts.st_ino)}
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError as error:
            problems.append((printable(place), f"cannot be listed: {error.strerror}"))
            continue
        for entry in entries:
            try:
                facts = entry.stat()
            except OSError as error:
                reason = _REASONS.get(error.errno or 0, f"cannot be read: {error.strerror}")
                suffix = suffix_of(entry.name)
                if suffix in suffixes or (not suffix and entry.name[0] != "." and error.errno != errno.ELOOP):
                    problems.append((printable(entry.path), reason))
                continue
            if not stat.S_ISDIR(facts.st_mode):
                yield entry.path, facts
            elif (facts.st_dev, facts.st_ino) not in inside:
                pending.append((entry.path, frozenset(inside)))

"""All files decoded once before anything begins: every bad file is named at once, and the content is digested."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

from bench.core.files import canonical_json, replace
from bench.core.progress import Progress, no_progress
from bench.data.stored.catalogue import Catalogue, QuartetFiles
from bench.data.stored.files.roots import File
from bench.data.stored.packing.pack import READ_ONLY
from bench.data.stored.packing.reader import Reader
from bench.data.stored.packing.threads import Problem

CHECKED = 20_000
"""Most quartets that are all decoded before anything begins; of more, damaged files are met when they are needed."""
CHECK_SIZE = 64

BadRows = dict[int, list[Problem]]
"""Problems by quartet; those of background ``n`` under -1 - n."""


def check_files(
    reader: Reader,
    catalogue: Catalogue,
    identity: Mapping[str, Any],
    kept: Path | None,
    checked: int = CHECKED,
    progress: Progress = no_progress,
) -> tuple[BadRows, str]:
    """What is wrong, and a digest of the content.

    Args:
        reader: of all quartets, at `CHECK_SIZE`.
        catalogue: the quartets.
        identity: what decides the outcome; a file that has not changed is not decoded again.
        kept: a folder where outcomes are kept; None for nowhere.
        checked: of more quartets, none is decoded here.
        progress: called as they are decoded.
    """
    key = hashlib.sha256(canonical_json(identity).encode()).hexdigest()[:16]
    path = None if kept is None else kept / f"checked-{key}.json"
    if path is not None and path.is_file():
        try:
            found = json.loads(path.read_text())
            for file, checksum in zip(_files(catalogue), found.get("checksums", ()), strict=False):
                catalogue.roots.note_checksum(file, checksum)
            return {int(row): [(a, b) for a, b in some] for row, some in found["bad"].items()}, str(found["content"])
        except (OSError, ValueError, KeyError):
            pass  # decoded again
    bad = reader.problems(progress) if len(catalogue.entries) <= checked else {}
    content = _digest(catalogue)
    if path is not None:
        checksums = [catalogue.roots.checksum(file) or 0 for file in _files(catalogue)]
        try:
            replace(path, json.dumps({"bad": bad, "content": content, "checksums": checksums}) + "\n")
        except OSError as error:
            if error.errno not in READ_ONLY:  # there all is checked anew every time
                raise
    return bad, content


def _digest(catalogue: Catalogue) -> str:
    """Of what is paired with what and of the files' content, where it was read; their lengths else."""
    digest = hashlib.sha256()
    for entry in catalogue.entries:
        for name, file in _files_of(entry):
            line = f"{name}\0{file.name}\0{file.size}\0{catalogue.roots.checksum(file)}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files(catalogue: Catalogue) -> list[File]:
    """All files of all quartets, in an order that is theirs: a background once for each of its quartets."""
    return [file for entry in catalogue.entries for _, file in _files_of(entry)]


def _files_of(entry: QuartetFiles) -> list[tuple[str, File]]:
    return sorted({"bg_fg": entry.image, **entry.partners}.items(), key=itemgetter(0))

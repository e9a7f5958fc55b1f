"""Files written in one step, and JSON in one spelling."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

from bench.core.errors import BenchError


def canonical_json(value: Any) -> str:
    """JSON in one spelling: keys sorted, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def replace(path: Path, text: str) -> None:
    """Put a text in a file's place in one step: a reader sees the old or the new, never a part.

    A link keeps being one: what it leads to is replaced. A file keeps its mode.

    Raises:
        BenchError: what lies there is no regular file (a device, a folder, a pipe): nothing is renamed over it.
    """
    place = path.resolve() if path.is_symlink() else path
    before = place.stat() if place.exists() else None
    if before is not None and not stat.S_ISREG(before.st_mode):
        raise BenchError(f"cannot write {path}: it is no regular file")
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(place, text)
    try:
        if before is not None:
            temporary.chmod(stat.S_IMODE(before.st_mode))
        temporary.replace(place)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def create(path: Path, text: str) -> bool:
    """Make a new file with all its text at once; False when the name is taken."""
    temporary = _temporary(path, text)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        if path.exists():
            return False
        temporary.replace(path)
        return True
    finally:
        temporary.unlink(missing_ok=True)
    return True


def _temporary(path: Path, text: str) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        Path(name).unlink()
        raise
    Path(name).chmod(0o644)
    return Path(name)

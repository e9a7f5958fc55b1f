"""What a process has imported, so that the process that forks the next ones can import it once."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Collection
from pathlib import Path

_PROJECT = ("bench", "registry")
_INSTALLED = Path(sysconfig.get_path("purelib"))


def libraries_since(before: Collection[str]) -> list[str]:
    """Modules imported since, of this project and of installed packages; a plug-in's own stay a run's.

    Args:
        before: names of the modules that were imported already.
    """
    found = []
    for name, module in [*sys.modules.items()]:
        path = getattr(module, "__file__", None)
        known = name.partition(".")[0] in _PROJECT or (path and Path(path).is_relative_to(_INSTALLED))
        if name not in before and known:
            found.append(name)
    return found

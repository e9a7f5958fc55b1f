"""Which code a run was made by: hashes over files."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from functools import cache
from pathlib import Path

_OWN = re.compile(r"([A-Za-z_][\w.]*):[A-Za-z_]")


@cache
def code_version(*names: str) -> str:
    """Twelve hex digits over the code: two runs with the same ran the same.

    Args:
        names: model keys and recipes; the files of a user's own ``module:function`` in them count too.
    """
    digest = hashlib.sha256(own_code(*names).encode())
    top = Path(__file__).parents[2]
    for package in ("bench", "registry"):
        for path in sorted((top / package).rglob("*.py")):
            digest.update(path.relative_to(top).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def own_code(*names: str) -> str:
    """Twelve hex digits over the files of a user's own ``module:function`` in model keys and recipes; "" for none."""
    digest = b""
    for module in sorted({found for name in names for found in _OWN.findall(name)}):
        spec = importlib.util.find_spec(module)
        if spec is not None and spec.origin is not None:
            content = digest + module.encode() + b"\0" + Path(spec.origin).read_bytes()
            digest = hashlib.sha256(content).digest()
    return digest.hex()[:12]

"""What opening a set with bad files says, and a set without them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.core.errors import BadData
from bench.data.stored.source import Stored

NAME = "bg_fg/bg001_fg001_01.png"


def refused(root, **parameters) -> dict[str, str]:
    """Problems by file name, the way a command would show them."""
    with pytest.raises(BadData) as caught:
        Stored(root, split="shared", **parameters)
    assert caught.value.exit_code == 3
    for name, reason in caught.value.problems:
        assert f"{name}: {reason}" in str(caught.value)
    return {Path(name.split(":")[-1]).name: reason for name, reason in caught.value.problems}


def skipping(root, **parameters) -> Stored:
    return Stored(root, split="shared", skip_bad=True, **parameters)

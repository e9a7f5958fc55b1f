"""Sets whose objects have no names, written and read again: no object is invented."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench.data.split import FRACTIONS
from bench.data.stored.export import export
from bench.data.stored.export.writers import WRITERS
from bench.data.stored.source import Stored
from tests.bench.data.stored.conftest import Folder


@pytest.mark.parametrize("layout", WRITERS)
@pytest.mark.parametrize("groups", ["", "bg\tbg001\thall\nbg\tbg002\thall\n"])
def test_they_go_with_their_backgrounds(tmp_path: Path, layout: str, groups: str) -> None:
    folder = Folder(tmp_path / "data", backgrounds=12, objects=1)
    for name in ("bg_fg", "mask", "depth"):
        for file in (folder.root / name).iterdir():
            file.rename(file.with_name(f"{file.name[:5]}.png"))
    (folder.root / "groups.txt").write_text(groups)
    source = Stored(folder.root, files="quartets", scenes="file", packed=None)
    assert not source.names_objects
    out = tmp_path / "out"
    assert export(source, layout, 12, out, size=48) == 12
    read = Stored(out, packed=None)
    assert not read.names_objects
    assert [read.count(part) for part in FRACTIONS] == [source.count(part) for part in FRACTIONS]
    parts = read.describe()["parts"].values()
    assert sum(part["backgrounds"] for part in parts) == (11 if groups else 12)
    shutil.rmtree(out)

"""Sets in several roots, or folders, that number alike."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.core.errors import BadData
from bench.data.stored.catalogue import Catalogue, read_catalogue
from bench.data.stored.source import Stored

LAYOUTS = {
    "folders": ("images/{n:04}.jpg", "masks/{n:04}.png"),
    "pairs": ("bg/bg0000{n}.png", "bg_fg/bg0000{n}_fg00001_001.png", "mask/bg0000{n}_fg00001_001.png"),
    "tum": ("rgb/{n}.000000.png", "depth/{n}.000000.png"),
}


def make(root: Path, layout: str, seed: int) -> Path:
    """Four quartets whose files are of the seed."""
    draw = np.random.default_rng(seed)
    for n in range(1, 5):
        for name in LAYOUTS[layout]:
            path = root / name.format(n=n)
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(draw.integers(0, 256, (16, 16), dtype=np.uint8)).save(path)
    return root


def zipped(root: Path) -> Path:
    with zipfile.ZipFile(f"{root}.zip", "w") as archive:
        for file in sorted(root.rglob("*")):
            archive.write(file, file.relative_to(root))
    return Path(f"{root}.zip")


def read(*roots: Path) -> Catalogue:
    return read_catalogue(roots, "auto", "none", "auto")


@pytest.mark.parametrize("kind", ["folders of one root", "roots", "zips"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_is_a_set_of_its_own(tmp_path: Path, layout: str, kind: str) -> None:
    sets = [make(tmp_path / "all" / name, layout, seed) for seed, name in enumerate("ab")]
    if kind == "zips":
        sets = [zipped(one) for one in sets]
    found = read(tmp_path / "all") if kind == "folders of one root" else read(*sets)
    assert (found.layout.name, found.problems, len(found.entries)) == (layout, [], 8)
    for entry in found.entries:
        whole = [(file.root, file.name.rpartition("/")[0].rpartition("/")[0]) for file in entry.partners.values()]
        assert set(whole) == {(entry.image.root, entry.image.name.rpartition("/")[0].rpartition("/")[0])}
    assert any("a set of its own" in note for note in found.notes) == (kind != "folders of one root")
    assert len({entry.background for entry in found.entries}) == (2 if layout == "tum" else 8)


def test_the_same_set_twice_is_no_second_set(tmp_path: Path) -> None:
    make(tmp_path / "a", "folders", 0)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert len(read(tmp_path / "a", tmp_path / "b").problems) == 8
    with pytest.raises(BadData, match=r"has the ids of(?s:.*)folder or root of its own, with all its fields"):
        Stored([tmp_path / "a", tmp_path / "b"], packed=None)


def test_roots_of_one_field_each_are_one_set(tmp_path: Path) -> None:
    make(tmp_path / "a", "pairs", 0)
    roots = []
    for name in ("bg", "bg_fg", "mask"):
        roots.append(tmp_path / f"only {name}")
        roots[-1].mkdir()
        (tmp_path / "a" / name).rename(roots[-1] / name)
    found = read(*roots)
    assert (found.problems, len(found.entries)) == ([], 4)


def test_a_background_in_two_other_folders_is_not_guessed(tmp_path: Path) -> None:
    make(tmp_path / "a", "pairs", 0)
    make(tmp_path / "b", "pairs", 1)
    shutil.rmtree(tmp_path / "b/bg_fg")
    (tmp_path / "a/bg_fg").rename(tmp_path / "bg_fg")
    assert any("has the ids of" in reason for _, reason in read(tmp_path).problems)

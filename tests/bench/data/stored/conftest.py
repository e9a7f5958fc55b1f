from __future__ import annotations

import itertools
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.data.source import Source
from bench.data.stored.source import Stored
from bench.data.synthetic.source import Synthetic

SIDE = 48


@pytest.fixture(scope="session")
def rooms() -> Source:
    """True quartets, whose bg and bg_fg are equal outside the mask."""
    return Synthetic(camera="still", rooms=12, figures=12)


class Folder:
    """A folder of quartets: ``backgrounds`` x ``objects`` x 1, and what one does to it.

    Background g is a ramp whose brightness says which it is; object o is a square of a colour of its own.
    """

    def __init__(self, root: Path, backgrounds: int = 4, objects: int = 4) -> None:
        self.root = root
        for g, o in itertools.product(range(1, backgrounds + 1), range(1, objects + 1)):
            bg, bg_fg, mask, depth = self.quartet(g, o)
            self.save(f"bg/bg{g:03}.png", bg)
            self.save(f"bg_fg/bg{g:03}_fg{o:03}_01.png", bg_fg)
            self.save(f"mask/bg{g:03}_fg{o:03}_01.png", mask)
            self.save(f"depth/bg{g:03}_fg{o:03}_01.png", depth)

    @staticmethod
    def quartet(g: int, o: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        y, x = np.mgrid[0:SIDE, 0:SIDE]
        bg = np.stack([20 * g + x, 20 * g + y, 120 - 10 * g + (x * g) % 40], -1).astype(np.uint8)
        mask = np.zeros((SIDE, SIDE), dtype=np.uint8)
        mask[8 + 2 * o : 28 + 2 * o, 10:26] = 255
        bg_fg = np.where(mask[..., None] > 0, np.array([250, 20 * o, 255 - 20 * o]), bg).astype(np.uint8)
        depth = (1500 + 40 * y + 100 * g + 0 * x).astype(np.uint16)
        depth[mask > 0] = 1200
        return bg, bg_fg, mask, depth

    def save(self, name: str, pixels: np.ndarray, **how) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path, **how)
        return path

    def zipped(self, path: Path, *folders: str) -> Path:
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(set(self.root.rglob("*")) - {path}):  # which may lie in the folder itself
                name = file.relative_to(self.root).as_posix()
                if file.is_file() and (not folders or name.split("/")[0] in folders):
                    archive.write(file, name)
        return path


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "data")


@pytest.fixture
def all_sets_are_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    """However small they are."""
    monkeypatch.setattr(Stored, "worth_packing", 1)

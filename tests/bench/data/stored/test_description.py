"""What decides the samples of a stored set is in its description: two readings of the same files are two data sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.data.stored.source import Stored

IDS = torch.arange(4)


def depths(source: Stored) -> torch.Tensor:
    quartet = source.render("train", IDS, 24)
    assert quartet.depth is not None and quartet.valid is not None
    return quartet.depth * quartet.valid


@pytest.mark.parametrize(
    "options",
    [
        {"depth_unit": "tum"},
        {"depth_unit": "m"},
        {"depth_scale": 2000.0},
        {"depth_range": (2.0, 10.0)},
        {"depth_range": (0.0, 4.0)},
        {"depth_unit": "inverse"},
    ],
)
def test_another_reading_of_depth_is_another_data_set(folder, options: dict[str, object]) -> None:
    """Several units have one encoding: corrected after a warning, a run must not count as done already."""
    usual, other = (Stored(folder.root, split="shared", packed=None, **some) for some in ({}, options))
    assert not torch.equal(depths(usual), depths(other))
    assert usual.describe() != other.describe()


def test_the_unit_that_would_have_been_guessed_changes_nothing(folder) -> None:
    usual, other = (Stored(folder.root, split="shared", packed=None, depth_unit=unit) for unit in ("auto", "mm"))
    assert torch.equal(depths(usual), depths(other))
    assert usual.describe() == other.describe()


def test_other_groups_are_another_data_set(folder) -> None:
    """Equal in number and of the same files, backgrounds and objects exchanged: another test part."""
    shape = "image=bg_fg/bg{%s}_fg{%s}_{n}.png mask=mask/bg{%s}_fg{%s}_{n}.png"
    sources = [
        Stored(folder.root, files=shape % (a, b, a, b), split="unseen-bg", packed=None)
        for a, b in (("bg", "fg"), ("fg", "bg"))
    ]
    rows = [source.rows("test", torch.arange(source.count("test"))).tolist() for source in sources]
    assert sorted(rows[0]) != sorted(rows[1])
    assert sources[0].describe() != sources[1].describe()


def test_a_table_of_groups_is_part_of_it(folder) -> None:
    found = [Stored(folder.root, split="unseen-bg", packed=None).describe()]
    for one, two in ((1, 2), (3, 4)):
        (folder.root / "groups.txt").write_text(f"bg\t{one}\tx\nbg\t{two}\tx\n")
        found.append(Stored(folder.root, split="unseen-bg", packed=None).describe())
    assert "grouping" not in found[0], "ids of sets without a table are as before"
    assert found[1]["parts"] == found[2]["parts"]
    assert found[1] != found[2]


def test_what_counts_as_a_scene_is_part_of_it(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    for name in (f"{letter}{n}" for letter in "abcd" for n in range(3)):
        for place in ("images", "masks"):
            (tmp_path / place).mkdir(exist_ok=True)
            pixels = draw.integers(0, 255, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels if place == "images" else (pixels[..., 0] > 99) * np.uint8(255)).save(
                tmp_path / place / f"{name}.png"
            )
    rules = [Stored(tmp_path, scenes=rule, packed=None).describe() for rule in ("file", "sequence")]
    assert rules[0] != rules[1]

"""Depth by a teacher: computed once, kept, marked; and what is wrong with a model is said."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core.errors import BadData, BenchError
from bench.data import depth_units
from bench.data.stored.source import Stored
from bench.data.stored.teacher import maps
from bench.data.stored.teacher.teacher import load_teacher

MODULE = """
import torch

calls = []

def brightness(pictures):
    calls.append(len(pictures))
    return pictures.mean(1)

def metres(pictures):
    return 20 * pictures.mean(1, keepdim=True)[..., ::2, ::2]

metres.depth_unit = "m"

def left_to_right(pictures):
    return torch.linspace(0, 1, pictures.shape[-1]).expand(len(pictures), pictures.shape[-2], -1)

left_to_right.depth_unit = "unit"

def fails(pictures):
    raise ValueError("out of order")

def flat(pictures):
    return pictures.mean((1, 2, 3))

def none(pictures):
    return None

def nothing(pictures):
    return pictures.mean(1) * float("nan")

def unit(pictures):
    return pictures.mean(1)

unit.depth_unit = "furlongs"
number = 3
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A user's module, and its calls."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code/my_teacher.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    monkeypatch.delitem(sys.modules, "my_teacher", raising=False)
    yield importlib.import_module("my_teacher")
    sys.modules.pop("my_teacher", None)


@pytest.fixture
def opened(folder, tmp_path: Path, module):
    def open_it(name: str = "brightness", **options) -> Stored:
        given = {"split": "shared", "packed": tmp_path / "packed", **options}
        return Stored(folder.root, depth_model=f"my_teacher:{name}", **given)

    return open_it


def test_it_predicts_once_and_is_kept(opened, module) -> None:
    source = opened()
    assert sum(module.calls) == 16, "each picture once"
    module.calls.clear()
    again = opened()
    quartets = [s.render("train", torch.arange(s.count("train")), 32) for s in (source, again)]
    assert not module.calls, "what is kept is not predicted again, at any size"
    again.render("test", torch.arange(1), 48)
    assert not module.calls
    assert torch.equal(quartets[0].depth, quartets[1].depth)


def test_what_it_says_is_what_is_served(opened) -> None:
    """Least to greatest of each picture; its depth files are left alone."""
    quartet = opened().render("train", torch.arange(4), 48)
    for i in range(4):
        bright = quartet.bg_fg[i].mean(0)
        expected = (bright - bright.min()) / (bright.max() - bright.min())
        # The maps are of 32 px, so that what is compared is blurred.
        assert (quartet.depth[i, 0] - expected).abs().mean() < 0.05
        assert quartet.valid[i].min() == 1
    ramp = opened("left_to_right").render("train", torch.arange(2), 64)
    assert torch.allclose(ramp.depth[0, 0, 5], torch.linspace(0, 1, 64), atol=0.02)


def test_it_marks_the_data(opened, folder, tmp_path: Path) -> None:
    source, files = opened(), Stored(folder.root, split="shared", packed=tmp_path / "packed")
    facts = source.describe()
    begin = "inverse, per image from farthest to nearest, predicted by my_teacher:brightness"
    assert facts["encoding"].startswith(begin)
    assert facts["teacher"]["name"] == "my_teacher:brightness"
    assert facts["teacher"]["digest"] in facts["encoding"]
    assert str(tmp_path) not in str(facts)
    assert source.encoding != files.encoding
    assert "teacher" not in files.describe()
    assert any("depth in teacher" in note for note in source.notes)
    assert source.facts()["depth"]["origin"] == "teacher"
    assert source.has_depth
    assert not source.has_metric_depth


def test_metres(opened) -> None:
    source = opened("metres")
    assert source.encoding.startswith("metric, 1.0 = 10 m, predicted by")
    quartet = source.render("train", torch.arange(4), 64)
    metres = 20 * quartet.bg_fg.mean(1, keepdim=True)
    far = (metres > 11).float()
    assert quartet.valid[far > 0].mean() < 0.2, "beyond the range nothing is known"
    near = (metres < 9) & (quartet.valid > 0)
    assert (10 * quartet.depth - metres)[near].abs().mean() < 0.6
    assert source.has_metric_depth and depth_units.metres(source.encoding) == 10
    median = source.facts()["depth"]["median"]
    assert any(f"median {median:.3f} ({10 * median:.2f} m)" in note for note in source.notes)
    further = opened("metres", depth_range="0 20")
    assert further.encoding.startswith("metric, 1.0 = 20 m")
    assert further.render("train", torch.arange(4), 64).valid.mean() > quartet.valid.mean()
    assert opened("metres", depth_unit="unit").encoding.startswith("per image from least")
    for declared, origin, words in ({}, "teacher", "as it says"), ({"depth_unit": "m"}, "declared", "as declared"):
        source = opened("metres", **declared)
        assert source.facts()["depth"]["origin"] == origin
        assert any(f"depth in teacher, {words}" in note for note in source.notes)


def test_pictures_alone_will_do(tmp_path: Path, module) -> None:
    for i in range(8):
        pixels = np.random.default_rng(i).integers(0, 255, (40, 56, 3), dtype=np.uint8)
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / f"photos/{'abcdefgh'[i]}.png")
    with pytest.raises(BadData, match="no known layout"):
        Stored(tmp_path / "photos")
    options = {"depth_model": "my_teacher:brightness", "packed": tmp_path / "packed"}
    source = Stored(tmp_path / "photos", **options)
    assert sum(source.count(part) for part in ("train", "val", "test")) == 8
    assert source.has_depth
    assert not source.has_mask
    padded = Stored(tmp_path / "photos", fit="pad", **options).render("train", torch.arange(1), 56)
    assert padded.valid[0, 0, 0].max() == 0, "beside the picture nothing is known"
    assert padded.valid[0, 0, 28].min() == 1


def test_what_was_stopped_goes_on(opened, module, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "_BATCH", 5)

    def stop(what: str, done: int, total: int) -> None:
        if what.startswith("depth by"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened(progress=stop)
    assert module.calls == [5]
    opened()
    assert module.calls == [5, 5, 5, 1]


def test_progress_is_told(folder, tmp_path: Path, module) -> None:
    steps: list[tuple[str, int, int]] = []
    Stored(
        folder.root,
        split="shared",
        packed=tmp_path / "packed",
        depth_model="my_teacher:brightness",
        progress=lambda *step: steps.append(step),
    )
    assert ("depth by my_teacher:brightness", 16, 16) in steps


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("my_teacher:fails", {}, "fails: ValueError: out of order"),
        ("my_teacher:flat", {}, r"gives \(16,\) for 16 pictures"),
        ("my_teacher:none", {}, "my_teacher:none gives an object of type NoneType, not a tensor"),
        ("my_teacher:nothing", {}, "no finite depth"),
        ("my_teacher:unit", {}, "furlongs"),
        ("my_teacher:number", {}, "not a function, but int"),
        ("my_teacher:missing", {}, "cannot be imported"),
        ("no_such_module_x:f", {}, "cannot be imported"),
        ("/nowhere/model", {}, "nothing is downloaded"),
        ("Intel/dpt-large", {}, "nothing is downloaded"),
        ("my_teacher:brightness", {"depth_unit": "mm"}, "--depth-unit mm"),
        ("my_teacher:brightness", {"depth_scale": 1000.0}, "--depth-scale is of depth files"),
        ("my_teacher:brightness", {"packed": None}, "needs a folder"),
    ],
)
def test_what_is_wrong_is_said(folder, tmp_path: Path, module, model: str, options: dict, message: str) -> None:
    given = {"split": "shared", "packed": tmp_path / "packed", **options}
    with pytest.raises(BenchError, match=message):
        Stored(folder.root, depth_model=model, **given)


def test_another_code_is_another_teacher(module, tmp_path: Path) -> None:
    before = load_teacher("my_teacher:brightness").digest
    assert load_teacher("my_teacher:brightness").digest == before
    module.brightness.identity = "weights 2"
    assert load_teacher("my_teacher:brightness").digest != before


def test_sides_of_maps() -> None:
    assert [maps.map_side(shorter) for shorter in (10, 64, 224, 4000)] == [64, 64, 224, 384]

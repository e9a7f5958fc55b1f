"""What inspection finds, on data with a single fault each; and what it does not complain about."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core.files import canonical_json
from bench.data.inspection.contact_sheet import contact_sheet
from bench.data.inspection.inspection import Inspection, inspect, suspicious
from bench.data.stored.source import Stored
from bench.data.synthetic.source import Synthetic
from bench.report.terminal.inspection_table import inspection_lines
from registry.contract import Quartet
from tests.bench.data.stored.conftest import SIDE, Folder


def grades(found: Inspection) -> dict[str, str]:
    return {finding.check: finding.grade for finding in found.findings}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "data", backgrounds=6, objects=6)


def stored(folder: Folder, **options) -> Inspection:
    return inspect(Stored(folder.root, **{"split": "unseen-bg", "packed": None, **options}), size=48)


def test_sound_data_is_ok(folder) -> None:
    found = stored(folder)
    assert {check for check, grade in grades(found).items() if grade != "ok"} == {"parts"}, found.findings
    assert sum(part["quartets"] for part in found.parts.values()) == 36
    assert found.sizes == {f"{SIDE}x{SIDE}": 36}
    assert found.coverage[2] == pytest.approx(20 * 16 / SIDE**2, abs=1e-3)
    assert found.depth["known"] == 1
    assert sum(found.depth["histogram"]) == pytest.approx(1, abs=1e-3)
    true = np.stack([folder.quartet(g, o)[1] for g in range(1, 7) for o in range(1, 7)]) / 255
    assert found.fields["bg_fg"]["mean"] == pytest.approx(true.mean((0, 1, 2)), abs=2e-3)
    assert found.fields["bg_fg"]["std"] == pytest.approx(true.std((0, 1, 2)), abs=2e-3)


def test_any_source_can_be_looked_at() -> None:
    found = inspect(Synthetic(rooms=20, figures=20), samples=24, size=32)
    assert {check: grade for check, grade in grades(found).items() if check != "near prints"}.keys() == {
        "reading",
        "files",
        "parts",
        "fields",
        "alignment",
        "masks",
    }
    assert all(grade == "ok" for check, grade in grades(found).items() if check != "near prints")
    assert found.parts["train"]["quartets"] is None


def test_backgrounds_of_other_pictures(folder) -> None:
    for g in range(1, 4):
        folder.save(f"bg/bg{g:03}.png", folder.quartet(g % 3 + 1, 1)[0])
    assert grades(stored(folder))["alignment"] == "broken"


def test_exchanged_fields(folder) -> None:
    (folder.root / "mask").rename(folder.root / "x")
    (folder.root / "depth").rename(folder.root / "mask")
    (folder.root / "x").rename(folder.root / "depth")
    assert grades(stored(folder, depth_unit="8bit"))["fields"] == "broken"


def test_inverted_masks(folder) -> None:
    for path in (folder.root / "mask").iterdir():
        Image.fromarray(255 - np.asarray(Image.open(path))).save(path)
    (finding,) = [finding for finding in stored(folder).findings if finding.check == "fields"]
    assert finding.grade == "broken"
    assert "--foreground black" in finding.advice
    assert grades(stored(folder, foreground="black"))["fields"] == "ok"


def test_tiny_masks(folder) -> None:
    for path in (folder.root / "mask").iterdir():
        mask = np.zeros((SIDE, SIDE), np.uint8)
        mask[20:22, 15:17] = 255
        Image.fromarray(mask).save(path)
    assert grades(stored(folder))["masks"] == "warn"


def test_prints_of_one_photograph_in_two_parts(folder) -> None:
    draw = np.random.default_rng(0)
    for g in range(1, 7):
        small = Image.fromarray(draw.integers(0, 255, (6, 6, 3), dtype=np.uint8))
        Image.fromarray(np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC))).save(
            folder.root / f"bg/bg{g:03}.png"
        )
    fine = stored(folder)
    assert grades(fine)["near prints"] == "ok"
    for g in range(1, 7):
        pixels = np.asarray(Image.open(folder.root / "bg/bg001.png")).astype(np.int32) + g
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder.root / f"bg/bg{g:03}.png")
    found = stored(folder)
    (finding,) = (finding for finding in found.findings if finding.check == "near prints")
    assert finding.grade == "broken"
    assert "1 of 1 background of test has a near duplicate in train: " in finding.finding  # in six quartets
    (pair,) = (pair for pair in found.copies if pair["part"] == "test" and pair["what"] == "background")
    assert f"{pair['file']} like {pair['like_file']}" in finding.finding
    assert Path(pair["file"]).exists() and Path(pair["like_file"]).exists()
    assert found.to_json()["copies"] == found.copies


def test_what_the_split_shares_is_no_duplicate(folder) -> None:
    draw = np.random.default_rng(0)
    for g in range(1, 7):
        small = Image.fromarray(draw.integers(0, 255, (6, 6, 3), dtype=np.uint8))
        Image.fromarray(np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC))).save(
            folder.root / f"bg/bg{g:03}.png"
        )
    for rule in ("unseen-fg", "shared"):
        found = stored(folder, split=rule)
        (finding,) = (finding for finding in found.findings if finding.check == "near prints")
        assert "as the split says, 100% of the backgrounds of val, 100% of the backgrounds of test" in finding.finding
        assert finding.grade == "ok"
        assert next(inspection_lines(found)).endswith(rule + ": scores leak" * (rule == "shared"))


def test_masks_of_classes_are_doubted(folder) -> None:
    for path in (folder.root / "mask").iterdir():
        mask = np.asarray(Image.open(path)) // 255 * 2
        mask[:4] = 255
        Image.fromarray(mask).save(path)
    found = stored(folder)
    assert grades(found)["reading"] == "warn"
    assert "--mask-values 'fg=2 unknown=255'" in found.findings[0].finding
    assert grades(stored(folder, mask_values="fg=2 unknown=255"))["reading"] == "ok"


def test_photographs_of_12_bits_are_doubted(folder) -> None:
    for path in [*(folder.root / "bg_fg").iterdir(), *(folder.root / "bg").iterdir()]:
        grey = np.asarray(Image.open(path).convert("L")).astype(np.uint16)
        Image.fromarray(grey * 16).save(path)
    found = stored(folder)
    assert grades(found)["reading"] == "warn"
    assert "nearly black" in found.findings[0].finding


def test_a_doubtful_unit_and_pictures_not_looked_at(folder) -> None:
    (folder.root / "bg_fg/x.heic").write_bytes(b"")
    found = stored(folder, depth_unit="tum")
    assert grades(found)["reading"] == grades(found)["files"] == "warn"
    assert any("mm is likely" in finding.finding for finding in found.findings)


@pytest.mark.parametrize("camera", ["still", "handheld"])
def test_that_the_camera_is_left_out_is_said(camera: str) -> None:
    lines = list(inspection_lines(inspect(Synthetic(camera=camera), samples=4, size=32)))
    said = "         looked at before the handheld camera moves, exposes and compresses it"
    assert (said in lines) == (camera == "handheld")


def test_figures_are_json_and_lines(folder) -> None:
    found = stored(folder)
    facts = json.loads(canonical_json(found.to_json()))
    assert facts["parts"]["train"]["quartets"] == found.parts["train"]["quartets"]
    lines = list(inspection_lines(found))
    assert any("recognised as pairs" in line for line in lines)
    assert sum(line.startswith("ok") for line in lines) == len(found.findings) - 1
    assert any("of 8 quartets that a part should have at least, val has 6, test has 6" in line for line in lines)


def test_a_contact_sheet_shows_what_was_looked_at(folder, tmp_path: Path) -> None:
    found = stored(folder)
    sheet = np.asarray(contact_sheet(found.quartets, each=2, doubtful=0, side=48))
    first = (found.quartets["train"].bg_fg[0] * 255).round().byte().permute(1, 2, 0).numpy()
    windows = np.lib.stride_tricks.sliding_window_view(sheet, (48, 48, 3))[:, :, 0]
    assert (windows == first).all((-1, -2, -3)).sum() == 1
    assert torch.is_tensor(found.quartets["train"].mask)


def test_the_wrong_pair_is_shown_first_though_neighbours_share_a_noisy_scene() -> None:
    draw = torch.Generator().manual_seed(0)
    scenes = torch.arange(12) // 4
    bg = torch.nn.functional.interpolate(torch.rand(3, 3, 4, 4, generator=draw), (32, 32), mode="bilinear")[scenes]
    mask = torch.zeros(12, 1, 32, 32)
    mask[..., 8:24, 8:24] = 1
    bg_fg = torch.where(mask > 0, 1 - bg, bg) + 0.2 * torch.rand(bg.shape, generator=draw) - 0.1
    bg[7] = torch.rand(3, 1, 1, generator=draw)  # of another scene
    bg = bg + 0.2 * torch.rand(bg.shape, generator=draw) - 0.1
    quartet = Quartet(bg.clamp(0, 1), bg_fg.clamp(0, 1), mask)
    assert suspicious(quartet, 1, scenes) == [7]

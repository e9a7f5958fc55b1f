"""Scores by slice: they are the figures and differences of the images in them, and gaps that are luck are so called."""

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from bench.core.errors import BenchError
from bench.core.record.image_columns import PREFIX
from bench.report.terminal.results.slices_table import slices_table
from bench.results import store
from bench.results.compare import compare
from bench.results.slices.slice_score import correct
from bench.results.slices.slices import Slices, slices
from tests.bench.records import record
from tests.bench.results_folder import keep

IMAGES = 240
AREA = np.random.default_rng(7).permutation(np.linspace(0.01, 0.4, IMAGES))


def table(model: str, seed: int, gap: float) -> dict[str, list[float]]:
    """Dice of a model that is worse by a gap on small objects alone; ids of 30 backgrounds and 30 objects."""
    ids, random = np.arange(IMAGES), np.random.default_rng([seed, len(model)])
    groups = np.random.default_rng(1).integers(30, size=(2, IMAGES))
    hard = 0.05 * np.random.default_rng(2).standard_normal(IMAGES)
    dice = 0.8 + hard + 0.02 * random.standard_normal(IMAGES) - gap * (AREA < 0.1)
    columns = {
        "sample": ids,
        "background": groups[0],
        "object": groups[1],
        "mask_dice": dice,
        f"{PREFIX}mask_area": AREA,
    }
    return {name: values.tolist() for name, values in columns.items()}


def folder_with(folder: Path, gap: float, seeds: int = 3) -> Path:
    for model, lack in (("unet", gap), ("wnet", 0.0)):
        for seed in range(seeds):
            values = table(model, seed, lack)
            store.write(folder, record(model=model, seed=seed, dice=float(np.mean(values["mask_dice"]))), values)
    return folder


def text(found: Slices) -> str:
    page = io.StringIO()
    Console(width=170, file=page).print(slices_table(found))
    return page.getvalue()


def test_a_gap_on_small_objects_is_found_there_and_nowhere_else(tmp_path: Path) -> None:
    found = slices(folder_with(tmp_path, 0.1), "wnet", "unet")
    gaps = [part.gaps["mask_dice"] for part in found.parts]
    assert [gap.real for gap in gaps] == [True, False, False, False]
    assert gaps[0].low < 0.09 < gaps[0].high
    part, metric = found.largest(1)[0]
    assert (part.slice.attribute, metric) == ("mask area", "mask_dice")
    assert part is found.parts[0]
    shown = text(found)
    assert "mask area" in shown
    assert "may be luck" in shown.splitlines()[-3]


def test_all_images_say_what_compare_says(tmp_path: Path) -> None:
    found = slices(folder_with(tmp_path, 0.05), "wnet", "unet")
    finding = compare(tmp_path, "wnet", "unet").findings["mask_dice"]
    gap = found.whole.gaps["mask_dice"]
    assert (gap.effect, gap.low, gap.high) == pytest.approx((finding.effect, finding.low, finding.high))
    assert found.whole.a["mask_dice"].mean == pytest.approx(finding.a)


def test_one_model_alone(tmp_path: Path) -> None:
    found = slices(folder_with(tmp_path, 0.1), "unet")
    means = [part.a["mask_dice"].mean for part in found.parts]
    values = np.mean([table("unet", seed, 0.1)["mask_dice"] for seed in range(3)], axis=0)
    assert means[0] == pytest.approx(values[np.argsort(AREA)[: IMAGES // 4]].mean(), abs=1e-4)
    assert found.b == ""
    assert found.metrics == ["mask_dice"]
    assert not found.whole.gaps
    assert "unet:bce_ssim" in text(found)


def test_labels_are_told_apart_by_the_precision(tmp_path: Path) -> None:
    for precision in ("float32", "bfloat16"):
        store.write(tmp_path, record(model="unet", precision=precision), table("unet", 0, 0.1))
    found = slices(tmp_path, "unet:float32", "unet:bfloat16")
    assert (found.a, found.b) == ("unet:bce_ssim:float32", "unet:bce_ssim:bfloat16")


def test_one_seed_has_no_verdict(tmp_path: Path) -> None:
    found = slices(folder_with(tmp_path, 0.1, seeds=1), "wnet", "unet")
    assert not any(gap.real for part in found.parts for gap in part.gaps.values())
    assert "One seed" in text(found)


def test_of_one_seed_the_runs_that_are_missing_are_named(tmp_path: Path) -> None:
    (note,) = slices(folder_with(tmp_path, 0.1, seeds=1), "wnet", "unet").notes
    assert "bench run --model wnet --model unet --loss bce_ssim --precision float32 --first-seed 1 --seeds 1" in note


@pytest.mark.parametrize("names", [("unet",), ("wnet", "unet")])
def test_few_objects_are_said(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert "Only" not in text(slices(folder_with(tmp_path / "many", 0.1), *names))
    for model in ("unet", "wnet"):
        for seed in range(2):
            values = table(model, seed, 0.1)
            few = values | {"object": [group % 4 for group in values["object"]]}
            store.write(tmp_path, record(model=model, seed=seed), few)
    assert "Only 4 objects: with fewer than 10 an interval is wide and less reliable." in text(slices(tmp_path, *names))


def test_equal_models_have_no_real_gap(tmp_path: Path) -> None:
    assert not any(part.gaps["mask_dice"].real for part in slices(folder_with(tmp_path, 0.0), "wnet", "unet").parts)


def test_old_records_take_what_images_are_like_from_any_other(tmp_path: Path) -> None:
    keep(tmp_path, 0.8, model="wnet")
    with pytest.raises(BenchError, match=r"bench run --model difference"):
        slices(tmp_path, "wnet")
    values = table("unet", 0, 0.0)
    store.write(tmp_path, record(model="difference", recipe=""), {n: v for n, v in values.items() if n != "mask_dice"})
    found = slices(tmp_path, "wnet")
    assert [part.slice.attribute for part in found.parts] == ["mask area"] * 4
    assert found.described_by.startswith("difference_none_quick")
    assert f"Facts of the images are from {found.described_by}" in " ".join(text(found).split())


def described(folder: Path, **protocol: object) -> str:
    """Keep a record of a baseline under an altered protocol, with facts of the images; its file's name."""
    made = record(model="difference", recipe="")
    spec = made.spec.model_copy(update={"protocol": made.spec.protocol.override(**protocol)})
    values = {name: v for name, v in table("unet", 0, 0.0).items() if name != "mask_dice"}
    return store.write(folder, made.model_copy(update={"spec": spec, "id": spec.id, "cell": spec.cell}), values).name


def test_a_record_of_another_budget_describes_the_images_of_the_same_data_and_size(tmp_path: Path) -> None:
    keep(tmp_path, 0.8, model="wnet")
    described(tmp_path, size=32)
    with pytest.raises(BenchError, match="no record says what the test images"):
        slices(tmp_path, "wnet")
    name = described(tmp_path, epochs=1, train_samples=64)
    found = slices(tmp_path, "wnet")
    assert found.described_by == name
    assert "custom" not in found.board


def test_a_record_that_describes_its_own_images_is_not_named(tmp_path: Path) -> None:
    found = slices(folder_with(tmp_path, 0.1), "unet")
    assert found.described_by == ""
    assert "Facts of the images" not in text(found)


def test_holm_by_hand() -> None:
    values = {(0, "a"): 0.01, (1, "a"): 0.04, (2, "a"): 0.03, (3, "a"): 0.5}
    assert correct(values) == pytest.approx({(0, "a"): 0.04, (2, "a"): 0.09, (1, "a"): 0.09, (3, "a"): 0.5})

"""Comparing cells: the right cells are found, paired and judged; what was not measured alike is refused."""

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from bench.core.errors import BadData, BenchError
from bench.core.protocol import find_protocol
from bench.core.spec import RunSpec
from bench.report.terminal.results.comparison_table import comparison_table
from bench.results import store
from bench.results.board import rows
from bench.results.compare import chosen, compare, compare_rows
from bench.results.stats.pairing import Pairing
from registry.errors import UnknownName
from tests.bench.records import ENVIRONMENT, record
from tests.bench.results_folder import images, keep


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three seeds of two models, one of them also under another recipe, and a baseline."""
    for seed in range(3):
        keep(tmp_path, 0.80, seed, model="unet")
        keep(tmp_path, 0.84 + 0.005 * seed, seed, model="wnet")
    keep(tmp_path, 0.84, 0, model="wnet", recipe="mask: bce", recipe_name="mask_bce")
    keep(tmp_path, 0.30, 0, model="difference", recipe="")
    return tmp_path


def text(folder: Path, a: str, b: str) -> str:
    page = io.StringIO()
    Console(width=200, file=page).print(comparison_table(compare(folder, a, b)))
    return page.getvalue()


def test_the_difference_is_that_of_the_leaderboards_means(folder: Path) -> None:
    found = compare(folder, "wnet:bce_ssim", "unet:bce_ssim")
    means = {
        model: np.mean([np.mean(images(dice, seed)["mask_dice"]) for seed, dice in enumerate(dices)])
        for model, dices in {"wnet": (0.84, 0.845, 0.85), "unet": (0.80, 0.80, 0.80)}.items()
    }
    dice = found.findings["mask_dice"]
    assert dice.a == pytest.approx(means["wnet"], abs=1e-5)
    assert dice.effect == pytest.approx(means["wnet"] - means["unet"], abs=1e-5)
    assert dice.low < dice.effect < dice.high
    assert dice.verdict == found.findings["depth_rmse"].verdict == "better"
    assert found.findings["depth_rmse"].effect < 0
    assert found.pairing == Pairing((0, 1, 2), (0, 1, 2))
    assert (found.images, found.groups) == (60, {"backgrounds": 12, "objects": 5})
    assert compare(folder, "unet:bce_ssim", "wnet:bce_ssim").findings["mask_dice"].verdict == "worse"


def test_the_margin_is_a_share_of_what_both_lack(folder: Path) -> None:
    found = compare(folder, "wnet:bce_ssim", "unet", margin=0.05).findings["mask_dice"]
    assert found.margin == pytest.approx(0.05 * (1 - (found.a + found.b) / 2))
    assert found.margin == compare(folder, "unet", "wnet:bce_ssim", margin=0.05).findings["mask_dice"].margin
    assert compare(folder, "wnet:bce_ssim", "unet", margin=0.5).findings["mask_dice"].verdict == "equal"


def test_a_cell_by_its_recipes_text_and_by_a_records_file(folder: Path) -> None:
    by_text = compare(folder, "wnet:mask: bce, depth: 2*ssim", "unet")
    assert by_text.findings == compare(folder, "wnet:bce_ssim", "unet:bce_ssim").findings
    files = [next(folder.glob(f"{model}_bce-ssim*s1*.json")) for model in ("wnet", "unet")]
    single = compare(folder, *map(str, files))
    assert single.pairing == Pairing((1,), (1,))
    assert (single.findings["mask_dice"].verdict, single.findings["mask_dice"].more) == ("no verdict", None)


def test_a_baseline_stands_against_every_seed(folder: Path) -> None:
    found = compare(folder, "wnet:bce_ssim", "difference")
    assert found.pairing == Pairing((0, 1, 2), (0, 0, 0))
    assert found.findings["mask_dice"].verdict == "better"


def test_what_few_seeds_mean_is_said(folder: Path) -> None:
    shown = text(folder, "wnet:bce_ssim", "unet")
    assert "60 test images of 12 backgrounds and 5 objects" in shown
    assert "Only 5 objects" in shown
    for seed in (1, 2):
        next(folder.glob(f"unet_*s{seed}*.json")).unlink()
    assert "run a second seed" in text(folder, "wnet:bce_ssim", "unet")
    assert "no verdict" in text(folder, "wnet:bce_ssim", "unet")


def test_labels_are_told_apart_by_the_precision(tmp_path: Path) -> None:
    for precision in ("float32", "bfloat16"):
        keep(tmp_path, 0.8, model="unet", precision=precision)
    shown = [line.rstrip() for line in text(tmp_path, "unet:float32", "unet:bfloat16").splitlines()]
    assert shown[:2] == ["A  unet:bce_ssim:float32", "B  unet:bce_ssim:bfloat16"]


def test_ambiguity_and_unknown_names(folder: Path) -> None:
    with pytest.raises(BenchError, match="several pairs"):
        compare(folder, "wnet", "difference")
    with pytest.raises(UnknownName, match="unet:bce_ssim"):
        compare(folder, "unett:bce_ssim", "wnet")
    with pytest.raises(UnknownName, match="mask_dice"):
        compare(folder, "wnet", "unet", ["mask_dise"])
    with pytest.raises(BenchError, match="no record called gone"):
        compare(folder, "gone.json", "unet")
    with pytest.raises(BenchError, match="slow"):
        compare(folder, "unet", "wnet", within="slow")


def test_names_of_models_mean_the_same_loss(folder: Path) -> None:
    found = compare(folder, "wnet", "unet")
    assert (found.a, found.b) == ("wnet:bce_ssim", "unet:bce_ssim")


def test_other_data_protocols_and_encodings_are_refused(tmp_path: Path) -> None:
    keep(tmp_path, 0.8, model="unet")
    other = {"kind": "synthetic", "camera": "still", "encoding": "inverse"}
    keep(tmp_path, 0.8, model="wnet", data=other)
    with pytest.raises(BenchError, match=r"camera handheld against still; encoding metric, .* against inverse"):
        compare(tmp_path, "unet", "wnet")
    spec = record(model="masknet").spec
    spec = RunSpec(**{**dict(spec), "protocol": find_protocol("quick").override(epochs=3)})
    keep(tmp_path, 0.8, model="masknet", spec=spec, id=spec.id, cell=spec.cell)
    with pytest.raises(BenchError, match="protocol quick v1 against custom"):
        compare(tmp_path, "unet", "masknet")


def test_the_board_where_both_stand_is_found(tmp_path: Path) -> None:
    still = {"kind": "synthetic", "camera": "still", "encoding": "metric, 1.0 = 10 m"}
    for model, dice in (("unet", 0.8), ("wnet", 0.9)):
        for seed in range(3):
            keep(tmp_path, dice, seed, model=model, data=still)
    keep(tmp_path, 0.5, model="unet")
    assert "still camera" in compare(tmp_path, "unet", "wnet").board
    keep(tmp_path, 0.5, model="wnet")
    with pytest.raises(BenchError, match="several pairs"):
        compare(tmp_path, "unet", "wnet")
    assert compare(tmp_path, "unet", "wnet", within="still").findings["mask_dice"].verdict == "worse"


def test_images_that_not_all_records_have_do_not_count(tmp_path: Path) -> None:
    keep(tmp_path, 0.8, model="unet", count=50)
    keep(tmp_path, 0.9, model="wnet", count=50, first=20)
    found = compare(tmp_path, "unet", "wnet")
    assert found.images == 30
    assert any("40 test images" in note for note in found.notes)
    keep(tmp_path, 0.9, model="masknet", first=500)
    with pytest.raises(BenchError, match="no test image in common"):
        compare(tmp_path, "unet", "masknet")


def test_seeds_that_differ(tmp_path: Path) -> None:
    keep(tmp_path, 0.8, 0, model="unet")
    keep(tmp_path, 0.9, 1, model="wnet")
    assert "the seeds differ" in compare(tmp_path, "unet", "wnet").notes[0]
    keep(tmp_path, 0.8, 2, model="unet")
    keep(tmp_path, 0.9, 3, model="wnet")
    assert compare(tmp_path, "unet", "wnet").pairing == Pairing((0, 2), (1, 3), paired=False)
    assert compare(tmp_path, "unet", "wnet").findings["mask_dice"].verdict == "worse"
    assert "seeds 0, 2 against 1, 3" in text(tmp_path, "unet", "wnet")
    keep(tmp_path, 0.9, 2, model="wnet")
    keep(tmp_path, 0.9, 0, model="wnet")
    common = compare(tmp_path, "unet", "wnet")
    assert common.pairing == Pairing((0, 2), (0, 2))
    assert "do not count: 1, 3 of B" in common.notes[0]


def test_a_cell_against_itself(folder: Path) -> None:
    same = compare(folder, "unet", "unet")
    assert {finding.verdict for finding in same.findings.values()} == {"equal"}
    assert same.notes == ("both sides are the same runs",)
    apart = compare(folder, "unet", "unet", seeds_a=(0,), seeds_b=(1, 2))
    assert apart.pairing == Pairing((0,), (1, 2), paired=False)
    assert {finding.verdict for finding in apart.findings.values()} == {"no verdict"}
    with pytest.raises(BenchError, match=r"no seed 7; it has 0, 1, 2"):
        compare(folder, "unet", "unet", seeds_a=(0, 7))


def test_seeds_of_either_side_can_be_named(folder: Path) -> None:
    assert compare(folder, "wnet:bce_ssim", "unet", seeds_b=(1, 2)).pairing == Pairing((1, 2), (1, 2))


def test_other_code_and_precision_are_told(tmp_path: Path) -> None:
    keep(tmp_path, 0.8, model="unet")
    keep(tmp_path, 0.9, model="wnet", code="1" * 12)
    assert any("code was not the same" in note for note in compare(tmp_path, "unet", "wnet").notes)


def test_another_machine_and_torch_are_told(tmp_path: Path) -> None:
    keep(tmp_path, 0.8, model="unet")
    other = ENVIRONMENT.model_copy(update={"instructions": "AVX2", "packages": {"torch": "2.13.0"}})
    keep(tmp_path, 0.9, model="wnet", environment=other)
    notes = compare(tmp_path, "unet", "wnet").notes
    assert any("machine was not the same" in note and "AVX2" in note and "AVX512" in note for note in notes)
    assert "the torch version was not the same: 2.13.0, 2.15.0" in notes


@pytest.mark.parametrize("package", ["pillow", "numpy", "timm"])
def test_another_version_of_a_package_is_noted_within_a_row_too(tmp_path: Path, package: str) -> None:
    for seed, version in enumerate(("12.0.0", "13.0.0", None)):
        packages = {"torch": "2.15.0"} | ({package: version} if version else {})
        here = ENVIRONMENT.model_copy(update={"packages": packages})
        keep(tmp_path, 0.8, seed, model="unet", environment=here)
        keep(tmp_path, 0.9, seed, model="wnet")
    assert compare(tmp_path, "unet", "wnet").notes == (f"the {package} version was not the same: 12.0.0, 13.0.0",)


def test_a_cell_that_was_also_run_on_other_arithmetic(tmp_path: Path) -> None:
    """Names do not tell: the same machine with other bits is another kind of arithmetic."""
    for seed in range(2):
        keep(tmp_path, 0.8, seed, model="unet", arithmetic="a" * 12)
        keep(tmp_path, 0.9, seed, model="wnet", arithmetic="a" * 12)
    keep(tmp_path, 0.6, model="unet", arithmetic="b" * 12)
    found = compare(tmp_path, "unet", "wnet")
    assert found.findings["mask_dice"].a == pytest.approx(0.8, abs=0.05)
    (note,) = found.notes
    assert note.startswith(
        "A was also run on another kind of arithmetic, which does not count: mask_dice 0.6000, 1 seed"
    )
    assert f"arithmetic {'b' * 12})" in note
    records = {record.arithmetic: name for name, record in store.read_all(tmp_path) if record.spec.model == "unet"}
    notes = compare(tmp_path, records["a" * 12], records["b" * 12]).notes
    assert any(f"whatever its names: {'a' * 12}, {'b' * 12}" in note for note in notes)


def test_committed_records_do_not_differ_from_themselves() -> None:
    """Every cell of several seeds against itself, a seed against a seed and one against two: no better, no worse."""
    results = Path(__file__).parents[3] / "results"
    verdicts = [
        finding.verdict
        for row in rows(store.read_all(results))
        if len(row.records) == 3
        for first, second in ((0, [1]), (0, [2]), (1, [2]), (0, [1, 2]))
        for finding in compare_rows(results, chosen(row, [first]), chosen(row, second)).findings.values()
    ]
    assert len(verdicts) >= 100
    assert not {"better", "worse"} & set(verdicts)


def test_a_record_without_its_images(folder: Path) -> None:
    next(folder.glob("unet*s0*.images.csv")).unlink()
    with pytest.raises(BadData, match="per-image"):
        compare(folder, "wnet:bce_ssim", "unet")


def test_metrics_that_cannot_be_compared_say_why(folder: Path) -> None:
    broken = images(0.5, 0)
    broken["mask_dice"][3] = float("-inf")
    store.write(folder, record(model="masknet"), {k: v for k, v in broken.items() if k != "depth_rmse"})
    found = compare(folder, "masknet", "unet")
    assert "infinite" in found.skipped["mask_dice"]
    assert not found.findings
    asked = compare(folder, "masknet", "unet", ["depth_rmse", "mask_dice"])
    assert asked.skipped == {"depth_rmse": "not in both records", "mask_dice": found.skipped["mask_dice"]}

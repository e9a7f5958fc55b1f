"""Sentences of docs/findings.md from the records' tables of test images alone: pandas, and nothing of the project's."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results"
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def sentences() -> str:
    """The page without its printed figures, a space for every break."""
    page = (ROOT / "docs/findings.md").read_text(encoding="utf-8")
    return " ".join(re.sub(r"```.*?```", "", page, flags=re.DOTALL).split())


def images(model: str, loss: str, seed: int, folder: Path = RESULTS) -> pd.DataFrame:
    """A run's test images, by sample: of the first record of its kind, as a user's own come after the committed."""
    found = folder.glob(f"{model}_{loss}_quick_*_s{seed}_*.images.csv")
    path = min(found, key=lambda path: path.name.rsplit("_", 1)[1])
    return pd.read_csv(path, index_col="sample").sort_index()


def images_of(model: str) -> list[pd.DataFrame]:
    """The runs of a model under one loss that were repeated with three seeds, in one precision."""
    found: dict[str, list[pd.DataFrame]] = {}
    for path in sorted(RESULTS.glob(f"{model}_bce-ssim_quick_*.images.csv")):
        day = path.name.rsplit("_", 1)[1][:8]
        found.setdefault(day, []).append(pd.read_csv(path, index_col="sample"))
    return next(runs for runs in found.values() if len(runs) == len(SEEDS))


def mean(model: str, loss: str, metric: str) -> float:
    """Over the images of a run, then over seeds."""
    return float(np.mean([images(model, loss, seed)[metric].mean() for seed in SEEDS]))


def short(value: float, digits: int) -> str:
    """As it is written in the sentences: ``.027``."""
    return f"{value:.{digits}f}".replace("0.", ".", 1)


def test_which_architecture(sentences: str) -> None:
    dice, boundary = (mean("wnet", "bce-ssim", m) - mean("unet", "bce-ssim", m) for m in ("mask_dice", "mask_bf"))
    claimed = f"finds the object better than `unet` by {short(dice, 3)} of Dice, and by {short(boundary, 3)} in the"
    assert claimed in sentences


def test_which_models_learn(sentences: str) -> None:
    models = {path.name.split("_")[0] for path in RESULTS.glob("*_bce-ssim_*_s2_*.images.csv")}
    runs = {model: [run["mask_dice"].mean() for run in images_of(model)] for model in models}  # NaN: no mask
    dice = {model: score for model, scores in runs.items() if not np.isnan(score := np.mean(scores))}
    (floor,) = {pd.read_csv(path)["mask_dice"].mean() for path in RESULTS.glob("difference_none_*115200.images.csv")}
    lost = [model for model, score in dice.items() if score < floor]
    assert (len(models), len(dice), len(lost)) == (19, 18, 5)
    assert "there are 19 models" in sentences and "Of the 18 that have a mask five do not learn it" in sentences
    assert f"on the difference of the two images ({short(floor, 3)})" in sentences
    best = sorted(dice.values(), reverse=True)
    assert "(.86 to .82)" in sentences and [round(best[i], 2) for i in (0, 3)] == [0.86, 0.82]


def test_where_models_fail(sentences: str) -> None:
    (facts,) = (pd.read_csv(path, index_col="sample") for path in RESULTS.glob("difference_none_*115200.images.csv"))
    quarter = pd.qcut(facts["image/object_contrast"], 4, labels=False)
    scores = pd.concat([images("wnet", "bce-ssim", seed)["mask_dice"] for seed in SEEDS], axis=1).mean(axis=1)
    lowest, *others = scores.groupby(quarter).mean()
    assert f"Dice is {short(lowest, 2)}, elsewhere {short(min(others), 2)} to {short(max(others), 2)}" in sentences


def test_which_loss(sentences: str) -> None:
    losses = {path.name.split("_")[1] for path in RESULTS.glob("unet_*_s0_*.images.csv")}
    dice = {loss: mean("unet", loss, "mask_dice") for loss in losses}
    assert len(dice) == 9
    last = dice.pop("bce-ssim")
    claimed = (
        f"eight of them find the object with a Dice of {short(min(dice.values()), 3)} to {short(max(dice.values()), 3)}"
    )
    assert claimed in sentences
    assert f"`bce_ssim`, which weighs depth twice, with {short(last, 3)}" in sentences


def test_what_tuning_changed(sentences: str) -> None:
    records = [json.loads(path.read_text()) for path in sorted((RESULTS / "tuned").glob("*_s0_*.json"))]
    tried = [
        {trial["value"]: trial["score"] for trial in record["tuning"]["tried"]}
        for record in records
        if record["tuning"] and not record["spec"]["model"].startswith("smp/")
    ]
    own = [max(scores.values()) for scores in tried]
    assert len(tried) == 19
    assert sum(scores[0.003] == best for scores, best in zip(tried, own, strict=True)) == 9
    gain = max(best - scores[0.003] for scores, best in zip(tried, own, strict=True))
    assert f"nine chose 3e-3 itself, none an edge of the grid, and the largest gain is {short(gain, 3)}" in sentences
    tau = [
        short(kendalltau(own, [scores[rate] for scores in tried]).statistic, 2)
        for rate in (3e-3, 9.49e-4, 9.49e-3, 3e-4)
    ]
    assert "is {} at 3e-3, {} at 9.5e-4, {} at 9.5e-3 and {} at 3e-4".format(*tau) in sentences


@pytest.mark.parametrize("loss", ["bce", "bce-ssim", "bce-dice"])
def test_what_correcting_a_network_gains(sentences: str, loss: str) -> None:
    models = ("dilated-shuffle-fixed-true", "dilated-shuffle")
    fixed, published = (
        np.mean(
            [
                pd.read_csv(path)["mask_dice"].mean()
                for path in (RESULTS / "tuned").glob(f"{model}_{loss}_*_s?_*.images.csv")
            ]
        )
        for model in models
    )
    start = sentences.index("correcting `dilated_shuffle` gives it a Dice higher")
    told = sentences[start : sentences.index(" under each.", start)]
    gain = short(fixed - published, 3)
    assert re.search(rf"by {gain} \(\S+ to \S+\) under `{loss.replace('-', '_')}`", told), gain


def test_what_rmse_costs(sentences: str) -> None:
    lost = {}
    for model in ("unet", "wnet", "dilated-shuffle-fixed-true"):
        found = [(RESULTS / "tuned").glob(f"{model}_{loss}_*_s?_*.images.csv") for loss in ("bce", "bce-rmse")]
        bce, rmse = (np.mean([pd.read_csv(path)["mask_dice"].mean() for path in paths]) for paths in found)
        lost[model] = short(bce - rmse, 3)
    claimed = "`bce_rmse` costs `unet` {} of Dice, `wnet` {} and the corrected network {}"
    assert claimed.format(*lost.values()) in sentences


def test_whether_synthetic_and_photographic_orders_agree(sentences: str) -> None:
    photographs = RESULTS / "photographs"
    cells = {tuple(path.name.split("_")[:2]) for path in photographs.glob("*_s2_*.images.csv")}
    here = {cell: np.mean([images(*cell, seed, photographs)["mask_dice"].mean() for seed in SEEDS]) for cell in cells}
    (threshold,) = (pd.read_csv(path)["mask_dice"].mean() for path in photographs.glob("difference_none_*.images.csv"))
    beyond = sorted(dice for dice in here.values() if dice > threshold)
    assert (len(beyond), len(here)) == (11, 12)
    spread = f"{short(beyond[0], 3)} to {short(beyond[-1], 3)}"
    assert (
        f"Eleven of the twelve score above the threshold ({short(threshold, 3)}), with a Dice of {spread}" in sentences
    )
    both = [
        cell
        for cell in cells
        if {path.name.split("_")[4] for path in RESULTS.glob("_".join(cell) + "_quick_*.csv")} >= {"s0", "s1", "s2"}
    ]
    means = [[mean(*cell, "mask_dice"), float(here[cell])] for cell in both]
    tau = kendalltau(*zip(*means, strict=True))
    assert len(both) == 6
    assert f"same order by Dice on both (tau {tau.statistic:.1f}; by chance p = {short(tau.pvalue, 3)})" in sentences

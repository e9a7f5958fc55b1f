"""The recipes that have a name, as a table, written as on the command line.

A name with ``@published`` is the form in which a published system really trained, faults and all, so that its
behaviour can be reproduced on purpose; the plain name is the same recipe put right: sigmoid once and on every term
(logits for cross entropy), targets in [0, 1], SSIM with range 1 on windows inside the map, sums per image. On
depth, Dice and IoU take the smaller of both values as the overlap: with the usual product a perfect depth is not
their optimum.
"""

from __future__ import annotations

from registry.registry import Registry

recipes: Registry[str] = Registry(
    "loss recipe",
    where="bench list losses",
    group="maskdepth_bench.recipes",
    index="registry.losses.recipes:recipes",
    values=str,
)
"""Names to recipes as text, in the grammar of `registry.losses.grammar`; each with its ``source`` as a fact."""

_DIVIDED_TWICE = "targets divided by 255 twice"

_TABLE = {
    # system 000
    "bce": ("mask: bce, depth: bce", "system 000, its best; the reference for what a loss costs"),
    "bce@published": (
        "mask~standardised[std=255]: bce, depth~standardised[std=255]: bce",
        f"system 000: {_DIVIDED_TWICE}",
    ),
    "bce_dssim5": ("mask: bce, depth: dssim[window=5]", "system 000"),
    "bce_dssim5@published": (
        "mask~standardised[std=255]: bce, depth~standardised[std=255]: dssim[padding=zeros,raw=true,window=5]",
        f"system 000: {_DIVIDED_TWICE}, DSSIM of logits",
    ),
    "mask_bce": ("mask: bce", "system 000, mask alone"),
    "mask_bce@published": ("mask~standardised[std=255]: bce", f"system 000, mask alone: {_DIVIDED_TWICE}"),
    "mask_dice": ("mask: dice", "system 000, mask alone"),
    "mask_dice@published": (
        "mask~standardised[std=255]: dice[pool=batch,smooth=0.0001]",
        f"system 000, mask alone: {_DIVIDED_TWICE}; its smoothing is not known, this is its metric's",
    ),
    "depth_bce": ("depth: bce", "system 000, depth alone"),
    "depth_bce@published": ("depth~standardised[std=255]: bce", f"system 000, depth alone: {_DIVIDED_TWICE}"),
    "depth_rmse": ("depth: rmse", "system 000, depth alone"),
    "depth_rmse@published": (
        "depth~standardised[std=255]: rmse[pool=batch,raw=true]",
        f"system 000, depth alone: {_DIVIDED_TWICE}, RMSE of logits over the batch",
    ),
    "depth_dssim": ("depth: dssim[window=5]", "system 000, depth alone"),
    "depth_dssim@published": (
        "depth~standardised[std=255]: dssim[padding=zeros,raw=true,window=5]",
        f"system 000, depth alone: {_DIVIDED_TWICE}, DSSIM of logits",
    ),
    "depth_bce_dssim": ("depth: bce + 2*dssim", "system 000, depth alone"),
    "depth_bce_dssim@published": (
        "depth~standardised[std=255]: bce + 2*dssim[padding=zeros,raw=true]",
        f"system 000, depth alone: {_DIVIDED_TWICE}, DSSIM of logits",
    ),
    # system 001
    "bce_w21": ("mask: 2*bce, depth: bce", "system 001, first version"),
    "bce_w12": ("mask: bce, depth: 2*bce", "system 001, final training"),
    "bce_sigmoid": ("mask: 2*bce, depth: bce", "system 001, row 3 of its table"),
    "bce_sigmoid@published": (
        "mask: 2*bce[twice=true], depth: bce",
        "system 001, row 3: a sigmoid before the mask's logits",
    ),
    "bce_dice_half": (
        "mask: 0.5*bce + 0.5*dice, depth: 0.5*bce + 0.5*dice[overlap=min]",
        "system 001, which tried and rejected it",
    ),
    "bce_dice_half@published": (
        "mask: 0.5*bce + 0.5*dice, depth: 0.5*bce + 0.5*dice",
        "system 001: product Dice on depth",
    ),
    # system 002
    "dicebce_ssim_l1": ("mask: bce + dice, depth: bce + dice[overlap=min] + dssim + l1", "system 002"),
    "dicebce_ssim_l1@published": (
        "mask: bce + dice[pool=batch], depth: bce + dice[pool=batch] + dssim[padding=reflect,raw=true] + l1[raw=true]",
        "system 002: DSSIM and L1 of logits beside terms of the sigmoid, Dice over the batch and on depth",
    ),
    # system 003
    "bce_iou_ssim": ("mask: bce, depth: 0.1*iou[overlap=min] + 0.45*ssim", "system 003"),
    "bce_iou_ssim@published": (
        "mask~standardised[mean=0.051,std=0.226]: bce, "
        "depth~standardised[mean=0.3045,std=0.113]: 0.1*iou[pool=batch] + 0.45*ssim[guess=true,raw=true]",
        "system 003: standardised targets, SSIM of logits with a guessed range, IoU over the batch and on depth",
    ),
    # system 004: first term on the mask, twice the second on depth
    "bce_rmse": ("mask: bce, depth: 2*rmse", "system 004, its best"),
    "bce_rmse@published": ("mask: bce, depth: 2*rmse[pool=batch]", "system 004: RMSE over the batch"),
    "bce_ssim": ("mask: bce, depth: 2*ssim", "system 004"),
    "bce_ssim@published": ("mask: bce, depth: 2*ssim[range=255]", "system 004: SSIM range 255"),
    "ssim_rmse": ("mask: ssim, depth: 2*rmse", "system 004"),
    "ssim_rmse@published": (
        "mask: ssim[range=255], depth: 2*rmse[pool=batch]",
        "system 004: SSIM range 255, RMSE over the batch",
    ),
    "rmse_ssim": ("mask: rmse, depth: 2*ssim", "system 004"),
    "rmse_ssim@published": (
        "mask: rmse[pool=batch], depth: 2*ssim[range=255]",
        "system 004 as meant: its code could not run",
    ),
    "ssim_dice": ("mask: ssim, depth: 2*dice[overlap=min]", "system 004"),
    "ssim_dice@published": (
        "mask: ssim[range=255], depth: 2*dice[pool=batch]",
        "system 004: SSIM range 255, batch Dice on depth",
    ),
    "rmse_dice": ("mask: rmse, depth: 2*dice[overlap=min]", "system 004"),
    "rmse_dice@published": (
        "mask: rmse[pool=batch], depth: 2*dice[pool=batch]",
        "system 004: RMSE over the batch, batch Dice on depth",
    ),
    "bce_dice": (
        "mask: bce + 2*dice, depth: bce",
        "system 004, which had a single output; here on the mask, with depth as in `bce`: they differ by Dice alone",
    ),
    "bce_dice@published": ("mask: bce + 2*dice[pool=batch]", "system 004: Dice over the batch, a single output"),
    "rmse_bce_dice": ("mask: bce + 2*dice, depth: 2*rmse", "system 004 as it was meant"),
    "rmse_bce_dice@published": (
        "mask: 2*rmse[pool=batch], depth: bce + 2*dice[pool=batch]",
        "system 004: heads swapped, sums over the batch",
    ),
    # never built by any of the five
    "edge": ("mask: bce + edge, depth: edge + l1", "system 001's assignment: edge maps must agree"),
    # what the field uses
    "focal_berhu": ("mask: dice + focal, depth: berhu", "Lin et al. 2017; Laina et al. 2016"),
    "tversky_silog": ("mask: bce + tversky, depth: silog", "Salehi et al. 2017; Eigen et al. 2014"),
    "lovasz_l1": ("mask: bce + lovasz, depth: 0.5*gradient + l1", "Berman et al. 2018; Li, Snavely 2018"),
    "bce_msssim": ("mask: bce + dice, depth: 0.16*l1 + 0.84*ms_ssim", "Zhao et al. 2017"),
    "bce_ssi": ("mask: bce + dice, depth: 0.5*gradient + l1 + ssi", "Ranftl et al. 2020, anchored by L1"),
    "bce_l1_uncertainty": ("mask: bce, depth: l1, weighting: uncertainty", "Kendall et al. 2018"),
    "bce_l1_dwa": ("mask: bce, depth: l1, weighting: dwa", "Liu et al. 2019"),
}

for _name, (_text, _source) in _TABLE.items():
    recipes.add(_name, _text, about=f"{_text}   ({_source})", source=_source)

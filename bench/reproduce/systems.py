"""The five published systems as a table. Budgets and figures are those of the authors; small budgets are ours."""

from __future__ import annotations

from functools import partial

from bench.core.protocol import Stage
from bench.reproduce.measures import (
    blended_iou,
    coefficient,
    depth_contrast,
    depth_logits_are_target,
    foreground_share,
    inverted_rmse,
    loss,
    mask_iou,
    mean_error,
    pooled_dice,
    root_error,
)
from bench.reproduce.system import Budget, Measure, QuotedFigure, System, Trial, TrialForm
from registry.errors import UnknownName


def _alike(name: str, quoted: str, measure: Measure) -> QuotedFigure:
    """A figure computed alike for both forms."""
    return QuotedFigure(name, quoted, measure, measure)


def _loss(quoted: str, recipe: str, times: float = 1.0) -> QuotedFigure:
    """Each form's own loss."""
    published, corrected = (partial(loss, recipe=text, times=times) for text in (f"{recipe}@published", recipe))
    return QuotedFigure("test loss", quoted, published, corrected)


_MASK_IOU = _alike("mask IoU, thresholded", "–", mask_iou)
_DEPTH_RMSE = _alike("depth RMSE of the sigmoid", "–", partial(root_error, head="depth"))
_SGD = "sgd[lr=0.01,momentum=0.9,weight_decay=1e-5]"
_PLATEAU = "plateau[patience=2]"
_ADAM = "adam[lr=0.01]"

_TABLE = (
    System(
        key="000",
        title="PyTNet",
        stretched=True,
        trials=(
            Trial(
                title="W-Net, cross entropy on both heads",
                fault="Targets were divided by 255 twice and lay in [0, 1/255]: the loss stood at its entropy floor "
                "from the first epoch, and a soft Dice with such targets cannot exceed .0078 for a perfect mask. "
                "The corrected form divides once.",
                published=TrialForm("wnet", "bce@published", _ADAM, _PLATEAU),
                corrected=TrialForm("wnet", "bce", _ADAM, _PLATEAU),
                figures=(
                    QuotedFigure("Coef: soft Dice", ".0025 to .0031", partial(coefficient, divided=255), coefficient),
                    _loss(".0076 to .0077", "bce", times=0.5),
                    _MASK_IOU,
                    _DEPTH_RMSE,
                ),
                small=Budget((Stage(size=64, batch=8, epochs=10),), samples=128),
                full=Budget((Stage(size=64, batch=128, epochs=10),), samples=56_000),
            ),
            Trial(
                title="Depth U-Net, RMSE",
                fault="The RMSE compared raw logits with targets in [0, 1/255], while the Dice looked at their "
                "sigmoid, which for such logits is one half everywhere. The corrected form compares the sigmoid with "
                "targets divided once.",
                published=TrialForm("unet_depth", "depth_rmse@published", _ADAM, "plateau[patience=3]"),
                corrected=TrialForm("unet_depth", "depth_rmse", _ADAM, "plateau[patience=3]"),
                figures=(
                    QuotedFigure("Coef: soft Dice", ".0039", partial(coefficient, divided=255), coefficient),
                    _loss(".0061 falling to .0011", "depth_rmse"),
                    _DEPTH_RMSE,
                ),
                small=Budget((Stage(size=64, batch=8, epochs=10),), samples=128),
                full=Budget((Stage(size=64, batch=128, epochs=10),), samples=56_000),
                perfect=partial(depth_logits_are_target, divided=255),
            ),
        ),
    ),
    System(
        key="001",
        title="U-Nets after ugent and EKami",
        stretched=False,
        trials=(
            Trial(
                title="Plain U-Net with a sigmoid before the mask's logits (row 3)",
                fault="The mask's sigmoid was taken for logits, so that a sigmoid was applied twice: the mask's cross "
                "entropy then cannot fall below about .67. The corrected form (row 4) leaves the first one out.",
                published=TrialForm("ugent_unet[depth_channels=3]", "bce_sigmoid@published", _SGD, _PLATEAU),
                corrected=TrialForm("ugent_unet[depth_channels=3]", "bce_sigmoid", _SGD, _PLATEAU),
                figures=(
                    QuotedFigure(
                        "sum of both cross entropies",
                        "1.20 (row 4: .60)",
                        partial(loss, recipe="mask: bce[twice=true], depth: bce"),
                        partial(loss, recipe="bce"),
                    ),
                    QuotedFigure(
                        "mask cross entropy",
                        "–",
                        partial(loss, recipe="mask: bce[twice=true]"),
                        partial(loss, recipe="mask: bce"),
                    ),
                    _MASK_IOU,
                    _DEPTH_RMSE,
                ),
                small=Budget((Stage(size=64, batch=8, epochs=10),), samples=128),
                full=Budget((Stage(size=224, batch=32, epochs=300),), samples=350),
            ),
            Trial(
                title="The author's last U-Net, inputs turned without their targets",
                fault="Photographs were turned by up to 30 degrees and mirrored while mask and depth stayed as they "
                "were, so that nothing but an average place could be learnt. The corrected form mirrors all of them "
                "together; both are scored on upright photographs.",
                published=TrialForm("custom_unet[depth_channels=3]", "bce_w12", _SGD, _PLATEAU, turned=True),
                corrected=TrialForm("custom_unet[depth_channels=3]", "bce_w12", _SGD, _PLATEAU, augmentation="flip"),
                figures=(
                    _alike("sum of both cross entropies", "about .3", partial(loss, recipe="bce")),
                    _MASK_IOU,
                    _DEPTH_RMSE,
                ),
                small=Budget((Stage(size=64, batch=8, epochs=10),), samples=128),
                full=Budget((Stage(size=224, batch=16, epochs=40),), samples=7_000),
            ),
        ),
    ),
    System(
        key="002",
        title="DepthMaskNet",
        stretched=True,
        trials=(
            Trial(
                title="Dilated encoder, pixel shuffle, seven terms",
                fault="On depth, L1 and SSIM compared raw logits with the target while the metrics looked at their "
                "sigmoid: a perfect depth scores Dice .585, MAE .202 and RMSE .242, and these never moved. "
                "The learning rate was multiplied by .01 after every epoch, and decoders without skips leave 16-pixel "
                "blocks; the corrected form has one sigmoid, a cosine schedule, skips and ICNR.",
                published=TrialForm(
                    "dilated_shuffle", "dicebce_ssim_l1@published", _SGD, "step[every=1,gamma=0.01,restart=3]"
                ),
                corrected=TrialForm("dilated_shuffle[fixed=true]", "dicebce_ssim_l1", _SGD, "cosine"),
                figures=(
                    _alike("depth Dice, soft", ".58", partial(pooled_dice, head="depth")),
                    _alike("depth MAE", ".201 to .202", partial(mean_error, head="depth")),
                    _alike("depth RMSE", ".245 to .246", partial(root_error, head="depth")),
                    _loss("1.230", "dicebce_ssim_l1"),
                    _alike("mask Dice, soft", ".971", partial(pooled_dice, head="mask")),
                    _alike("mask MAE", ".0027", partial(mean_error, head="mask")),
                    _alike("mask RMSE", ".034", partial(root_error, head="mask")),
                ),
                small=Budget(
                    (
                        Stage(size=32, batch=8, epochs=3),
                        Stage(size=48, batch=8, epochs=3),
                        Stage(size=64, batch=8, epochs=2),
                    ),
                    samples=256,
                ),
                full=Budget(
                    (
                        Stage(size=64, batch=512, epochs=3),
                        Stage(size=112, batch=128, epochs=3),
                        Stage(size=192, batch=32, epochs=2),
                    ),
                    samples=280_000,
                ),
                perfect=depth_logits_are_target,
            ),
        ),
    ),
    System(
        key="003",
        title="Two-output U-Net",
        stretched=False,
        trials=(
            Trial(
                title="Standardised targets",
                fault="Mask and depth were standardised like photographs: cross entropy on a mask of -.226 and 4.2 has "
                "no lower bound and falls on below that of the truth, to a blank mask as the author saw it or along "
                "another way. The scheduler drove an optimizer that was not in use; the corrected form leaves "
                "targets in [0, 1] and lowers the rate that counts.",
                published=TrialForm("twin_unet", "bce_iou_ssim@published", _ADAM, "constant"),
                corrected=TrialForm("twin_unet", "bce_iou_ssim", _ADAM, _PLATEAU),
                figures=(
                    _alike("predicted over true foreground", '"blank" (0)', foreground_share),
                    _alike("contrast of depth over the truth's", '"average" (0)', depth_contrast),
                    _loss("–", "bce_iou_ssim"),
                    _MASK_IOU,
                    _DEPTH_RMSE,
                ),
                small=Budget((Stage(size=64, batch=8, epochs=11),), samples=256),
                full=Budget((Stage(size=192, batch=64, epochs=11),), samples=3_500),
            ),
        ),
    ),
    System(
        key="004",
        title="DepthNet",
        stretched=False,
        trials=(
            Trial(
                title="DepthMaskNet8, cross entropy and RMSE",
                fault='The metric called "rmse" returned one over it, and so rose as the model improved; "IoU" '
                "averaged mask and depth, of which a perfect prediction reaches about .6. The corrected form feeds the "
                "mask decoder's third output on, as the text says, and has an error that falls and an IoU of the mask.",
                published=TrialForm("depthmasknet[as_published=true]", "bce_rmse@published", _SGD, _PLATEAU),
                corrected=TrialForm("depthmasknet", "bce_rmse", _SGD, _PLATEAU),
                figures=(
                    QuotedFigure('"rmse"', "9.03 rising to 11.7", inverted_rmse, partial(root_error, head="depth")),
                    QuotedFigure('"IoU"', ".475 to .507", blended_iou, mask_iou),
                    _loss(".0567 to .0635", "bce_rmse"),
                    _MASK_IOU,
                    _DEPTH_RMSE,
                ),
                small=Budget((Stage(size=32, batch=8, epochs=3), Stage(size=64, batch=8, epochs=3)), samples=384),
                full=Budget(
                    (Stage(size=64, batch=128, epochs=3), Stage(size=128, batch=128, epochs=3)), samples=280_000
                ),
            ),
            Trial(
                title="DepthMaskNet8, cross entropy and SSIM",
                fault="SSIM was told that values range to 255 when they range to 1, and finds even two noise images "
                "alike (1 - SSIM = .0035): the depth term has next to no gradient. The corrected form tells it 1.",
                published=TrialForm("depthmasknet[as_published=true]", "bce_ssim@published", _SGD, _PLATEAU),
                corrected=TrialForm("depthmasknet", "bce_ssim", _SGD, _PLATEAU),
                figures=(
                    _loss("about .03", "bce_ssim"),
                    QuotedFigure('"IoU"', ".495", blended_iou, mask_iou),
                    _DEPTH_RMSE,
                ),
                small=Budget((Stage(size=32, batch=8, epochs=3), Stage(size=64, batch=8, epochs=3)), samples=384),
                full=Budget(
                    (Stage(size=64, batch=128, epochs=3), Stage(size=128, batch=128, epochs=3)), samples=280_000
                ),
            ),
        ),
    ),
)

SYSTEMS: dict[str, System] = {system.key: system for system in _TABLE}


def find_system(key: str) -> System:
    """The system of that number.

    Raises:
        UnknownName: an unknown system.
    """
    if key not in SYSTEMS:
        raise UnknownName("published system", key, SYSTEMS, "bench reproduce --help")
    return SYSTEMS[key]

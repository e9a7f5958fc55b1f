"""Any torchmetrics metric by name: what torchmetrics says of an image's known pixels, or a refusal with its reason."""

import dataclasses
import math
import subprocess
import sys

import pytest
import torch
from torchmetrics.functional import classification, regression

from bench.metrics import metrics
from bench.metrics.scores import Scores, values_of
from bench.metrics.view import View
from registry.errors import BadParameter, RegistryError, UnknownName

REFERENCES = {
    "torchmetrics/mask/BinaryMatthewsCorrCoef": lambda p, t: classification.binary_matthews_corrcoef(p, t > 0.5),
    "torchmetrics/mask/BinaryF1Score[threshold=0.3]": lambda p, t: classification.binary_f1_score(p, t > 0.5, 0.3),
    "torchmetrics/mask/BinaryAUROC": lambda p, t: classification.binary_auroc(p, (t > 0.5).long()),
    "torchmetrics/mask/BinaryFBetaScore[beta=2]": lambda p, t: classification.binary_fbeta_score(p, t > 0.5, 2.0),
    "torchmetrics/mask/BinarySpecificity[higher=true]": lambda p, t: classification.binary_specificity(p, t > 0.5),
    "torchmetrics/mask/MeanAbsoluteError": regression.mean_absolute_error,
    "torchmetrics/depth/R2Score": regression.r2_score,
    "torchmetrics/depth/PearsonCorrCoef[higher=true]": regression.pearson_corrcoef,
    "torchmetrics/depth/SpearmanCorrCoef": regression.spearman_corrcoef,
    "torchmetrics/depth/MeanSquaredError[squared=false]": lambda p, t: regression.mean_squared_error(p, t, False),
}


@pytest.mark.parametrize("key", REFERENCES)
def test_value_is_that_of_the_images_known_pixels(key, scene, rough):
    truth = scene(images=3, size=24)
    unknown = torch.rand(truth.mask.shape, generator=torch.Generator().manual_seed(1)) < 0.2
    truth = dataclasses.replace(truth, mask_valid=(~unknown).float(), mask=torch.where(unknown, torch.nan, truth.mask))
    prediction = rough(truth) if not unknown.any() else rough(scene(images=3, size=24))
    metric = metrics.bind(key)
    found = values_of(metric, View(prediction, truth))
    head, target, valid = (
        (prediction.mask, truth.mask, ~unknown)
        if metric.facts.head == "mask"
        else (prediction.depth, truth.depth, truth.valid > 0)
    )
    expected = [REFERENCES[key](head.value[image][valid[image]], target[image][valid[image]]) for image in range(3)]
    torch.testing.assert_close(found, torch.stack(expected), rtol=1e-6, atol=1e-6)


def test_an_image_with_less_than_two_pixels_says_nothing(scene, rough):
    truth = scene()
    truth.valid[0] = 0
    truth.valid[1] = 0
    truth.valid[1, 0, 3, 3] = 1
    scores = Scores(["torchmetrics/depth/R2Score"])
    scores.update(rough(truth), truth)
    (column,) = scores.result().values()
    assert [math.isnan(value) for value in column] == [True, True, False, False]


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("torchmetrics/mask/BinaryROC", "curve"),
        ("torchmetrics/mask/BinaryPrecisionRecallCurve", "curve"),
        ("torchmetrics/mask/BinaryConfusionMatrix", "4 numbers"),
        ("torchmetrics/depth/StructuralSimilarityIndexMeasure", "image as a whole"),
        ("torchmetrics/depth/PeakSignalNoiseRatio", "image as a whole"),
        ("torchmetrics/mask/HausdorffDistance", "image as a whole"),
        ("torchmetrics/mask/Accuracy", "several classes"),
        ("torchmetrics/depth/BinaryF1Score", "depth has none"),
        ("torchmetrics/depth/KLDivergence", "does not take two lists of pixels"),
        ("torchmetrics/joint/R2Score", "torchmetrics/mask/<class>"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(key, why):
    with pytest.raises(RegistryError, match=why):
        metrics.bind(key)


def test_misspelt_names_and_parameters_are_named():
    with pytest.raises(UnknownName, match="R2Score"):
        metrics.bind("torchmetrics/depth/R2Scor")
    with pytest.raises(BadParameter, match="threshold"):
        metrics.bind("torchmetrics/mask/BinaryF1Score[treshold=0.3]")
    with pytest.raises(BadParameter, match="beta"):
        metrics.bind("torchmetrics/mask/BinaryFBetaScore")


def test_direction_is_torchmetrics_own_or_said_in_brackets():
    assert metrics.facts("torchmetrics/depth/R2Score").higher_is_better
    error = metrics.facts("torchmetrics/depth/MeanSquaredError")
    assert (error.higher_is_better, error.perfect) == (False, 0.0)
    with pytest.raises(BadParameter, match=r"PearsonCorrCoef\[higher=true\]"):
        metrics.facts("torchmetrics/depth/PearsonCorrCoef")
    with pytest.raises(BadParameter, match="says that higher is better"):
        metrics.facts("torchmetrics/depth/R2Score[higher=false]")
    tweedie = metrics.facts("torchmetrics/depth/TweedieDevianceScore[higher=false]")
    assert (tweedie.higher_is_better, tweedie.perfect) == (False, 0.0)
    assert metrics.facts("torchmetrics/depth/R2Score[perfect=0.9]").perfect == 0.9


def test_nobody_pays_for_torchmetrics_who_does_not_name_it():
    code = "import sys, bench.metrics.scores; sys.exit('torchmetrics' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

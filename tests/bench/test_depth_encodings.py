"""Every form of depth encoding that a source, a layout or a teacher gives is read alike by everybody who reads one."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.audit.audit import audit
from bench.core.errors import BenchError
from bench.core.protocol import find_protocol
from bench.data.depth_units import DEPTH_UNITS, depth_unit, greater_is_nearer, metres, scaled
from bench.data.stored.export.writers import WRITERS
from bench.data.stored.naming.layouts import LAYOUTS
from bench.report.pictures.prediction_files import DepthScale
from bench.reproduce.published_data import AsPublished
from bench.run.evaluate.evaluation import Evaluator
from bench.run.trained import TrainedRun, trained_run
from tests.bench.rectangles import Rectangles
from tests.bench.run.trained_model import make


class Encoded(Rectangles):
    """Rectangles whose depth is said to be something else."""

    seed = 7

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self.encoding = encoding

    def describe(self) -> dict:
        return {**super().describe(), "seed": self.seed, "encoding": self.encoding}


TEACHER = "predicted by depth-anything, small (0123456789abcdef)"
DISTANCES = {
    **{unit.encoding: unit.full / unit.per_metre for unit in DEPTH_UNITS.values() if unit.per_metre},
    **{scaled(1000, 0, far).encoding: far for far in (0.00004, 0.25, 2.5, 30, 65.6, 3e6)},
    depth_unit("kitti").over(1, 120).encoding: 120.0,
    AsPublished(Rectangles(), False, False).encoding: 10.0,
    f"metric, 1.0 = 10 m, {TEACHER}": 10.0,
    f"metric, 1.0 = 2.5 m, {TEACHER}": 2.5,
}
OTHERS = [
    *(unit.encoding for unit in DEPTH_UNITS.values() if not unit.per_metre),
    *(unit.over(0, 20).encoding for unit in DEPTH_UNITS.values() if not unit.per_metre),
    *sorted({x.encoding for x in LAYOUTS.values() if x.encoding and "metric" not in x.encoding}),
    AsPublished(Rectangles(), True, False).encoding,
    AsPublished(Encoded("inverse, 1.0 = nearest"), True, False).encoding,
    f"per image from least to greatest, {TEACHER}",
    f"inverse, per image from farthest to nearest, {TEACHER}",
    "none",
    "",
    "metric",
    "metric, 1.0 = 0 m",
    "metric, 1.0 = 10 mm",
    "metric, 1.0 = 1.2.3 m",
]
ALL = [*DISTANCES.items(), *((encoding, None) for encoding in OTHERS)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    folder = tmp_path_factory.mktemp("made")
    make(folder, Rectangles(), model="unet[width=4]")
    return trained_run(folder / "results", folder / "runs", "unet[width=4]", torch.device("cpu"))


@pytest.mark.parametrize(("encoding", "full"), ALL)
def test_the_metres_of_one(encoding: str, full: float | None) -> None:
    assert metres(encoding) == (full and pytest.approx(full, rel=1e-5))


@pytest.mark.parametrize("encoding", [*DISTANCES, *OTHERS])
def test_inverse_depth_alone_is_greater_where_it_is_nearer(encoding: str) -> None:
    assert greater_is_nearer(encoding) == ("inverse" in encoding)


@pytest.mark.parametrize(("encoding", "full"), ALL)
def test_augmentation_divides_distances(encoding: str, full: float | None) -> None:
    source = Encoded(encoding)
    assert source.has_metric_depth == (full is not None)
    source.has_depth = False
    assert not source.has_metric_depth


@pytest.mark.parametrize(("encoding", "full"), ALL)
def test_export_keeps_distances_in_millimetres(encoding: str, full: float | None) -> None:
    writer = WRITERS["pairs"]
    numbers = writer.depth(np.full((1, 1), 0.5, np.float32), np.ones((1, 1), bool), encoding)
    assert writer.keeps_unknown(encoding) == (full is not None)
    assert numbers.dtype == (np.uint8 if full is None else np.uint16)
    if full is not None and full < 65:
        assert numbers.item() == round(full * 500)


@pytest.mark.parametrize(("encoding", "full"), ALL)
def test_prediction_files_hold_distances(encoding: str, full: float | None) -> None:
    scale = DepthScale.of(encoding)
    assert scale.wide == (full is not None)
    if full is not None:
        assert scale.factor == pytest.approx(full * (1000 if full < 65.5 else 256), rel=1e-5)


@pytest.mark.parametrize(("encoding", "full"), ALL)
def test_the_audit_measures_distances(encoding: str, full: float | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = next(
            finding
            for finding in audit("mask: bce", Encoded(encoding), find_protocol("quick"))
            if finding.check == "depth_unit"
        )
    assert set(found.numbers) == (set() if full is None else {"low_m", "median_m", "high_m"})
    if full is not None:
        depth = Rectangles().render("train", torch.arange(64), 32).depth
        assert found.numbers["high_m"] == pytest.approx(full * float(depth.quantile(0.95)), rel=0.1)
    if full not in (None, 10.0, 80.0) or TEACHER in encoding:
        assert found.grade == "ok", "whoever gives a range, or has a teacher, means no unit of files"


@pytest.mark.parametrize(("encoding", "full"), ALL)
def test_evaluation_converts_distances(trained: TrainedRun, tmp_path: Path, encoding: str, full: float | None) -> None:
    if full is None and encoding.startswith("metric"):
        with pytest.raises(BenchError, match="cannot be read"):
            Evaluator(Encoded(encoding), tmp_path)
        return
    found, _ = Evaluator(Encoded(encoding), tmp_path, samples=4).evaluate(trained)
    assert any("was brought" in note for note in found.notes) == (full is not None and encoding != Rectangles.encoding)
    assert ("depth_rmse" in found.test) == (full is not None)
    assert ("depth_abs_rel_aligned" in found.test) == ("inverse" not in encoding)


def test_a_run_with_a_teacher_is_converted_too(trained: TrainedRun, tmp_path: Path) -> None:
    data = {**trained.record.spec.data, "encoding": f"metric, 1.0 = 20 m, {TEACHER}"}
    spec = trained.record.spec.model_copy(update={"data": data})
    taught = replace(trained, record=trained.record.model_copy(update={"spec": spec}))
    plain, _ = Evaluator(Encoded("metric, 1.0 = 5 m"), tmp_path, samples=4).evaluate(trained)
    found, _ = Evaluator(Encoded("metric, 1.0 = 10 m"), tmp_path, samples=4).evaluate(taught)
    assert found.test["depth_rmse"].value == pytest.approx(plain.test["depth_rmse"].value)

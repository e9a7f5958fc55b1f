"""Attributes divide images into slices: nothing is lost, nothing counted twice."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.record.image_columns import CAMERA, PREFIX
from bench.results import store
from bench.results.slices.attribute import LEAST, SLICES, Attribute, image_facts
from tests.bench.records import record
from tests.bench.results_folder import images


@given(st.lists(st.sampled_from([0.0, 0.0, 0.1, 0.2, 0.25, 0.3, 0.7, 1.0, float("nan")]), min_size=1, max_size=200))
def test_slices_are_disjoint_and_leave_out_none_but_small_ones(values: list[float]) -> None:
    found = Attribute("x", np.array(values)).slices()
    covered = sum((part.images.astype(int) for part in found), start=np.zeros(len(values), dtype=int))
    assert set(covered) <= {0, 1}
    assert all(part.count >= LEAST for part in found)
    assert len(found) <= 2 * SLICES + 1
    if found:
        assert (covered == 0).sum() < LEAST * 2 * SLICES


def test_quarters_of_many_values() -> None:
    values = np.random.default_rng(0).random(400)
    found = Attribute("x", values).slices()
    assert [part.count for part in found] == [100] * 4
    assert all(values[low.images].max() < values[high.images].min() for low, high in itertools.pairwise(found))


def test_a_value_of_many_images_is_a_slice_of_its_own() -> None:
    values = np.where(np.arange(200) < 100, 0.0, np.linspace(1, 2, 200))
    assert [(part.label, part.count) for part in Attribute("jpeg", values).slices()] == [
        ("0", 100),
        ("1.5 to 1.75", 50),
        ("1.75 to 2", 50),
    ]


def test_few_values_and_none() -> None:
    values = np.array([0.0] * 20 + [1.0] * 20 + [np.nan] * 20)
    assert [part.label for part in Attribute("flag", values).slices()] == ["0", "1", "without"]
    assert Attribute("same", np.ones(50)).slices() == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    columns = {
        f"{PREFIX}mask_area": np.linspace(0, 1, 60).tolist(),
        f"{CAMERA}shift_0": [3.0] * 30 + [0.0] * 30,
        f"{CAMERA}shift_1": [4.0] * 30 + [0.0] * 30,
    }
    store.write(tmp_path, record(seed=0), images(0.8, 0))
    store.write(tmp_path, record(seed=1), images(0.8, 1) | columns)
    return tmp_path


def test_they_come_from_the_first_table_that_has_them_in_the_order_of_the_samples(folder: Path) -> None:
    names = [name for name, _ in store.read_all(folder)]
    found = image_facts(folder, names, [59, 0, 30])
    assert found is not None and found.record == names[1]
    area, shift = found.attributes
    assert (area.name, shift.name) == ("mask area", "camera shift")
    np.testing.assert_allclose(area.values, [1, 0, 30 / 59], atol=1e-4)
    np.testing.assert_allclose(shift.values, [0, 5, 0])  # from the median
    assert image_facts(folder, names, [60]) is None
    assert image_facts(folder, names[:1], [0]) is None


def test_a_damaged_table_is_passed_over_where_another_has_the_facts(folder: Path) -> None:
    store.write(folder, record(seed=2), store.read_images(folder / _described(folder)))
    (folder / _described(folder)).with_suffix(store.IMAGES).open("a").write("0,0,0\n")
    found = image_facts(folder, [name for name, _ in store.read_all(folder)], [0, 1])
    assert found is not None and "_s2_" in found.record


def _described(folder: Path) -> str:
    return next(name for name, record in store.read_all(folder) if record.spec.seed == 1)

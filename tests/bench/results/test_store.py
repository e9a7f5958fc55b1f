"""Records: whole or not at all, none lost, all read back."""

import json
import math
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.core.errors import BadData, BenchError
from bench.core.record import Record
from bench.results import store
from tests.bench.records import record


def test_round_trip_with_images(tmp_path: Path) -> None:
    one = record()
    path = store.write(tmp_path, one, {"sample": [0, 1], "mask_dice": [0.5, math.nan]})
    assert store.read_all(tmp_path) == [(path.name, one)]
    images = store.read_images(path)
    assert images["sample"] == [0.0, 1.0]
    assert images["mask_dice"][0] == 0.5
    assert math.isnan(images["mask_dice"][1])


def test_two_that_finish_at_once_are_both_kept(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: store.write(tmp_path, record(), {}), range(16)))
    assert len(set(paths)) == 16
    assert len(store.read_all(tmp_path)) == 16


def test_nothing_is_left_of_a_failed_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BenchError, match="No space left"):
        store.write(tmp_path, record(), {})
    assert list(tmp_path.iterdir()) == []


def test_every_bad_file_is_named(tmp_path: Path) -> None:
    store.write(tmp_path, record(), {})
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text("{}")
    with pytest.raises(BadData, match=r"(?s)a\.json.*b\.json"):
        store.read_all(tmp_path)


def test_names_are_safe_for_any_system(tmp_path: Path) -> None:
    odd = record(model="smp/fpn/tu-mobilenetv3_small_100", recipe_name="mask: bce + dice, depth: 0.5*l1 + ssim")
    name = store.write(tmp_path, odd, {}).name
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    assert odd.id in name


def test_published_schema_is_that_of_the_records(tmp_path: Path) -> None:
    schema = json.loads(store.schema())
    written = json.loads(store.write(tmp_path, record(), {}).read_text())
    assert set(schema["required"]) <= set(written) <= set(schema["properties"])
    assert schema["additionalProperties"] is False
    assert Record.model_validate(written) == record()


def test_a_record_names_no_path_and_no_person() -> None:
    text = record().model_dump_json()
    assert str(Path.home()) not in text
    assert os.uname().nodename not in text

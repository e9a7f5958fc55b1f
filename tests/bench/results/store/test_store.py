"""Records: whole or not at all, none lost, all read back, and damage named without taking anything else along."""

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

RESULTS = Path(__file__).parents[4] / "results"
COMMITTED = sorted(path for path in RESULTS.rglob("*.json") if (path.with_suffix(".images.csv")).exists())


def without_digests(read: Record) -> Record:
    return read.model_copy(update={"images": None, "checksum": None})


def test_round_trip_with_images(tmp_path: Path) -> None:
    path = store.write(tmp_path, record(), {"sample": [0, 1], "mask_dice": [0.5, math.nan]})
    ((name, read),) = store.read_all(tmp_path)
    assert name == path.name
    assert without_digests(read) == record()
    images = store.read_images(path)
    assert images["sample"] == [0.0, 1.0]
    assert images["mask_dice"][0] == 0.5
    assert math.isnan(images["mask_dice"][1])


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_committed_records_keep_their_id_and_cell(path: Path) -> None:
    read = store.read(path)
    assert (read.spec.id, read.spec.cell) == (read.id, read.cell)
    again = Record.model_validate_json(read.model_dump_json())
    assert (again.spec.id, again.spec.cell) == (read.id, read.cell)
    assert len(store.read_images(path)["sample"]) > 0


def test_there_are_records_of_format_1() -> None:
    assert any(store.read(path).format == 1 for path in COMMITTED)


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


def infinite(text: str) -> str:
    return text.replace('"value": 0.8', '"value": Infinity')


def old(text: str) -> str:
    """As format 1 wrote it: without a checksum."""
    content = json.loads(text)
    kept = {name: value for name, value in content.items() if name != "checksum"}
    return json.dumps({**kept, "format": 1})


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda text: text[: len(text) // 2], "JSON"),
        (lambda text: "", "JSON"),
        (lambda text: "{}", "Field required"),
        (lambda text: text.replace('"seed": 0', '"seed": 1'), "checksum"),
        (lambda text: text.replace('"mask_dice"', '"mask_iou"'), "checksum"),
        (lambda text: text.rpartition(',\n "checksum"')[0] + "\n}", "checksum is missing"),
        (lambda text: infinite(old(text)), "finite"),
        (lambda text: old(text).replace('"value": 0.8', '"value": NaN'), "finite"),
    ],
    ids=["truncated", "empty", "no record", "changed", "renamed", "cut off", "infinite score", "NaN as a score"],
)
def test_a_damaged_record_is_named_and_the_others_read(tmp_path: Path, damage, says: str) -> None:
    bad = store.write(tmp_path, record(), {})
    good = store.write(tmp_path, record(seed=1), {})
    bad.write_text(damage(bad.read_text()))
    records = store.read_all(tmp_path)
    assert [name for name, _ in records] == [good.name]
    assert [name for name, _ in records.damaged] == [bad.name]
    with pytest.raises(BadData, match=says) as caught:
        records.check()
    assert bad.name in str(caught.value)
    assert caught.value.exit_code == 3


def test_every_bad_file_is_named(tmp_path: Path) -> None:
    store.write(tmp_path, record(), {})
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_bytes(b"\xff\xfe")
    (tmp_path / "c.json").mkdir()
    with pytest.raises(BadData, match=r"(?s)a\.json.*b\.json.*c\.json"):
        store.check(tmp_path)
    assert len(store.read_all(tmp_path)) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sample,mask_dice\n0,good\n", "checksum"),
        ("sample,mask_dice\n0,0.25\n", "checksum"),
        ("", "checksum"),
    ],
)
def test_a_changed_table_of_images_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = store.write(tmp_path, record(), {"sample": [0], "mask_dice": [0.5]})
    path.with_suffix(".images.csv").write_text(text)
    with pytest.raises(BadData, match=says):
        store.read_images(path)
    assert len(store.read_all(tmp_path)) == 1


@pytest.mark.parametrize("row", ["0,good", "0"], ids=["a word", "cut off"])
def test_a_damaged_table_of_format_1_is_named(tmp_path: Path, row: str) -> None:
    path = store.write(tmp_path, record(), {"sample": [0], "mask_dice": [0.5]})
    path.write_text(old(path.read_text()).replace(f'"{store.read(path).images}"', "null"))
    path.with_suffix(".images.csv").write_text(f"sample,mask_dice\n{row}\n")
    with pytest.raises(BadData, match=r"images\.csv"):
        store.read_images(path)


def test_what_changed_on_disk_is_read_anew(tmp_path: Path) -> None:
    path = store.write(tmp_path, record(), {})
    assert store.read_all(tmp_path)[0][1].outcome == "finished"
    path.write_text("{")
    assert len(store.read_all(tmp_path)) == 0


def test_line_endings_are_no_damage(tmp_path: Path) -> None:
    path = store.write(tmp_path, record(), {"sample": [0], "mask_dice": [0.5]})
    for file in (path, path.with_suffix(".images.csv")):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert len(store.read_all(tmp_path)) == 1
    assert store.read_images(path)["mask_dice"] == [0.5]


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
    assert without_digests(Record.model_validate(written)) == record()


def test_a_record_names_no_path_and_no_person() -> None:
    text = record().model_dump_json()
    assert str(Path.home()) not in text
    assert os.uname().nodename not in text

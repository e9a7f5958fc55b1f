"""Packs: the same quartets, faster; damage noticed, sources that change, many writers, going on."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.core.errors import BadData, BenchError
from bench.data.loading.loader import Loader
from bench.data.stored.files.roots import Roots
from bench.data.stored.packing import decode_all
from bench.data.stored.packing.decoder import Decoder
from bench.data.stored.source import Stored
from tests.bench.data.stored.conftest import Folder
from tests.bench.data.stored.packing.damaged_rows import damaged_rows

pytestmark = pytest.mark.usefixtures("all_sets_are_packed")
PARTS = ("train", "val", "test")


@pytest.fixture
def opened(folder: Folder, tmp_path: Path):
    def open_it(**options) -> Stored:
        given = {"split": "shared", "packed": tmp_path / "packed", **options}
        return Stored(folder.root, **given)

    return open_it


def all_of(source: Stored, size: int = 32) -> dict[str, torch.Tensor]:
    source.own_pack(size)  # as a loader asks
    quartets = [source.render(part, torch.arange(source.count(part)), size) for part in PARTS]
    return {name: torch.cat([getattr(quartet, name) for quartet in quartets]) for name, _ in quartets[0].tensors()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_what_samples_show_is_known_without_reading_files_again(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    first = opened()
    ids = torch.arange(first.count("train"))
    shown = first.shown("train", ids)
    assert all(names and all(names) for names in shown.values())
    again = opened()
    monkeypatch.setattr(Roots, "read", lambda self, file: pytest.fail(f"{file.name} is read again"))
    assert again.shown("train", ids) == shown


def test_a_pack_serves_what_files_hold(opened, folder) -> None:
    plain = all_of(Stored(folder.root, split="shared", packed=None))
    pack = opened().pack(32)
    assert pack.is_complete
    assert damaged_rows(pack) == 0
    for path in folder.root.glob("*[gk]/*_*.png"):  # none of these is decoded again
        content, facts = path.read_bytes(), path.stat()
        path.write_bytes(bytes(len(content)))
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert same(all_of(opened()), plain)


def test_what_a_manifest_says(opened) -> None:
    pack = opened().pack(32)
    manifest = json.loads((pack.folder / "manifest.json").read_text())
    assert set(manifest["groups"]["background"]) == {"1", "2", "3", "4"}
    assert manifest["groups"]["encoding"] == ["metric, 1.0 = 10 m"]
    assert manifest["tables"]["samples"]["count"] == 16
    assert manifest["tables"]["backgrounds"]["count"] == 4, "each background once"
    assert {field["name"]: field["dtype"] for field in manifest["tables"]["samples"]["fields"]} == {
        "bg_fg": "u1",
        "mask": "u1",
        "depth": "<u2",
    }


def test_what_the_check_decoded_is_not_decoded_again(opened, folder, monkeypatch: pytest.MonkeyPatch) -> None:
    source = opened()
    assert source.reader(64).pack.is_complete
    monkeypatch.setattr(Decoder, "sample", lambda self, row: pytest.fail("decoded twice"))
    source.render("train", torch.arange(4), 64)
    assert source.own_pack(64) == "whole"


def test_a_few_samples_of_another_size_are_worth_no_pack(opened, tmp_path: Path) -> None:
    source = opened()
    source.render("train", torch.arange(2), 32)
    sides = [json.loads(path.read_text())["source"]["size"] for path in (tmp_path / "packed").glob("*/manifest.json")]
    assert sides == [64], "that of the check"


def test_a_check_that_finds_bad_files_leaves_no_pack(opened, folder, tmp_path: Path) -> None:
    (folder.root / "mask/bg001_fg001_01.png").write_bytes(b"x")
    with pytest.raises(BadData):
        opened()
    assert not list((tmp_path / "packed").glob("stored-*"))
    assert not list((tmp_path / "packed").glob(".*"))
    assert opened(skip_bad=True).pack(64).samples.count == 15


def test_rows_are_written_as_they_are_needed(opened) -> None:
    source = opened()
    pack = source.reader(32).pack
    source.render("test", torch.arange(1), 32)
    assert pack.samples.written() == 1
    assert opened().reader(32).pack.samples.written() == 1, "and another process goes on from there"
    seen: list[int] = []
    opened().pack(32, lambda what, done, total: seen.append(done))
    assert seen[-1] == 16
    assert opened().reader(32).pack.is_complete


@pytest.mark.parametrize("damage", ["a bit", "zeros", "cut short", "sums"])
def test_damage_is_noticed_and_made_good(opened, damage: str) -> None:
    good = all_of(opened())
    pack = opened().pack(32)
    path = pack.folder / ("samples.sums" if damage == "sums" else "samples.bg_fg")
    content = bytearray(path.read_bytes())
    if damage == "a bit":
        content[3000] ^= 4
    elif damage == "cut short":
        content = content[: len(content) // 2]
    else:
        content = bytearray(len(content))
    path.write_bytes(content)
    again = opened()
    if damage == "sums":  # nothing is marked as written: that is no damage
        assert same(all_of(again), good)
    else:
        with pytest.warns(RuntimeWarning, match="anew"):
            assert same(all_of(again), good)
    if damage in ("a bit", "zeros"):
        assert again.reader(32).pack.samples.damaged == (1 if damage == "a bit" else 16)
    assert damaged_rows(opened().pack(32)) == 0


def test_a_source_that_changed_is_packed_anew(opened, folder) -> None:
    before = opened().pack(32).folder
    folder.save("bg_fg/bg001_fg001_01.png", np.zeros((48, 48, 3), np.uint8))
    after = opened().pack(32)
    assert after.folder != before
    assert not before.exists(), "what nobody can use any more goes"
    assert float(all_of(opened())["bg_fg"].flatten(1).amax(1).min()) == 0
    assert opened(fit="stretch").pack(32).folder != after.folder
    assert opened().pack(24).folder != after.folder
    assert after.folder.exists()


def test_a_set_without_backgrounds_is_packed_once(opened, folder, recwarn: pytest.WarningsRecorder) -> None:
    shutil.rmtree(folder.root / "bg")
    shutil.rmtree(folder.root / "depth")
    (folder.root / "bg_fg").rename(folder.root / "images")
    (folder.root / "mask").rename(folder.root / "masks")
    before = opened().pack(32)
    again = opened().reader(32).pack
    assert again.folder == before.folder
    assert again.is_complete
    assert not [warning for warning in recwarn if "damaged" in str(warning.message)]


def test_bad_files_are_not_looked_for_twice(opened, folder) -> None:
    (folder.root / "mask/bg001_fg001_01.png").write_bytes(b"x")
    for _ in range(2):
        with pytest.raises(BadData, match="not an image"):
            opened()
        assert opened(skip_bad=True).describe()["skipped"] == 1


def pack_one(root: Path, packed: Path) -> None:
    Stored(root, split="shared", packed=packed).pack(40)


@pytest.mark.parametrize("damaged", [False, True])
def test_processes_decode_as_threads_do(
    opened, folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damaged: bool
) -> None:
    if damaged:
        (folder.root / "mask/bg001_fg001_01.png").write_bytes(b"x")
    outcomes = []
    for place, worth in (("threads", 10**9), ("processes", 1)):
        monkeypatch.setattr(decode_all, "WORTH_PROCESSES", worth)
        monkeypatch.setattr(decode_all, "usable_processors", lambda: 2)
        source = opened(packed=tmp_path / place, skip_bad=damaged)
        assert damaged_rows(source.pack(64)) == 0
        outcomes.append((source.describe(), source.skipped, all_of(source, 64)))
    assert outcomes[0][:2] == outcomes[1][:2]
    assert same(outcomes[0][2], outcomes[1][2])
    assert len(outcomes[1][1]) == damaged
    if damaged:
        with pytest.raises(BadData, match="not an image"):
            opened(packed=tmp_path / "again")


def test_several_processes_at_once(opened, folder, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    torch.set_num_threads(1)
    some = [context.Process(target=pack_one, args=(folder.root, tmp_path / "packed")) for _ in range(3)]
    for process in some:
        process.start()
    for process in some:
        process.join(60)
    assert [process.exitcode for process in some] == [0, 0, 0]
    pack = opened().reader(40).pack
    assert pack.is_complete
    assert damaged_rows(pack) == 0
    sides = [json.loads(path.read_text())["source"]["size"] for path in (tmp_path / "packed").glob("*/manifest.json")]
    assert sorted(sides) == [40, 64], "a pack of what was asked for, and of what the check decoded"


def test_a_folder_that_cannot_be_written(opened, tmp_path: Path) -> None:
    (tmp_path / "packed").write_text("a file")
    with pytest.raises((BenchError, OSError)):
        opened().pack(32)


def test_400_000_quartets_of_64_px_take_under_15_gb(opened) -> None:
    pack = opened().pack(64)
    row = sum(np.dtype(field.dtype).itemsize * int(np.prod(field.shape)) for field in pack.samples.fields) + 8
    assert row * 400_000 < 15e9


def test_training_begins_while_a_large_set_is_packed(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stored, "checked", 3)
    source = opened()
    budget = 2**30
    loader = Loader(source, "train", source.count("train"), 32, 2, budget)
    assert loader.tier == "live"
    assert source.reader(32).pack.samples.written() <= 1, "nothing is decoded ahead"
    first = [batch.arrive().bg_fg for batch in loader.in_order()]
    assert source.reader(32).pack.samples.written() >= source.count("train")
    source.pack(32)
    again = Loader(source, "train", source.count("train"), 32, 2, budget)
    assert again.tier == "resident"
    assert torch.equal(torch.cat(first), torch.cat([batch.arrive().bg_fg for batch in again.in_order()]))


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="there is no /proc to count processes by")
def test_processes_do_not_outlive_a_parent_that_is_killed(folder, tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from bench.data.stored.packing import decode_all\n"
        "from bench.data.stored.packing.decoder import Decoder\n"
        "from bench.data.stored.source import Stored\n"
        "decode_all.WORTH_PROCESSES, decode_all.cores = 1, lambda: 2\n"
        "Decoder.sample = lambda self, row: time.sleep(600)\n"
        f"Stored({str(folder.root)!r}, split='shared', packed={str(tmp_path / 'packed')!r})\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    found: list[str] = []
    for _ in range(600):
        found = children.read_text().split()
        if len(found) >= 2:
            break
        time.sleep(0.1)
    assert len(found) >= 2, "no processes were started"
    parent.kill()
    parent.wait()
    for _ in range(200):
        if not any(Path(f"/proc/{child}").exists() for child in found):
            return
        time.sleep(0.1)
    pytest.fail("processes are left")

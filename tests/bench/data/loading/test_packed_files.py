"""Files of packed samples: whole or absent, used again, the oldest removed, and never more than their share."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from bench.core.errors import BenchError
from bench.data.loading import packed_files as packed_files_module
from bench.data.loading.packed_files import PackedFiles

ROWS = torch.arange(60, dtype=torch.uint8).view(6, 10)


def pieces(rendered: list[int] | None = None) -> Iterator[Tensor]:
    for begin in (0, 4):
        if rendered is not None:
            rendered.append(begin)
        yield ROWS[begin : begin + 4]


def names(folder: Path, suffix: str = ".packed") -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix == suffix)


def test_a_file_is_written_once_and_read_by_later_runs(tmp_path: Path) -> None:
    rendered: list[int] = []
    for _ in range(2):
        assert torch.equal(PackedFiles(tmp_path / "packed").get("key", 6, 10, pieces(rendered)), ROWS)
    assert rendered == [0, 4]
    assert len(list((tmp_path / "packed").iterdir())) == 1


def test_another_key_is_another_file(tmp_path: Path) -> None:
    packed_files = PackedFiles(tmp_path)
    packed_files.get("one", 6, 10, pieces())
    assert torch.equal(packed_files.get("other", 6, 10, iter([ROWS.flip(0).contiguous()])), ROWS.flip(0))
    assert torch.equal(packed_files.get("one", 6, 10, pieces()), ROWS)
    assert len(names(tmp_path)) == 2


def test_a_truncated_file_is_written_anew(tmp_path: Path) -> None:
    packed_files = PackedFiles(tmp_path)
    packed_files.get("key", 6, 10, pieces())
    for length in (59, 60, 67, 0):
        os.truncate(names(tmp_path)[0], length)
        with pytest.warns(UserWarning, match=f"made anew.*it has {length} bytes"):
            assert torch.equal(packed_files.get("key", 6, 10, pieces()), ROWS)
    assert len(names(tmp_path)) == 1


@pytest.mark.parametrize("damage", ["zeros", "a bit", "the checksum"])
def test_a_damaged_file_is_set_aside_and_written_anew(damage: str, tmp_path: Path) -> None:
    packed_files = PackedFiles(tmp_path)
    packed_files.get("key", 6, 10, pieces())
    path = names(tmp_path)[0]
    content = bytearray(path.read_bytes())
    if damage == "zeros":
        content[:60] = bytes(60)
    else:
        content[17 if damage == "a bit" else -1] ^= 4
    path.write_bytes(content)
    rendered: list[int] = []
    with pytest.warns(UserWarning, match=r"its checksum is wrong; set aside as \w+\.damaged"):
        assert torch.equal(packed_files.get("key", 6, 10, pieces(rendered)), ROWS)
    assert rendered == [0, 4]
    assert torch.equal(packed_files.get("key", 6, 10, pieces(rendered)), ROWS)
    assert rendered == [0, 4]


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(file: object, how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    old, recent = tmp_path / "a.1.part", tmp_path / "b.2.part"
    for path, age in ((old, 2 * 86_400), (recent, 3_600)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age,) * 2)
    assert torch.equal(PackedFiles(tmp_path).get("key", 6, 10, pieces()), ROWS)
    assert names(tmp_path, ".part") == [recent]


def test_what_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    def stopped() -> Iterator[Tensor]:
        yield ROWS[:4]
        assert len(names(tmp_path, ".part")) == 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        PackedFiles(tmp_path).get("key", 6, 10, stopped())
    assert not list(tmp_path.iterdir())
    assert torch.equal(PackedFiles(tmp_path).get("key", 6, 10, pieces()), ROWS)


def test_what_a_killed_run_left_is_cleared_away_but_not_what_is_being_written(tmp_path: Path) -> None:
    left, busy = tmp_path / "a.1.part", tmp_path / "b.2.part"
    for path in (left, busy):
        path.write_bytes(b"half")
        os.utime(path, (0, 0))
    with busy.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        PackedFiles(tmp_path).get("key", 6, 10, pieces())
    assert names(tmp_path, ".part") == [busy]


def test_two_at_once_both_get_their_samples(tmp_path: Path) -> None:
    both = threading.Barrier(2)
    got = []

    def slow() -> Iterator[Tensor]:
        both.wait(10)  # neither has its file when the other begins
        yield from pieces()
        both.wait(10)

    def write() -> None:
        got.append(PackedFiles(tmp_path).get("key", 6, 10, slow()))

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [torch.equal(rows, ROWS) for rows in got] == [True, True]
    assert len(list(tmp_path.iterdir())) == 1


def test_the_longest_unused_goes_when_the_share_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed_files = PackedFiles(tmp_path)
    monkeypatch.setattr(PackedFiles, "budget", lambda self: 150)
    first = packed_files.get("first", 6, 10, pieces())
    packed_files.get("second", 6, 10, pieces())
    for age, path in enumerate(names(tmp_path)):
        os.utime(path, (age, age))
    oldest, newest = names(tmp_path)
    packed_files.get("third", 6, 10, pieces())
    assert not oldest.exists()
    assert newest.exists()
    assert len(names(tmp_path)) == 2
    assert torch.equal(first, ROWS), "who reads a file keeps it"


def test_use_makes_a_file_young(tmp_path: Path) -> None:
    packed_files = PackedFiles(tmp_path)
    packed_files.get("key", 6, 10, pieces())
    os.utime(names(tmp_path)[0], (0, 0))
    packed_files.get("key", 6, 10, pieces())
    assert names(tmp_path)[0].stat().st_mtime > 10**9


def test_the_budget_counts_the_folder_itself_as_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: type("Usage", (), {"free": 940}))
    packed_files = PackedFiles(tmp_path / "not" / "yet", share=0.5)
    assert packed_files.budget() == 470
    packed_files.get("key", 6, 10, pieces())
    assert packed_files.budget() == 504


def test_a_full_disk_is_said_with_folder_and_size(tmp_path: Path) -> None:
    def full() -> Iterator[Tensor]:
        yield ROWS[:4]
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(BenchError, match=r"packed: 5\.7 MiB .* the disk is full; make room") as caught:
        PackedFiles(tmp_path / "packed").get("key", 6, 10**6, full())
    assert str(tmp_path) in str(caught.value)
    assert not list((tmp_path / "packed").iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_is_really_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "open", lambda self, mode: open("/dev/full", "wb"))  # noqa: PTH123, SIM115
    monkeypatch.setattr(packed_files_module, "_whole", lambda path, size: None)
    with pytest.raises(BenchError, match="the disk is full"):
        PackedFiles(tmp_path).get("key", 6, 10, pieces())


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "packed").write_text("a file")
    with pytest.raises(BenchError, match="packed samples cannot be kept"):
        PackedFiles(tmp_path / "packed").get("key", 6, 10, pieces())

"""Packs in folders that may only be read: what is there is used, what is lacking is decoded as it is needed."""

from __future__ import annotations

import builtins
import errno
import os
import warnings
from pathlib import Path

import pytest
import torch

from bench.core.errors import BenchError
from bench.data.stored.packing.decoder import Decoder
from bench.data.stored.source import Stored
from tests.bench.data.stored.conftest import Folder
from tests.bench.data.stored.packing.damaged_rows import damaged_rows

pytestmark = pytest.mark.usefixtures("all_sets_are_packed")
SHARED = {"split": "shared"}


def freeze(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the system refuse to write below a folder, as it does on a file system mounted read-only."""
    opened, opened_low, made = builtins.open, os.open, os.mkdir

    def refuse(path: object) -> None:
        if isinstance(path, str | os.PathLike) and Path(path).is_relative_to(folder):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    def open_it(path, mode="r", *rest, **options):
        if set(mode) & set("wax+"):
            refuse(path)
        return opened(path, mode, *rest, **options)

    def open_low(path, flags, *rest, **options):
        if flags & (os.O_WRONLY | os.O_RDWR):
            refuse(path)
        return opened_low(path, flags, *rest, **options)

    def make(path, *rest, **options):
        if not Path(path).exists():
            refuse(path)
        return made(path, *rest, **options)

    monkeypatch.setattr(builtins, "open", open_it)
    monkeypatch.setattr(os, "open", open_low)
    monkeypatch.setattr(os, "mkdir", make)


def pictures(source: Stored, size: int) -> torch.Tensor:
    source.own_pack(size)  # as a loader asks
    return torch.cat([source.render(part, torch.arange(source.count(part)), size).bg_fg for part in ("train", "test")])


def test_a_whole_pack_is_read(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / "packed"
    plain = pictures(Stored(folder.root, packed=None, **SHARED), 32)
    Stored(folder.root, packed=packed, **SHARED).pack(32)
    freeze(packed, monkeypatch)
    monkeypatch.setattr(Decoder, "sample", lambda self, row: pytest.fail("decoded although it is packed"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        source = Stored(folder.root, packed=packed, **SHARED)
        assert source.own_pack(32) == "whole"
        assert torch.equal(pictures(source, 32), plain)
        assert damaged_rows(source.pack(32)) == 0


def test_what_it_lacks_is_decoded_as_it_is_needed(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "packed"
    plain = pictures(Stored(folder.root, packed=None, **SHARED), 32)
    before = Stored(folder.root, packed=packed, **SHARED)
    before.own_pack(32)
    before.render("test", torch.arange(1), 32)
    freeze(packed, monkeypatch)
    source = Stored(folder.root, packed=packed, **SHARED)
    with pytest.warns(RuntimeWarning, match="may only be read, and lacks some of the quartets of 32 px"):
        assert source.own_pack(32) == "none"
    assert torch.equal(pictures(source, 32), plain)
    assert source.reader(32).pack.samples.written() == 1
    with pytest.raises(BenchError, match=r"packed data cannot be kept.*name another folder"):
        source.pack(32)


def test_without_a_pack_all_is_decoded(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / "packed"
    packed.mkdir()
    plain = pictures(Stored(folder.root, packed=None, **SHARED), 32)
    freeze(packed, monkeypatch)
    with pytest.warns(RuntimeWarning, match=r"may only be read, and holds no quartets of 64 px.*--packed"):
        source = Stored(folder.root, packed=packed, **SHARED)
    with pytest.warns(RuntimeWarning, match="holds no quartets of 32 px"):
        assert torch.equal(pictures(source, 32), plain)
    with pytest.raises(BenchError, match="Read-only file system; name another folder"):
        source.pack(32)
    assert not list(packed.iterdir())

"""Zips: what may be in one from a stranger, as other programs write them, and damaged."""

from __future__ import annotations

import struct
import threading
import zipfile
from pathlib import Path

import pytest
import torch

from bench.core.errors import BadData
from bench.data.stored.files.roots import Roots
from bench.data.stored.source import Stored
from tests.bench.data.stored.files.refusals import NAME, refused, skipping


def test_damage_within_a_zip(folder, tmp_path: Path) -> None:
    path = folder.zipped(tmp_path / "set.zip")
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(NAME)
    content = bytearray(path.read_bytes())
    content[info.header_offset + 30 + len(NAME) + 60] ^= 0xFF
    path.write_bytes(content)
    assert "CRC" in refused(path)["bg001_fg001_01.png"]
    assert skipping(path).describe()["skipped"] == 1


def test_a_zip_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("no zip")
    with pytest.raises(BadData, match="neither a folder nor a zip"):
        Stored(tmp_path / "x.zip")
    with pytest.raises(BadData, match="no such folder or zip"):
        Stored(tmp_path / "y.zip")


def test_what_a_zip_from_a_stranger_may_hold(folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder.zipped(tmp_path / "set.zip")
    picture = (folder.root / NAME).read_bytes()
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name in ("../../bg_fg/bg001_fg009_01.png", "/etc/bg001_fg008_01.png", "C:\\bg_fg\\bg001_fg007_01.png"):
            archive.writestr(name, picture)
        archive.writestr("inner.zip", b"PK")
        archive.writestr("mask/bg001_fg006_01.png", bytes(2**25))
        archive.writestr("bg_fg/bg001_fg005_01.png", picture)
    content = path.read_bytes()
    at = content.rindex(b"bg_fg/bg001_fg005_01.png") - 46
    assert content[at : at + 4] == b"PK\x01\x02"
    flags = struct.unpack("<H", content[at + 8 : at + 10])[0] | 1
    path.write_bytes(content[: at + 8] + struct.pack("<H", flags) + content[at + 10 :])
    problems = refused(path)
    assert problems == {
        "bg001_fg009_01.png": "its path leaves the zip",
        "bg001_fg008_01.png": "its path leaves the zip",
        "\\bg_fg\\bg001_fg007_01.png": "its path leaves the zip",
        "inner.zip": "a zip within a zip; unpack it first",
        "bg001_fg006_01.png": problems["bg001_fg006_01.png"],
        "bg001_fg005_01.png": "encrypted",
    }
    assert problems["bg001_fg006_01.png"].startswith("a bomb")
    assert not (tmp_path.parent / "bg_fg").exists()
    assert len(skipping(path).catalogue.entries) == 16


def test_a_zip_with_names_as_other_programs_write_them(folder, tmp_path: Path) -> None:
    """Backslashes between folders, a dot in front, no entries for folders, a comment, bytes before the zip."""
    path = tmp_path / "odd.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.root.rglob("*.png")):
            name = file.relative_to(folder.root).as_posix()
            archive.write(file, "./" + name if name.startswith("mask") else name.replace("/", "\\"))
        archive.comment = b"made elsewhere"
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    source = Stored(path, split="shared")
    assert source.describe()["parts"] == Stored(folder.root, split="shared").describe()["parts"]
    assert torch.equal(
        source.render("train", torch.arange(5), 32).mask,
        Stored(folder.zipped(tmp_path / "plain.zip"), split="shared").render("train", torch.arange(5), 32).mask,
    )


def test_a_zip_deeper_in_a_folder_is_counted(folder, tmp_path: Path) -> None:
    (folder.root / "parts").mkdir()
    folder.zipped(tmp_path / "more.zip").rename(folder.root / "parts/more.zip")
    assert any("not read: 1 .zip" in note for note in Stored(folder.root, split="shared").notes)


def test_a_zip_in_pieces_or_cut_short(folder, tmp_path: Path) -> None:
    whole = folder.zipped(tmp_path / "set.zip").read_bytes()
    for name, content in (("set.z01", whole[: len(whole) // 2]), ("cut.zip", whole[: len(whole) // 2])):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadData, match="neither a folder nor a zip"):
            Stored(tmp_path / name)


def test_overlapping_members_are_a_bomb(folder, tmp_path: Path) -> None:
    """A zip whose members all are one stretch of bytes: more packed bytes are listed than the file has."""
    path = folder.zipped(tmp_path / "set.zip")
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    content = path.read_bytes()
    start = content.index(b"PK\x01\x02")
    directory = content[start : content.index(b"PK\x05\x06")] * 40
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 40 * len(members), 40 * len(members), len(directory), start, 0)
    path.write_bytes(content[:start] + directory + end)
    assert all("bomb" in reason for reason in refused(path).values() if "no " not in reason)


def test_a_zip_that_changes_while_it_is_read(folder, tmp_path: Path) -> None:
    path = folder.zipped(tmp_path / "set.zip")
    roots = Roots.open([path])
    folder.zipped(path, "bg")
    content: list[object] = []

    def read() -> None:
        try:
            content.append(roots.read(roots.files[-1]))
        except ValueError as error:
            content.append(str(error))

    thread = threading.Thread(target=read)  # a thread without a handle of its own yet
    thread.start()
    thread.join()
    assert content == ["the zip changed while it was read"]

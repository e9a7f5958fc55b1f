"""Files on systems that lack something: hard links, locks, permission, room."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from pathlib import Path

import filelock
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core import files
from bench.core.errors import BenchError


def refuse(code: int):
    def fails(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return fails


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK])
def test_without_hard_links_a_new_file_is_still_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(os, "link", refuse(code))
    assert files.create(tmp_path / "record", "first")
    assert not files.create(tmp_path / "record", "second")
    assert (tmp_path / "record").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["record"]


@pytest.mark.parametrize("code", sorted(files._NO_LOCKS))
def test_a_file_system_without_locks_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    import fcntl

    monkeypatch.setattr(fcntl, "flock", refuse(code))
    way_out = "has no locks: choose a folder on a local disk, with --runs and --results"
    with pytest.raises(BenchError, match=way_out), files.lock(tmp_path / "lock"):
        pytest.fail("held")


def test_a_lock_that_others_hold_is_no_missing_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    monkeypatch.setattr(fcntl, "flock", refuse(errno.EWOULDBLOCK))
    files._check_locks(tmp_path / "lock")


def test_systems_with_locks_of_their_own_are_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    files._check_locks(tmp_path / "lock")
    assert not (tmp_path / "lock").exists()


def test_locks_that_are_not_implemented_are_missing_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def acquire(self) -> None:
            raise NotImplementedError

    monkeypatch.setattr(filelock, "FileLock", Nothing)
    with pytest.raises(BenchError, match="has no locks"), files.lock(tmp_path / "deep" / "lock"):
        pytest.fail("held")


def test_a_lock_is_given_up_whatever_happens(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), files.lock(tmp_path / "deep" / "lock", wait=False):
            raise ZeroDivisionError


class Kind:
    """A path of which one thing is said."""

    def __init__(self, **answers: object) -> None:
        self.answers = answers

    def __getattr__(self, name: str):
        return lambda *_: self.answers.get(name, False)


@pytest.mark.parametrize(
    ("answers", "writable", "reason"),
    [
        ({"is_dir": True}, True, "it is a folder"),
        ({"is_block_device": True}, True, "it is a disk"),
        ({"exists": True, "is_file": True}, False, "no permission"),
    ],
)
def test_what_may_not_be_written_to(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, object], writable: bool, reason: str
) -> None:
    monkeypatch.setattr(files, "_place", lambda path: Kind(**answers))
    monkeypatch.setattr(os, "access", lambda path, mode: writable)
    with pytest.raises(BenchError, match=f"--html: cannot write page: {reason}"):
        files.check_writable(Path("page"), "--html")


def test_a_place_that_cannot_even_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "stat", refuse(errno.EACCES))
    with pytest.raises(BenchError, match="--json: cannot write page: Permission denied"):
        files.check_writable(Path("page"), "--json")


def test_outputs_that_were_not_asked_for_are_not_checked(tmp_path: Path) -> None:
    files.check_outputs({"--out": None, "--json": tmp_path / "a.json"})
    with pytest.raises(BenchError, match="--html: cannot write"):
        files.check_outputs({"--out": tmp_path / "page", "--html": tmp_path})


def test_a_folder_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError, match="folder"):
        files.replace(tmp_path / "folder", "text")
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o664])
def test_a_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "page"
    path.write_text("before")
    path.chmod(mode)
    files.replace(path, b"after")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"after", mode)


@settings(max_examples=20)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.binary(max_size=30))
def test_what_is_written_is_what_is_read(tmp_path_factory: pytest.TempPathFactory, content: str | bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "written" / "deep" / "page"
    files.replace(path, content, durable=False)
    expected = content.encode() if isinstance(content, str) else content
    assert path.read_bytes() == expected


def test_names_that_are_no_utf_8_are_written_as_the_system_has_them(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    files.replace(tmp_path / "list", name)
    assert (tmp_path / "list").read_bytes() == b"caf\xe9"


@pytest.mark.parametrize("name", ["page", "a[1]*?.html", "x" * 200, ".hidden"])
def test_writing_clears_away_what_kills_left_of_that_very_file(tmp_path: Path, name: str) -> None:
    old = [tmp_path / f"{files._prefix(name)}{letter}.tmp" for letter in "ab"]
    other, young = tmp_path / ".other.a.tmp", tmp_path / f"{files._prefix(name)}young.tmp"
    for path in (*old, other, young):
        path.write_text("half")
    long_ago = time.time() - files.STRAY_AGE - 9
    for path in (*old, other):
        os.utime(path, (long_ago, long_ago))
    files.replace(tmp_path / name, "whole")
    assert {path.name for path in tmp_path.iterdir()} == {name, other.name, young.name}

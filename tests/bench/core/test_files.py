"""Files are written whole or not at all, never over a device or a link; what cannot be written is found out first."""

import errno
import json
import os
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core import files
from bench.core.errors import BenchError


def device(folder: Path) -> Path:
    path = folder / "nul"
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("making a device needs root")
    return path


def test_a_device_is_written_to_and_stays_one(tmp_path: Path) -> None:
    path = device(tmp_path)
    files.check_writable(path, "--out")
    files.replace(path, "text")
    assert path.is_char_device()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_a_link(tmp_path: Path, exists: bool) -> None:
    target, link = tmp_path / "deep" / "target", tmp_path / "link"
    target.parent.mkdir()
    if exists:
        target.write_text("before")
        target.chmod(0o600)
    link.symlink_to(target)
    files.check_writable(link, "--out")
    files.replace(link, "text")
    assert link.is_symlink()
    assert target.read_text() == "text"
    assert stat.S_IMODE(target.stat().st_mode) == (0o600 if exists else 0o644)


def test_what_can_be_made_again_is_not_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: pytest.fail("synced"))
    monkeypatch.setattr(files, "remove_strays", lambda folder, name: pytest.fail("the folder is searched"))
    (tmp_path / "page").write_text("before")
    files.replace(tmp_path / "page", "text", durable=False)
    assert (tmp_path / "page").read_text() == "text"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("call", ["replace", "fsync", "chmod"])
def test_no_temporary_file_is_left_when_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fails(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "page").write_text("before")
    monkeypatch.setattr(os if call == "fsync" else Path, call, fails)
    with pytest.raises(OSError, match="No space"):
        files.replace(tmp_path / "page", "text")
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["page"]
    assert (tmp_path / "page").read_text() == "before"


def afile(folder: Path) -> Path:
    (folder / "afile").write_text("x")
    return folder / "afile"


@pytest.mark.parametrize(
    "place",
    [
        lambda folder: folder,
        lambda folder: afile(folder) / "page",
        lambda folder: Path("/proc/page"),
        lambda folder: Path("/proc/nowhere/page"),
        lambda folder: folder / ("x" * 300),
    ],
    ids=["a folder", "below a file", "proc", "deep in proc", "too long a name"],
)
def test_what_cannot_be_written_is_found_out_first(tmp_path: Path, place: Callable[[Path], Path]) -> None:
    path = place(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(BenchError, match=r"--out: cannot write"):
        files.check_writable(path, "--out")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("place", [afile, lambda folder: Path("/proc/nowhere")], ids=["a file", "proc"])
def test_a_folder_that_cannot_be_one_is_found_out_first(tmp_path: Path, place: Callable[[Path], Path]) -> None:
    with pytest.raises(BenchError, match=r"--results: cannot write"):
        files.check_folder(place(tmp_path), "--results")


def test_finding_out_leaves_nothing(tmp_path: Path) -> None:
    files.check_writable(tmp_path / "a" / "b" / "page", "--out")
    files.check_folder(tmp_path / "c" / "d", "--runs")
    assert list(tmp_path.iterdir()) == []


def test_only_old_stray_files_are_removed(tmp_path: Path) -> None:
    old, new, other = tmp_path / ".a.tmp", tmp_path / ".b.tmp", tmp_path / "c.tmp"
    for path in (old, new, other):
        path.write_text("half")
    long_ago = time.time() - 2 * files.STRAY_AGE
    os.utime(old, (long_ago, long_ago))
    files.remove_strays(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".b.tmp", "c.tmp"]


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    with files.lock(tmp_path / "lock"), pytest.raises(files.Taken), files.lock(tmp_path / "lock", wait=False):
        pass
    with files.lock(tmp_path / "lock", wait=False):
        pass


def test_a_new_file_is_never_made_twice(tmp_path: Path) -> None:
    """Of many writers exactly one makes it, with all of its content."""
    contents = [f"{i} " * 2000 for i in range(16)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda content: files.create(tmp_path / "record", content), contents))
    assert sum(made) == 1
    assert (tmp_path / "record").read_text() == contents[made.index(True)]
    assert [path.name for path in tmp_path.iterdir()] == ["record"]


def test_readers_see_the_old_or_the_new(tmp_path: Path) -> None:
    path, contents = tmp_path / "page", ["a" * 100_000, "b" * 50_000]
    files.replace(path, contents[0])

    def write() -> None:
        for i in range(40):
            files.replace(path, contents[i % 2])

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while not writing.done():
            assert path.read_text() in contents
        writing.result()


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


@given(VALUES)
def test_canonical_json_reads_back_and_is_ascii(value: object) -> None:
    text = files.canonical_json(value)
    assert json.loads(text) == value
    assert text.isascii()
    assert files.canonical_json(json.loads(text)) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_canonical_json_refuses_what_json_has_not(value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        files.canonical_json({"a": [value]})


def test_several_find_out_about_one_folder_at_once(tmp_path: Path) -> None:
    """Each makes the folder and takes it away again, under the feet of the others."""
    with ThreadPoolExecutor(8) as pool:
        for tried in [pool.submit(files.check_folder, tmp_path / "a" / "b", "--results") for _ in range(200)]:
            tried.result()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("write", [files.replace, files.create])
def test_a_full_disk_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, bytes], object]
) -> None:
    """The system names none when it has no room for what is written to an open file."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"result\.json"):
        write(tmp_path / "result.json", b"text")
    assert not list(tmp_path.iterdir())


def test_a_pipe_is_written_to_by_the_name_that_the_system_has_for_it() -> None:
    """As ``/dev/stdout`` is, which leads to a name in /proc that is no path."""
    read, write = os.pipe()
    path = Path(f"/proc/self/fd/{write}")
    files.check_writable(path, "OUT")
    files.replace(path, "rows")
    os.close(write)
    with os.fdopen(read) as pipe:
        assert pipe.read() == "rows"

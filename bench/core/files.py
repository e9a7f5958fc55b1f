"""The project's atomic writer, its lock, and its canonical JSON."""

from __future__ import annotations

import errno
import glob
import json
import os
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.core.errors import BenchError

_PREFIX, _SUFFIX = ".", ".tmp"
_NAMED = 40
"""Letters of a file's name in that of its temporary file, whose whole length is limited."""
STRAY_AGE = 3600.0
"""Seconds after which a temporary file counts as abandoned."""
_TRIES = 20
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


def canonical_json(value: Any) -> str:
    """Canonical JSON: keys sorted, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def replace(path: Path, content: str | bytes, durable: bool = True) -> None:
    """Replace a file atomically: a reader sees the old content or the new, never a part.

    A link stays a link, and what it points to is replaced; the file keeps its mode. A device or a pipe is written to.

    Args:
        path: of the file.
        content: all of it.
        durable: have it on disk before the old content goes, and look for what a kill left; for files of which there
            are thousands, and that the same command makes again, both cost more than making them.
    """
    place = _place(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists() and not place.is_file():
        if place.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        place.open("wb").write(_bytes(content))
        return
    mode = stat.S_IMODE(place.stat().st_mode) if place.exists() else None
    if durable:
        remove_strays(place.parent, place.name)
    temporary = _temporary(place, content, mode, durable)
    try:
        temporary.replace(place)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def create(path: Path, content: str | bytes) -> bool:
    """Make a new file with all its content at once; False when the name is taken."""
    temporary = _temporary(path, content)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        if path.exists():
            return False
        temporary.replace(path)
        return True
    finally:
        temporary.unlink(missing_ok=True)
    return True


def remove_strays(folder: Path, name: str = "") -> None:
    """Remove the temporary files that a kill left in a folder; those that may still be written to stay.

    Args:
        folder: where they lie.
        name: of the file that they were to become; empty for any.
    """
    for stray in folder.glob(f"{glob.escape(_prefix(name))}*{_SUFFIX}"):
        with suppress(OSError):
            if time.time() - stray.stat().st_mtime > STRAY_AGE:
                stray.unlink()


def check_writable(path: Path, option: str) -> None:
    """Find out before any work whether a file can be written; leaves nothing behind.

    Args:
        path: of the file; neither it nor the folders above it need to exist.
        option: that named it, for the message.

    Raises:
        BenchError: it cannot.
    """
    _refuse_stream(path, option)
    place = _place(path)
    try:
        place.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise BenchError(f"{option}: cannot write {path}: {error.strerror}") from error
    if place.is_dir():
        raise BenchError(f"{option}: cannot write {path}: it is a folder")
    if place.is_block_device():
        raise BenchError(f"{option}: cannot write {path}: it is a disk")
    if place.exists() and not os.access(place, os.W_OK):
        raise BenchError(f"{option}: cannot write {path}: no permission")
    if not place.exists() or place.is_file():
        check_folder(place.parent, option, path)


def check_outputs(outputs: Mapping[str, Path | None]) -> None:
    """`check_writable` for all files that a command was asked to write, by the options that named them.

    Raises:
        BenchError: a file cannot be written.
    """
    for option, path in outputs.items():
        if path is not None:
            check_writable(path, option)


def check_folder(folder: Path, option: str, path: Path | None = None) -> None:
    """Find out before any work whether files can be made in a folder; leaves nothing behind.

    Args:
        folder: it need not exist.
        option: that named it, for the message.
        path: what is to be written in it, if the message shall name that.

    Raises:
        BenchError: they cannot.
    """
    _refuse_stream(folder, option)
    place = Path(os.path.realpath(folder))
    for _ in range(_TRIES):
        try:
            return _try_folder(place)
        except (FileExistsError, FileNotFoundError) as error:  # another process tries the same folder just now
            failure: OSError = error
        except OSError as error:
            failure = error
            break
    raise BenchError(f"{option}: cannot write {path or folder}: {failure.strerror}") from failure


def _place(path: Path) -> Path:
    """What a path leads to; itself where that is a pipe, which ``/dev/stdout`` leads to by a name that is no path."""
    place = Path(os.path.realpath(path))
    with suppress(OSError):
        if not os.path.lexists(place) and path.exists():
            return path
    return place


def _refuse_stream(path: Path, option: str) -> None:
    """Refuse ``-``, which would quietly become a file of that name; what can print takes it before it comes here."""
    if str(path) == "-":
        raise BenchError(f"{option}: cannot write -: it means standard output, which {option} does not print to")


def _try_folder(place: Path) -> None:
    """Make a file in a folder and take everything away again."""
    made: list[Path] = []
    try:
        for above in reversed([place, *place.parents]):
            if not above.exists():
                above.mkdir()
                made.append(above)
        with tempfile.TemporaryFile(dir=place):  # permissions are not enough: /proc takes no files
            pass
    finally:
        for above in reversed(made):
            with suppress(OSError):
                above.rmdir()


class Taken(Exception):
    """Another process, or another part of this process, holds the lock."""


@contextmanager
def lock(path: Path, wait: bool = True) -> Iterator[None]:
    """Hold a lock; a process that ends gives up its locks, however it ends.

    Args:
        path: the lock's file, which stays.
        wait: until others give it up.

    Raises:
        Taken: it is held elsewhere, and this call does not ``wait``.
        BenchError: the file system has no locks.
    """
    from filelock import FileLock, Timeout  # not needed by what only reads

    path.parent.mkdir(parents=True, exist_ok=True)
    _check_locks(path)
    held = FileLock(path, timeout=-1 if wait else 0)
    try:
        held.acquire()
    except Timeout:
        raise Taken(str(path)) from None
    except NotImplementedError:
        raise BenchError(_no_locks(path)) from None
    try:
        yield
    finally:
        held.release()


def _check_locks(path: Path) -> None:
    """Whether the file system knows locks at all: without them a lock looks as if it were held."""
    try:
        import fcntl
    except ImportError:  # another system, with locks of its own
        return
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                raise BenchError(_no_locks(path)) from error


def _no_locks(path: Path) -> str:
    return f"the file system of {path.parent} has no locks: choose a folder on a local disk, with --runs and --results"


def _temporary(path: Path, content: str | bytes, mode: int | None = None, durable: bool = True) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path.name), suffix=_SUFFIX)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_bytes(content))
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.chmod(0o644 if mode is None else mode)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.filename is None:  # the system names no file when a disk is full
            error.filename = str(path)
        raise
    return temporary


def _prefix(name: str) -> str:
    """How temporary files begin that are to become the file of that name."""
    return f"{_PREFIX}{name[:_NAMED]}{_PREFIX}" if name else _PREFIX


def _bytes(content: str | bytes) -> bytes:
    return content.encode("utf-8", errors="surrogateescape") if isinstance(content, str) else content

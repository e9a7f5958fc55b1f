"""An export that the disk is too small for: the file is named, and the same command goes on."""

import errno
import zipfile
from pathlib import Path

import pytest

from bench.core.errors import CannotWrite
from bench.data.stored.export import export
from tests.bench.rectangles import Rectangles


def full(*given: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("kind", "method", "named"), [(Path, "write_bytes", "BG"), (zipfile.ZipFile, "write", "e.zip")]
)
def test_the_file_is_named_and_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type, method: str, named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(kind, method, full)
        with pytest.raises(CannotWrite, match=rf"^cannot write .*{named}.*: No space left .* e.zip.part holds"):
            export(Rectangles(), "003", 8, Path("e.zip"), size=32)
    assert [path.name for path in tmp_path.iterdir()] == ["e.zip.part"]
    assert export(Rectangles(), "003", 8, Path("e.zip"), size=32) == 8
    assert [path.name for path in tmp_path.iterdir()] == ["e.zip"]
    assert not [name for name in zipfile.ZipFile("e.zip").namelist() if name.startswith("export.")]

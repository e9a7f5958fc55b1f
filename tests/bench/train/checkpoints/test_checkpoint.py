"""Checkpoint files: written whole or not at all, read without running code, damaged ones named."""

from __future__ import annotations

import errno
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.core.errors import BadData, CannotWrite
from bench.train.checkpoints import checkpoint
from bench.train.checkpoints.checkpoint import PART

CPU = torch.device("cpu")
STATE: dict[str, Any] = {
    "model": {"weight": torch.arange(6.0).view(2, 3), "count": torch.tensor(7)},
    "history": [{"epoch": 1, "val_loss": {"total": 0.5}}],
    "best_epoch": None,
    "texts": ["a", "b"],
    "random": [3, list(range(700)), None],
}


class Harmful:
    """What a pickle could do: run something when it is read."""

    def __reduce__(self) -> Any:
        return pytest.fail, ("code in a checkpoint was run",)


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "new" / "last.pt", STATE)
    found = checkpoint.load(tmp_path / "new" / "last.pt", CPU)
    assert torch.equal(found["model"]["weight"], STATE["model"]["weight"])
    assert {name: value for name, value in found.items() if name != "model"} == {
        name: value for name, value in STATE.items() if name != "model"
    }
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["last.pt"]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device; free some space and run again"),
        (OSError(errno.EACCES, "Permission denied"), "Permission denied"),
        (RuntimeError("unexpected pos 64 vs 0\nmore"), "unexpected pos 64 vs 0; free some space and run again"),
    ],
)
def test_what_cannot_be_written_leaves_the_earlier_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, says: str
) -> None:
    path = tmp_path / "last.pt"
    checkpoint.save(path, {"epoch": 1})

    def failing(state: object, place: Path) -> None:
        place.write_bytes(b"half")
        raise error

    monkeypatch.setattr(torch, "save", failing)
    with pytest.raises(CannotWrite) as raised:
        checkpoint.save(path, STATE)
    assert str(raised.value) == f"cannot write the checkpoint last.pt: {says}"
    assert [file.name for file in tmp_path.iterdir()] == ["last.pt"]
    assert checkpoint.load(path, CPU) == {"epoch": 1}


def saved(path: Path, what: object = STATE) -> Path:
    torch.save(what, path)
    return path


def flipped(path: Path, place: int) -> Path:
    content = bytearray(saved(path).read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    return path


def of_bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


DAMAGED = {
    "empty": lambda path: of_bytes(path, b""),
    "no zip": lambda path: of_bytes(path, b"\x80\x02K\x01."),
    "half": lambda path: of_bytes(path, saved(path).read_bytes()[:400]),
    "a list": lambda path: saved(path, [1, 2]),
    "a tensor": lambda path: saved(path, torch.zeros(2)),
    "a pickle": lambda path: of_bytes(path, pickle.dumps(Harmful())),
    "code": lambda path: saved(path, {"model": Harmful()}),
    "another zip": lambda path: of_bytes(path, b"PK\x05\x06" + bytes(18)),
    "a folder": lambda path: path.mkdir() or path,
    "nothing": lambda path: path,
}


@pytest.mark.parametrize("way", DAMAGED)
def test_what_is_no_state_is_named(tmp_path: Path, way: str) -> None:
    path = DAMAGED[way](tmp_path / "last.pt")
    with pytest.raises(BadData) as raised:
        checkpoint.load(path, CPU)
    (problem,) = raised.value.problems
    assert problem[0] == str(path) and len(problem[1].splitlines()) == 1
    assert "to start anew" in str(raised.value)


def test_a_flipped_bit_of_a_tensor_is_found(tmp_path: Path) -> None:
    content = saved(tmp_path / "last.pt").read_bytes()
    place = content.index(torch.tensor([2.0, 3.0]).numpy().tobytes())
    with pytest.raises(BadData, match="checksum"):
        checkpoint.load(flipped(tmp_path / "last.pt", place), CPU)


def test_what_is_set_aside_is_out_of_the_way(tmp_path: Path) -> None:
    path = of_bytes(tmp_path / "last.pt", b"bad")
    assert checkpoint.set_aside(path) == tmp_path / "last.pt.damaged"
    of_bytes(path, b"worse")
    assert checkpoint.set_aside(path).read_bytes() == b"worse", "the last counts"
    assert checkpoint.set_aside(of_bytes(path, b"other"), checkpoint.OTHER).name == "last.pt.other"
    assert not path.exists() and not list(tmp_path.glob(f"*{PART}"))

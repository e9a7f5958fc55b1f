"""What predicts depth for pictures that have none: a local Hugging Face model, or a function of the user's."""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.core.errors import BenchError
from bench.data.stored.teacher.hugging_face import load_hugging_face

UNITS = {"m": "greater is farther, in metres", "unit": "greater is farther", "inverse": "greater is nearer"}
"""What a teacher's numbers may be."""
DepthFunction = Callable[[Tensor], Tensor]
"""From pictures (B, 3, H, W) in [0, 1] to depth (B, h, w) or (B, 1, h, w), of any size."""


@dataclass(frozen=True)
class Teacher:
    """A depth model.

    Attributes:
        name: for people: of its folder, or of its function.
        digest: of its files; another digest is another teacher.
        unit: a key of `UNITS`.
        predict: the network.
        is_declared: whether the user said the unit, not the model.
    """

    name: str
    digest: str
    unit: str
    predict: DepthFunction
    is_declared: bool = False

    @property
    def description(self) -> dict[str, str]:
        """What identifies it, as JSON, without paths."""
        return {"name": self.name, "digest": self.digest, "unit": self.unit}


def load_teacher(model: str, unit: str = "auto", device: torch.device | None = None) -> Teacher:
    """The teacher that ``--depth-model`` names; nothing is downloaded.

    Args:
        model: a folder that `transformers` saved a depth model in, or ``package.module:function``. A function may have
            attributes ``depth_unit`` (a key of `UNITS`) and ``identity`` (text that changes with what it computes).
        unit: a key of `UNITS`; ``auto``: what the model says, else ``inverse``.
        device: where a Hugging Face model computes; None: the CPU.

    Raises:
        BenchError: no such folder or function, the extra `teacher` is not installed, or the model cannot be loaded.
    """
    if unit != "auto" and unit not in UNITS:
        raise BenchError(f"depth of a teacher is in {', '.join(UNITS)} or auto, not --depth-unit {unit}")
    if Path(model).is_dir():
        predict, own_unit = load_hugging_face(Path(model), device or torch.device("cpu"))
        return Teacher(
            Path(model).resolve().name, _digest_of_folder(Path(model)), _choose(unit, own_unit), predict, unit != "auto"
        )
    if ":" in model and not Path(model).exists():
        function, source = _load_function(model)
        own_unit = getattr(function, "depth_unit", "inverse")
        if own_unit not in UNITS:
            raise BenchError(f"{model}: its depth_unit is one of {', '.join(UNITS)}, not {own_unit!r}")
        try:
            identity = f"{source}\0{getattr(function, 'identity', '')}"
        except OSError as error:
            raise BenchError(f"--depth-model {model}: {error.strerror}: {error.filename}") from error
        digest = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        return Teacher(model, digest, _choose(unit, own_unit), function, unit != "auto")
    raise BenchError(
        f"--depth-model {model}: neither a folder that a depth model was saved in nor package.module:function; "
        "nothing is downloaded"
    )


def _choose(declared: str, own: str) -> str:
    return own if declared == "auto" else declared


def _load_function(name: str) -> tuple[DepthFunction, str]:
    """The function, and the text of the module that it is in."""
    module_name, _, attribute = name.partition(":")
    try:
        module: Any = importlib.import_module(module_name)
        function = getattr(module, attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise BenchError(f"--depth-model {name} cannot be imported: {error}") from error
    except Exception as error:
        raise BenchError(f"--depth-model {name}: importing it fails: {type(error).__name__}: {error}") from error
    if not callable(function):
        raise BenchError(f"--depth-model {name} is not a function, but {type(function).__name__}")
    try:
        source = inspect.getsource(module)
    except (OSError, TypeError):
        source = name
    return function, source


def _digest_of_folder(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            digest.update(path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape") + b"\0")
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]

"""Settings of the whole process that code of a plug-in may alter: how each is read and put back."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.core.float32 import choose_float32, float32_choices

_FOREIGN = ("TORCHINDUCTOR_", "TRITON_", "PYTEST_")
"""Environment variables of torch's compiler and of test runners, which set them while they work."""
_COMPILERS_RECURSION = 2000
"""The recursion limit to which torch's compiler lifts a lower one."""


@dataclass(frozen=True)
class Setting:
    """A setting of the process.

    Attributes:
        name: as a sentence has it.
        get, set: its value, None where nobody can say, and how that is put back.
        decides: whether outcomes of runs, or the place of their files, follow from it.
        call: what usually alters it.
    """

    name: str
    get: Callable[[], Any]
    set: Callable[[Any], object]
    decides: bool
    call: str


@dataclass(frozen=True)
class Alteration:
    """A setting that was altered, with its value before and after."""

    setting: Setting
    before: Any
    after: Any

    def __str__(self) -> str:
        values = f" from {self.before} to {self.after}" if _is_short(self.before) and _is_short(self.after) else ""
        return f"{self.setting.name}{values} ({self.setting.call})"


def _is_short(value: Any) -> bool:
    return isinstance(value, bool | int | float | str | torch.dtype | torch.device) and len(str(value)) < 60


def _folder() -> str | None:
    try:
        return str(Path.cwd())
    except OSError:  # it was deleted
        return None


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}


def _set_environment(before: Mapping[str, str]) -> None:
    for name in _environment().keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


def _set_warnings(before: list[Any]) -> None:
    warnings.resetwarnings()
    warnings.filters[:] = before  # type: ignore[index]


def _logging() -> tuple[int, int, tuple[logging.Handler, ...]]:
    root = logging.getLogger()
    return root.manager.disable, root.level, tuple(root.handlers)


def _set_logging(before: tuple[int, int, tuple[logging.Handler, ...]]) -> None:
    root, (disabled, level, handlers) = logging.getLogger(), before
    logging.disable(disabled)
    root.setLevel(level)
    root.handlers[:] = handlers


def _set_default_device(before: torch.device) -> None:
    torch.set_default_device(None if before.type == "cpu" else before)  # a default device costs every call


def _deterministic() -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


def _set_deterministic(before: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(before[0], warn_only=before[1])


_BACKENDS = (
    (torch.backends.cudnn, ("enabled", "deterministic", "allow_tf32")),
    (torch.backends.cuda.matmul, ("allow_tf32",)),
    (torch.backends.mkldnn, ("enabled",)),
)
"""What torch's libraries compute by; `cudnn.benchmark` is this project's own to set."""


def _backends() -> list[Any]:
    own = [_attribute(owner, name) for owner, names in _BACKENDS for name in names]
    return [*own, _matmul_precision(), float32_choices()]


def _attribute(owner: object, name: str) -> Any:
    try:
        return getattr(owner, name)
    except RuntimeError:  # it was set in two ways that contradict each other
        return None


def _set_backends(before: list[Any]) -> None:
    values = iter(before)
    for owner, names in _BACKENDS:
        for name in names:
            if (value := next(values)) is not None:
                setattr(owner, name, value)
    precision, choices = values
    if precision is not None:
        torch.set_float32_matmul_precision(precision)
    choose_float32(choices)  # last: it is set by some of the others, and not by all of them put back


def _matmul_precision() -> str | None:
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:  # as of `_attribute`
        return None


def _autocast() -> tuple[bool, bool]:
    return torch.is_autocast_enabled("cpu"), torch.is_autocast_enabled("cuda")


def _set_autocast(before: tuple[bool, bool]) -> None:
    for device, enabled in zip(("cpu", "cuda"), before, strict=True):
        torch.set_autocast_enabled(device, enabled)


def _signals() -> tuple[Any, ...]:
    return tuple(map(signal.getsignal, (signal.SIGINT, signal.SIGTERM)))


def _set_signals(before: tuple[Any, ...]) -> None:
    for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
        if handler is not None:
            signal.signal(number, handler)


def _recursion_limit() -> int | None:
    limit = sys.getrecursionlimit()
    return None if limit == _COMPILERS_RECURSION else limit


def _set_recursion_limit(before: int | None) -> None:
    sys.setrecursionlimit(before or _COMPILERS_RECURSION)


SETTINGS = (
    Setting("the current folder", _folder, os.chdir, True, "os.chdir"),
    Setting("torch's default dtype", torch.get_default_dtype, torch.set_default_dtype, True, "torch.set_default_dtype"),
    Setting("torch's default device", torch.get_default_device, _set_default_device, True, "torch.set_default_device"),
    Setting(
        "the number of torch's threads", torch.get_num_threads, torch.set_num_threads, True, "torch.set_num_threads"
    ),
    Setting(
        "whether torch keeps gradients",
        torch.is_grad_enabled,
        lambda value: torch.autograd.set_grad_enabled(value),
        True,
        "torch.set_grad_enabled",
    ),
    Setting("torch's autocast", _autocast, _set_autocast, True, "torch.set_autocast_enabled"),
    Setting("torch's backends", _backends, _set_backends, True, "torch.backends"),
    Setting(
        "torch's choice of deterministic algorithms",
        _deterministic,
        _set_deterministic,
        True,
        "torch.use_deterministic_algorithms",
    ),
    Setting(
        "torch's search for anomalies",
        torch.is_anomaly_enabled,
        lambda value: torch.autograd.set_detect_anomaly(value),
        True,
        "torch.autograd.set_detect_anomaly",
    ),
    Setting("numpy's answer to errors", np.geterr, lambda value: np.seterr(**value), False, "np.seterr"),
    Setting("environment variables", _environment, _set_environment, False, "os.environ"),
    Setting("filters of warnings", lambda: list(warnings.filters), _set_warnings, False, "warnings.filterwarnings"),
    Setting("the root logger", _logging, _set_logging, False, "logging.basicConfig, logging.disable"),
    Setting("answers to signals", _signals, _set_signals, False, "signal.signal"),
    Setting("the garbage collector", gc.isenabled, lambda on: gc.enable() if on else gc.disable(), False, "gc.disable"),
    Setting("the recursion limit", _recursion_limit, _set_recursion_limit, False, "sys.setrecursionlimit"),
)

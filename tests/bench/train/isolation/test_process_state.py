"""Settings of the whole process: what a plug-in alters is put back, and refused where outcomes follow from it."""

import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.core.float32 import float32_choices
from bench.core.machine import steady_arithmetic
from bench.core.spec import Precision
from bench.train.isolation.process_state import ProcessState, settings_kept
from bench.train.isolation.settings import SETTINGS
from registry.errors import ContractError


def invert(owner: object, name: str) -> None:
    setattr(owner, name, not getattr(owner, name))


DECISIVE: dict[str, Callable[[], object]] = {
    "os.chdir": lambda: os.chdir("/"),
    "torch.set_default_dtype": lambda: torch.set_default_dtype(torch.float64),
    "torch.set_default_device": lambda: torch.set_default_device("meta"),
    "torch.set_num_threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "torch.set_grad_enabled": lambda: torch.autograd.set_grad_enabled(not torch.is_grad_enabled()),
    "torch.set_autocast_enabled": lambda: torch.set_autocast_enabled("cpu", True),
    "torch.backends": lambda: invert(torch.backends.mkldnn, "enabled"),
    "torch.use_deterministic_algorithms": lambda: torch.use_deterministic_algorithms(True, warn_only=True),
    "torch.autograd.set_detect_anomaly": lambda: torch.autograd.set_detect_anomaly(True),
}
FLOAT32: dict[str, Callable[[], object]] = {
    "all": lambda: setattr(torch.backends, "fp32_precision", "tf32"),
    "cudnn": lambda: setattr(torch.backends.cudnn, "fp32_precision", "tf32"),
    "conv": lambda: setattr(torch.backends.cudnn.conv, "fp32_precision", "tf32"),
    "rnn": lambda: setattr(torch.backends.cudnn.rnn, "fp32_precision", "tf32"),
    "matmul": lambda: setattr(torch.backends.cuda.matmul, "fp32_precision", "tf32"),
    "mkldnn": lambda: setattr(torch.backends.mkldnn.conv, "fp32_precision", "bf16"),
    "high": lambda: torch.set_float32_matmul_precision("high"),
    "medium": lambda: torch.set_float32_matmul_precision("medium"),
}
HARMLESS: dict[str, Callable[[], object]] = {
    "np.seterr": lambda: np.seterr(all="raise"),
    "os.environ": lambda: os.environ.update(MASKDEPTH_TEST="1"),
    "warnings.filterwarnings": lambda: warnings.filterwarnings("ignore", message="nothing of that kind"),
    "logging.basicConfig": lambda: logging.getLogger().addHandler(logging.NullHandler()),
    "logging.disable": lambda: logging.disable(logging.CRITICAL),
    "signal.signal": lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    "gc.disable": gc.disable,
    "sys.setrecursionlimit": lambda: sys.setrecursionlimit(sys.getrecursionlimit() + 1),
}


@pytest.mark.parametrize("call", DECISIVE)
def test_what_decides_outcomes_is_refused_and_put_back(call: str) -> None:
    before = {setting.name: setting.get() for setting in SETTINGS}
    with pytest.raises(ContractError, match=f"mine:Net alters .*{call}"), settings_kept("mine:Net"):
        DECISIVE[call]()
    assert {setting.name: setting.get() for setting in SETTINGS} == before


@pytest.mark.parametrize(("way", "precision"), [*((way, "float32") for way in FLOAT32), ("ieee", "tf32")])
def test_what_a_library_makes_of_float32_is_put_back(way: str, precision: Precision) -> None:
    """Else the next run of precision float32 would be one of TF32."""
    outside = ProcessState()
    try:
        steady_arithmetic(precision)
        before = float32_choices()
        with pytest.raises(ContractError, match=r"mine:Net alters torch's backends"), settings_kept("mine:Net"):
            FLOAT32.get(way, lambda: setattr(torch.backends.cudnn.conv, "fp32_precision", way))()
        assert float32_choices() == before
        assert torch.backends.cudnn.allow_tf32 == torch.backends.cuda.matmul.allow_tf32 == (precision == "tf32")
    finally:
        outside.put_back()


@pytest.mark.parametrize("call", HARMLESS)
def test_what_decides_nothing_is_put_back(call: str) -> None:
    state = ProcessState()
    before = {setting.name: setting.get() for setting in SETTINGS}
    HARMLESS[call]()
    [altered] = state.put_back()
    assert call in altered.setting.call
    assert {setting.name: setting.get() for setting in SETTINGS} == before
    with settings_kept("mine:Net"):
        HARMLESS[call]()
    assert {setting.name: setting.get() for setting in SETTINGS} == before


def test_the_recursion_limit_of_a_compiler_is_no_models_doing(monkeypatch: pytest.MonkeyPatch) -> None:
    lifted: list[int] = [1000]
    monkeypatch.setattr(sys, "getrecursionlimit", lambda: lifted[-1])
    monkeypatch.setattr(sys, "setrecursionlimit", lifted.append)
    state = ProcessState()
    sys.setrecursionlimit(2000)  # as torch._inductor.compile_fx does
    assert state.put_back() == []
    state = ProcessState()
    sys.setrecursionlimit(5000)
    [altered] = state.put_back()
    assert altered.after == 5000
    assert lifted[-1] == 2000


def test_every_setting_is_tried_here() -> None:
    tried = " ".join([*DECISIVE, *HARMLESS])
    assert [setting.name for setting in SETTINGS if setting.call.split(",")[0] not in tried] == []


def test_what_follows_from_an_alteration_is_named_by_it() -> None:
    named = r"default dtype from torch\.float32 to torch\.float64"
    with pytest.raises(ContractError, match=named) as caught, settings_kept("mine:Net"):
        torch.set_default_dtype(torch.float64)
        raise RuntimeError("expected scalar type Double but found Float")
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_an_error_alone_stays_that_error() -> None:
    with pytest.raises(ZeroDivisionError), settings_kept("mine:Net"):
        raise ZeroDivisionError


def test_a_folder_that_is_gone_is_no_error_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    with settings_kept("mine:Net"):
        gone.rmdir()


@pytest.mark.parametrize("way", ["close", "descriptor"])
def test_standard_output_that_was_closed_is_open_again(tmp_path: Path, way: str) -> None:
    code = f"""
import os, sys
from bench.train.isolation.process_state import settings_kept
from registry.errors import ContractError
try:
    with settings_kept("mine:Net"):
        sys.stdout.close() if {way!r} == "close" else os.close(1)
except ContractError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path.cwd())
    assert "mine:Net alters sys.stdout (closed)" in done.stdout, done.stderr


def test_a_replaced_output_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = sys.stdout
    with settings_kept("mine:Net"):
        sys.stdout = None
    assert sys.stdout is before


def test_threads_that_keep_a_program_from_ending_are_named() -> None:
    state, done = ProcessState(), threading.Event()
    threads = [threading.Thread(target=done.wait, name=name, daemon=name == "daemon") for name in ("stays", "daemon")]
    for thread in threads:
        thread.start()
    try:
        assert state.new_threads() == ["stays"]
    finally:
        done.set()
    for thread in threads:
        thread.join()
    assert state.new_threads() == []

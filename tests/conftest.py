"""What every test shares: one thread a worker and each process that it starts, no network, a small batch."""

from __future__ import annotations

import gc
import multiprocessing.util
import os
import signal
import sys
import tempfile
from collections.abc import Iterator

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: workers fill the cores, and so would their processes

import pytest
import torch
from hypothesis import settings

from registry.contract import Quartet

torch.set_num_threads(1)
# The same examples in every run of make test, so that a change is to blame for what fails; HYPOTHESIS_PROFILE=search
# looks for new ones.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

_MANY = 100
"""Modules that are worth a search for garbage when they have been imported since the last one."""
_frozen_modules = 0


def _freeze(always: bool = False) -> None:
    """Leave what has been imported and collected out of every later search for garbage.

    A run searches five times, to measure memory from where it begins; through the million objects of a process that
    has imported and collected all tests, that takes longer than a tiny run's training.
    """
    global _frozen_modules
    if always or len(sys.modules) - _frozen_modules >= _MANY:
        gc.collect()
        gc.freeze()
        _frozen_modules = len(sys.modules)


def pytest_collection_finish() -> None:
    _freeze()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    if nextitem is not None:
        _freeze(always=nextitem.path != item.path)


def pytest_unconfigure() -> None:
    gc.unfreeze()  # or libraries report objects that were never given back


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """Commands answer Ctrl-C and the like in their own way until their process ends; the next test has another.

    A shell that starts tests in the background lets them ignore Ctrl-C, which no command may.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)


@pytest.fixture(scope="session", autouse=True)
def _own_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A temporary folder of these tests alone, so that they do not wait for the device with other sweeps here."""
    tmp_path_factory.getbasetemp()  # pytest's own stays where it always is
    multiprocessing.util.get_temp_dir()  # likewise: it is removed when this process ends, after the folder
    with tempfile.TemporaryDirectory(prefix="md") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", None)  # it is looked up anew
        yield


@pytest.fixture
def no_waiting() -> Iterator[None]:
    """A test that waits for ever, as for a named pipe without a writer, fails after half a minute."""

    def fail(*_: object) -> None:
        pytest.fail("waits for ever")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, 30)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def quartet() -> Quartet:
    """Four random 64x64 scenes: soft-edged square masks, smooth depth, a tenth of the depth unknown."""
    draw = torch.Generator().manual_seed(0)
    bg, bg_fg = (torch.rand(4, 3, 64, 64, generator=draw) for _ in range(2))
    mask = torch.zeros(4, 1, 64, 64)
    for i in range(4):
        mask[i, :, 10 + 4 * i : 30 + 4 * i, 20:40] = 1.0
    depth = torch.nn.functional.interpolate(torch.rand(4, 1, 5, 5, generator=draw), size=(64, 64), mode="bilinear")
    valid = (torch.rand(4, 1, 64, 64, generator=draw) > 0.1).float()
    return Quartet(bg, bg_fg, mask, depth, valid)

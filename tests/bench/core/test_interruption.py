"""Signals: at once, or at the end of what must not be cut short; the second never waits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.core.errors import Interrupted
from bench.core.interruption import Interruption

ROOT = Path(__file__).parents[3]


@pytest.fixture
def installed() -> Iterator[Interruption]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    interruption = Interruption()
    interruption.install()
    yield interruption
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_at_once_with_its_own_exit_status(installed: Interruption, number: signal.Signals) -> None:
    with pytest.raises(Interrupted, match="the same command goes on") as caught:
        os.kill(os.getpid(), number)
    assert caught.value.exit_code == 128 + number


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_deferred_signal_waits_and_the_second_does_not(installed: Interruption, number: signal.Signals) -> None:
    with installed.deferred():
        assert not installed.requested
        os.kill(os.getpid(), number)
        assert installed.requested
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), number)
    with pytest.raises(Interrupted, match="done") as caught:
        installed.leave("done")
    assert caught.value.exit_code == 128 + number


def test_deferring_ends_with_its_block(installed: Interruption) -> None:
    with pytest.raises(KeyError), installed.deferred():
        raise KeyError
    with pytest.raises(Interrupted):
        os.kill(os.getpid(), signal.SIGTERM)


def test_no_handler_of_exceptions_takes_it_for_a_failure() -> None:
    program = (
        "import os, signal\n"
        "from bench.core.interruption import Interruption\n"
        "Interruption().install()\n"
        "try:\n    os.kill(os.getpid(), signal.SIGTERM)\nexcept Exception:\n    print('swallowed')\n"
    )
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)
    assert "Interrupted" in done.stderr
    assert "swallowed" not in done.stdout

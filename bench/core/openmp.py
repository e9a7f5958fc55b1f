"""How long the threads of a CPU's operations wait for each other before they let others compute."""

from __future__ import annotations

import os

_SPINS = "10000"
"""Rounds of waiting, some tenths of a millisecond; libgomp's own are 300,000. On two cores of which another process
takes a share, a training step of `unet` runs six times as fast so, on two free cores 3 % slower."""
_CHOICES = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


def share_cores() -> None:
    """Have operations on a CPU give up cores on which they only wait, as other threads of the process compute too.

    An operation ends when the last of its threads has done its part. If a core has gone to another thread, the others
    would keep their cores busy waiting, where that thread could compute. Results are the same bit by bit.

    To be called before torch is imported, as libgomp reads the environment once; elsewhere than on Linux it does
    nothing. What a user has chosen in the environment stays.

    Source: libgomp's manual, ``GOMP_SPINCOUNT``.
    """
    if not any(name in os.environ for name in _CHOICES):
        os.environ["GOMP_SPINCOUNT"] = _SPINS

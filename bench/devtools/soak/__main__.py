"""``python -m bench.devtools.soak [SECONDS]``: for ``MASKDEPTH_SOAK`` seconds. Default: 14 minutes.

The exit status is 1 if there was any fault.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path

from bench.devtools.soak.scenarios import SCENARIOS
from bench.devtools.soak.soak import Tally, soak

SECONDS = 840.0
"""Less than a quarter of an hour with the last case."""


def main() -> int:
    """Soak, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m bench.devtools.soak", description=__doc__)
    parser.add_argument("seconds", nargs="?", type=float, default=float(os.environ.get("MASKDEPTH_SOAK") or SECONDS))
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(2)), help="of the cases")
    parser.add_argument("--only", type=int, help="number of the only case to make, as a fault names it")
    parser.add_argument("--scenario", action="append", choices=[*SCENARIOS], default=[], help="repeatable")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak"))
    print(f"soak of {given.seconds:.0f} s, seed {given.seed}, in {folder}", flush=True)
    shown = 0

    def progress(tally: Tally, left: float) -> None:
        """Print faults that are new, and over the last line how it goes."""
        nonlocal shown
        for fault in tally.faults[shown:]:
            print(f"{_wipe()}FAULT: {fault}\n", flush=True)
        shown = len(tally.faults)
        line = (
            f"{tally.cases.total()} cases, {tally.commands} commands, {shown} with faults, {max(0.0, left):.0f} s left"
        )
        if sys.stdout.isatty():
            print(f"{_wipe()}{line}", end="", flush=True)
        elif tally.cases.total() % 20 == 0:
            print(line, flush=True)

    tally = soak(folder, given.seconds, given.seed, given.scenario, progress, given.only)
    print(f"{_wipe()}{tally.table()}")
    gc.unfreeze()  # or libraries report objects that were never given back
    if not tally.faults:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if tally.faults else 0


def _wipe() -> str:
    return "\r\033[K" if sys.stdout.isatty() else ""


if __name__ == "__main__":
    sys.exit(main())

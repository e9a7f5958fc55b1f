"""What a sweep costs beside its runs: ``python -m bench.devtools.sweep_cost [--runs 5] [--train-samples 384]``.

Makes the same runs by ``bench run``, in one process that imports once, and by ``bench sweep``, a process each, turn
about, and prints the seconds that the sweep takes more, a run and as a share of runs as long as those of ``quick``.
Others must leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.results import store

QUICK_SECONDS = 60.0
"""Of a run under ``quick`` on two cores: what the protocol is made for."""


def seconds(folder: Path, command: str, words: Sequence[str]) -> tuple[float, float]:
    """Wall time of a command in an empty folder, and the sum of its runs' own times by their records.

    Raises:
        RuntimeError: it did not end well.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = os.pathsep.join(filter(None, (os.fspath(Path.cwd()), os.environ.get("PYTHONPATH"))))
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bench", command, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    wall = time.monotonic() - began
    if done.returncode:
        raise RuntimeError(f"exit status {done.returncode}:\n{done.stdout}{done.stderr}")
    return wall, sum(record.seconds for _, record in store.read_all(folder / "results"))


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.devtools.sweep_cost", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--train-samples", type=int, default=384)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    sizes = f"--seeds {given.runs} --train-samples {given.train_samples} --epochs {given.epochs} --device cpu"
    words = ["--model", "unet", "--loss", "bce_ssim", *sizes.split(), "--no-baselines"]
    with tempfile.TemporaryDirectory(prefix="cost") as place:
        rounds = []
        for turn in range(given.rounds):
            order = ("run", "sweep") if turn % 2 == 0 else ("sweep", "run")
            rounds.append({command: seconds(Path(place) / command, command, words) for command in order})
            print({command: f"{wall:.1f} s, its runs {own:.1f} s" for command, (wall, own) in rounds[-1].items()})
    runs = given.runs
    plain, swept = (statistics.median(each[command][0] for each in rounds) for command in ("run", "sweep"))
    beside = statistics.median(each["sweep"][0] - each["sweep"][1] for each in rounds)
    more = (swept - plain) / runs
    print(f"{runs} runs of {plain / runs:.1f} s: bench run {plain:.1f} s, bench sweep {swept:.1f} s")
    print(f"a run costs {more:+.2f} s more than in bench run: {more / QUICK_SECONDS:+.1%} of {QUICK_SECONDS:.0f} s")
    print(f"beside the runs' own times the sweep takes {beside:.1f} s: start, audits, pictures, pages")


if __name__ == "__main__":
    main()

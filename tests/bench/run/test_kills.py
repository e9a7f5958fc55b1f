"""A run that is killed anywhere and continued ends bit for bit as if undisturbed, and leaves nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

KILLS = int(os.environ.get("MASKDEPTH_KILLS", "7"))
"""Moments at which the process is killed: in training, and within what writes each kind of file."""


def test_killed_anywhere_a_run_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    script = [sys.executable, "-W", "ignore", "-m", "tests.bench.run.killed_runs", str(tmp_path), str(KILLS)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(script, capture_output=True, text=True, cwd=Path(__file__).parents[3], env=environment)
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == KILLS
    assert [result for result in results if result["killed"] != -9] == []
    assert [result for result in results if result["continued"] or result["differs"]] == []

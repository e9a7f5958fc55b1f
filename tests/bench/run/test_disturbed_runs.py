"""A run that is killed, or out of disk space, anywhere and continued ends bit for bit as if undisturbed."""

import json
import os
from functools import partial
from pathlib import Path

from tests.bench.command import Command
from tests.bench.run import disturbed_runs

KILLS = int(os.environ.get("MASKDEPTH_KILLS", "7"))
"""Moments at which the process is disturbed: in training, and within what writes each kind of file."""


def disturbed(folder: Path, what: str, moments: int) -> list[dict]:
    done = Command(partial(disturbed_runs.main, what, folder, moments), folder).result()
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == moments
    return results


def test_killed_anywhere_a_run_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    results = disturbed(tmp_path, "kill", KILLS)
    assert [result for result in results if result["status"] != -9] == []
    assert [result for result in results if result["continued"] or result["differs"]] == []


def test_a_full_disk_is_said_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    results = disturbed(tmp_path, "full", KILLS)
    assert [result for result in results if result["half"]] == []
    assert [result for result in results if result["continued"] or result["differs"]] == []
    for result in results:
        assert result["status"] in (0, 2), result["words"]
        assert "Traceback" not in result["words"]
        assert any(words in result["words"] for words in ("free some space", "make room", "warning: no ")), result

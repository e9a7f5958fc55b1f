"""Waiting threads of operations give up their cores: what libgomp itself says that it does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.core.openmp import share_cores

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", ["GOMP_SPINCOUNT", "OMP_WAIT_POLICY"])
def test_a_users_choice_stays(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    monkeypatch.setenv(name, "7" if name == "GOMP_SPINCOUNT" else "active")
    before = dict(os.environ)
    share_cores()
    assert dict(os.environ) == before


@pytest.mark.skipif(sys.platform != "linux", reason="torch waits by libgomp on Linux alone")
@pytest.mark.parametrize(("chosen", "spins"), [({}, "10000"), ({"GOMP_SPINCOUNT": "7"}, "7")])
def test_a_command_sets_it_before_libgomp_is_loaded(tmp_path: Path, chosen: dict[str, str], spins: str) -> None:
    words = ["predict", "a:b", "--in", str(tmp_path), "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=tmp_path, capture_output=True, text=True, timeout=200,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "OMP_DISPLAY_ENV": "verbose", **chosen},
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    shown = [line.strip() for line in done.stderr.splitlines() if "GOMP_SPINCOUNT" in line]
    if not shown:
        pytest.skip("torch was built with another OpenMP")
    assert f"GOMP_SPINCOUNT = '{spins}'" in shown[0]

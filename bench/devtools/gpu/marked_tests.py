"""The tests that want a GPU: ``pytest -m cuda``, by files."""

from __future__ import annotations

import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.devtools.gpu.plan import parts
from bench.devtools.gpu.worker import Setting

_TESTS = "tests/bench", "tests/registry"
_MARK = "mark.cuda"
_AT_ONCE = 3
_NONE_COLLECTED = 5  # pytest's code
_LONGEST = "test_kernels.py", "test_engines.py"
"""Files that begin first, as they take longest."""
_OF_LIMIT = 0.85
"""Share of a part's limit that pytest has: the rest is for the start of the part's process, and for writing."""


def tests(setting: Setting) -> None:
    """All tests marked cuda, a process for each file and some of these at once; a line per failure and per file.

    Most of what they take is the host's: torch.compile, and kernels that are compiled for several sizes.

    Raises:
        TimeoutError: the part's time ran out; what pytest said by then is written down.
        RuntimeError: tests failed.
    """
    until = time.monotonic() + _OF_LIMIT * parts()["tests"].limit
    codes = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        started = [pool.submit(_pytest, setting.scratch / str(i), path, until) for i, path in enumerate(_marked())]
        for future in as_completed(started):
            done = future.result()
            codes.append(done.code)
            for name, reason in done.failures:
                setting.journal.line("tests", failed=name, reason=reason)
            setting.journal.line("tests", **done.facts())
    if None in codes:
        raise TimeoutError("pytest was stopped; what it said last is in `output`")
    if setting.cuda and any(codes):
        raise RuntimeError(f"pytest ended with {', '.join(str(code) for code in codes if code)}")


@dataclass(frozen=True)
class _TestedFile:
    """What pytest found in a file of tests, and its code; None if its time ran out."""

    path: Path
    code: int | None
    seconds: float
    said: str
    cases: list[ElementTree.Element]

    @property
    def failures(self) -> list[tuple[str, str]]:
        """Name and reason of each test that failed."""
        found = []
        for case in self.cases:
            reason = next((each for each in map(case.find, ("failure", "error")) if each is not None), None)
            if reason is not None:
                found.append((f"{case.get('classname')}::{case.get('name')}", (reason.text or "")[-1200:]))
        return found

    def facts(self) -> dict[str, Any]:
        """For a line; of a file that was stopped by what pytest had printed."""
        return {
            "of": str(self.path),
            "run": len(self.cases) or self.said.count(" PASSED") + self.said.count(" FAILED"),
            "skipped": sum(case.find("skipped") is not None for case in self.cases),
            "failures": len(self.failures) or self.said.count(" FAILED"),
            "exit": self.code,
            "seconds": self.seconds,
            "output": self.said[-300:] if self.cases else self.said[-1500:],
        }


def _pytest(stem: Path, path: Path, until: float) -> _TestedFile:
    """Pytest on a file until a time of the monotonic clock; what it writes begins with ``stem``."""
    report, output = stem.with_suffix(".xml"), stem.with_suffix(".txt")
    words = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--tb=short", f"--junitxml={report}"]
    began = time.monotonic()
    with (
        output.open("wb") as file,
        subprocess.Popen(
            [*words, "-m", "cuda", str(path)], stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        ) as process,
    ):
        try:
            code: int | None = process.wait(max(0.0, until - began))
        except subprocess.TimeoutExpired:
            process.kill()
            code = None
    said = output.read_text(encoding="utf-8", errors="replace")
    cases = [*ElementTree.parse(report).iter("testcase")] if report.exists() else []
    nothing = code == _NONE_COLLECTED
    return _TestedFile(path, 0 if nothing else code, time.monotonic() - began, said, cases)


def _marked() -> list[Path]:
    """Files with tests that want a GPU, those first that take longest."""
    found = [path for root in _TESTS for path in Path(root).rglob("test_*.py") if _MARK in path.read_text("utf-8")]
    return sorted(found, key=lambda path: (path.name not in _LONGEST, path))

"""``python -m bench.devtools.gpu``: runs the parts in a worker process, and in a new process after a part broke it.

A part that raises leaves a line with its error. One that hangs, or spoils the device's context, costs its own process
only: the next part begins in a new process.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from bench.devtools.gpu.journal import Journal
from bench.devtools.gpu.plan import FIRST, SECOND

_RESERVE = 5.0  # seconds of the whole limit that are kept for writing


def main(words: list[str] | None = None) -> int:
    """Run all parts; returns 0 if none failed."""
    parser = argparse.ArgumentParser(prog="python -m bench.devtools.gpu", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join([*FIRST, *SECOND])}; all of the first command if none")
    parser.add_argument("--second", action="store_true", help="torch.compile and protocol full instead")
    parser.add_argument("--out", type=Path, default=Path("gpu.jsonl"), help="where the JSON lines go")
    parser.add_argument("--limit", type=float, default=540.0, help="seconds for everything")
    parser.add_argument("--device", default="cuda", help="cuda, or cpu to try the script out")
    parser.add_argument("--tiny", action="store_true", help="sizes for trying the script out")
    arguments = parser.parse_args(words)
    plan = SECOND if arguments.second else FIRST
    names = arguments.parts or list(plan)
    unknown = [name for name in names if name not in FIRST | SECOND]
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    journal = Journal(arguments.out, fresh=True)
    began = time.monotonic()
    failed = False
    while names:
        left = arguments.limit - (time.monotonic() - began) - _RESERVE
        if left <= 0:
            journal.line("skipped", parts=names, why=f"{arguments.limit:.0f} s are over")
            return 1
        options = ["--device", arguments.device, "--out", str(arguments.out), *(["--tiny"] if arguments.tiny else [])]
        names, broke = _worker(names, options, left, journal)
        failed |= broke
    failures = [line["part"] for line in journal.lines() if "error" in line]
    journal.line("end", seconds=round(time.monotonic() - began, 1), failed=failures)
    return int(failed or bool(failures))


@dataclass
class _State:
    """The part that a worker is at, and since when."""

    part: str
    since: float


def _worker(names: list[str], options: list[str], left: float, journal: Journal) -> tuple[list[str], bool]:
    """Let a process do as many parts as it can; the names that are left for the next, and whether a part broke it."""
    command = [sys.executable, "-u", "-m", "bench.devtools.gpu.worker", *options, *names]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None
    heard: list[str] = []
    state = _State(names[0], time.monotonic())
    ended = threading.Event()

    def watch() -> None:
        begin = time.monotonic()
        while not ended.wait(0.2):
            now = time.monotonic()
            if now - state.since > _limit(state.part) or now - begin > left:
                process.kill()
                return

    threading.Thread(target=watch, daemon=True).start()
    for line in process.stdout:  # the worker writes its figures to the journal, and here only where it stands
        word, _, name = line.strip().partition(" ")
        if word == "BEGIN":
            state.part, state.since = name, time.monotonic()
        elif word == "DONE":
            heard.append(name)
        else:
            print(line, end="", flush=True)
    code = process.wait()
    ended.set()
    remaining = [name for name in names if name not in heard]
    if not remaining:
        return [], False
    if state.part in remaining:
        seconds = time.monotonic() - state.since
        journal.line(state.part, error=f"its process ended with {code} after {seconds:.0f} s", limit=_limit(state.part))
        remaining.remove(state.part)
    return remaining, True


def _limit(name: str) -> float:
    return (FIRST | SECOND)[name].limit


if __name__ == "__main__":
    sys.exit(main())

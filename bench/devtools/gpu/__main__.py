"""``python -m bench.devtools.gpu``: runs the parts in a worker process, and in a new process after a part broke it.

A part that raises leaves a line with its error. One that hangs, or spoils the device's context, costs its own process
only: the next part begins in a new process. The last line is always ``end``.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from bench.devtools.gpu.journal import Journal
from bench.devtools.gpu.plan import COMMANDS, LIMIT, RESERVE, parts
from bench.devtools.gpu.workers import work


def main(words: list[str] | None = None) -> int:
    """Run all parts; returns 0 if none failed and none was skipped."""
    parser = argparse.ArgumentParser(prog="python -m bench.devtools.gpu", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(parts())}; all of the first command if none")
    for name, command in list(COMMANDS.items())[1:]:
        about = ", ".join(part for part in command if part != "machine")
        parser.add_argument(f"--{name}", dest="command", action="store_const", const=name, help=f"{about} instead")
    parser.add_argument("--out", type=Path, default=Path("gpu.jsonl"), help="where the JSON lines go")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds for everything")
    parser.add_argument("--device", default="cuda", help="cuda, or cpu to try the script out")
    parser.add_argument("--tiny", action="store_true", help="sizes for trying the script out")
    arguments = parser.parse_args(words)
    names = arguments.parts or list(COMMANDS[arguments.command or "first"])
    unknown = [name for name in names if name not in parts()]
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    journal = Journal(arguments.out, fresh=True)
    options = ["--device", arguments.device, "--out", str(arguments.out), *(["--tiny"] if arguments.tiny else [])]
    began = time.monotonic()
    broken = False
    try:
        while names:
            left = arguments.limit - (time.monotonic() - began) - RESERVE
            if left <= 0:
                journal.line("skipped", parts=names, why=f"{arguments.limit:.0f} s are over")
                broken = True
                break
            names, broke = work(names, options, left, journal)
            broken |= broke
    finally:
        failures = [line["part"] for line in journal.lines() if "error" in line]
        journal.line("end", seconds=round(time.monotonic() - began, 1), failed=failures)
    return int(broken or bool(failures))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # as Ctrl-C: what runs is ended, too
    sys.exit(main())

"""``python -m bench.devtools.transcripts PAGE ...``: what the commands named in a page print, put into it anew.

A page holds pairs of markers, ``<!-- bench explain -->`` and ``<!-- /bench explain -->``; between them stands what that
command prints into a pipe. ``--check`` writes nothing and fails if a page is stale.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from bench.core import files
from bench.report.markdown.markers import put_between

_MARKER = re.compile(r"^<!-- (bench .*) -->$", re.MULTILINE)


def commands_in(text: str) -> list[str]:
    """Commands whose output a page holds, in its order."""
    return list(dict.fromkeys(_MARKER.findall(text)))


def output_of(command: str) -> str:
    """What a ``bench`` command prints, without colour, as a fenced block; markdown stays markdown.

    Raises:
        RuntimeError: the command failed; with its output.
    """
    words = shlex.split(command)[1:]
    plain = os.environ | {"NO_COLOR": "1", "TERM": "dumb", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words], capture_output=True, text=True, env=plain, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    printed = "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines())
    return f"```text\n{printed}\n```\n"


def renewed(text: str) -> str:
    """A page with the output of each of its commands made anew.

    Raises:
        RuntimeError: a command failed.
        ValueError: a command's closing marker is missing.
    """
    for command in commands_in(text):
        changed = put_between(text, command, output_of(command))
        if changed is None:
            raise ValueError(f"no <!-- /{command} --> after its opening marker")
        text = changed
    return text


def main(words: list[str] | None = None) -> int:
    """Renew pages, or say which are stale.

    Returns:
        0; 1 with ``--check`` if a page is stale.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.devtools.transcripts", description=__doc__)
    parser.add_argument("pages", nargs="+", type=Path, metavar="PAGE")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if a page is stale")
    options = parser.parse_args(words)
    stale = False
    for page in options.pages:
        old = page.read_text(encoding="utf-8")
        new = renewed(old)
        if new == old:
            continue
        stale = True
        if options.check:
            print(f"{page} is stale: python -m bench.devtools.transcripts {page}")
        else:
            files.replace(page, new)
            print(f"{page} renewed")
    return int(stale and options.check)


if __name__ == "__main__":
    raise SystemExit(main())

"""``python -m bench.devtools.gpu.page FILE ...``: the measured part of docs/gpu.md, made of the lines of a journal.

Lines of several files are taken together, later ones for earlier ones of the same thing; what no file holds makes no
table. Lines that are damaged, and figures that a line lacks, cost nothing else; they are said on the terminal.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.core import files
from bench.core.errors import BenchError
from bench.devtools.gpu.journal import read_journal
from bench.devtools.gpu.tables import AFTER_PHASES, BEFORE_PHASES, Cell, Line, cell, phases, restored
from bench.report.markdown.markers import put_between

MARKER = "measured"
_VERSION = re.compile(r"\d+(\.\d+)+")


def main(words: list[str] | None = None) -> int:
    """Replace what lies between the marks of a page; a file that cannot be read or written ends the process with 2."""
    parser = argparse.ArgumentParser(prog="python -m bench.devtools.gpu.page", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--page", type=Path, default=Path("docs/gpu.md"))
    arguments = parser.parse_args(words)
    try:
        _renew(arguments.page, arguments.files)
    except OSError as error:
        parser.error(f"{error.filename}: {error.strerror}")
    except BenchError as error:
        parser.error(str(error))
    return 0


def _renew(page: Path, journals: Sequence[Path]) -> None:
    """Put the tables of journals into a page, and say what they lack.

    Raises:
        OSError: a file cannot be read or written.
        BenchError: the page is no text, or has no markers.
    """
    lines: list[Line] = []
    for path in journals:
        found, damaged = read_journal(path)
        lines += found
        if damaged:
            print(f"{path}: passed over, as they are damaged or of no part: {damaged} of its lines", file=sys.stderr)
    missed: list[str] = []
    try:
        text = page.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BenchError(f"{page} is no text in UTF-8") from error
    changed = put_between(text, MARKER, f"{measured(lines, missed)}\n")
    if changed is None:
        raise BenchError(f"{page} has no markers {MARKER}")
    files.replace(page, changed)
    for part, count in Counter(missed).items():
        print(f"{part}: figures that its lines lack: {count}, shown as dashes", file=sys.stderr)


def measured(lines: Iterable[Line], missed: list[str] | None = None) -> str:
    """All tables that the lines make; for each figure that a line lacks its part is added to ``missed``."""
    missed = [] if missed is None else missed
    kept = [restored(line) for line in lines if "error" not in line]
    sections = [
        _machine(kept, missed),
        *(table.text(kept, missed) for table in BEFORE_PHASES),
        *(phases(kept, part, missed) for part in ("standard", "full")),
        *(table.text(kept, missed) for table in AFTER_PHASES),
    ]
    return "\n\n".join(section for section in sections if section)


def _machine(lines: Sequence[Line], missed: list[str]) -> str:
    """What the machine is, and what it does at best."""
    of_machine = [line for line in lines if line["part"] == "machine"]
    found = [line for line in of_machine if "device" in line]
    if not found:
        return ""
    facts: dict[str, Cell] = {
        "{}": lambda x: x["device"],
        "driver {}": lambda x: x["driver"] if _VERSION.fullmatch(x["driver"]) else "unknown",
        "CUDA {}": lambda x: x["cuda"],
        "cuDNN {}": lambda x: x["cudnn"],
        "torch {}": lambda x: x["packages"]["torch"],
        "host {}": lambda x: x["processor"],
    }
    best: dict[str, Cell] = {
        "matrix products in TFLOP/s: {}": lambda x: ", ".join(f"{k} {v / 1e3:,.0f}" for k, v in x["gflops"].items()),
        "a copy {} GB/s": lambda x: f"{x['gigabytes_a_second']:,.0f}",
    }
    host: dict[str, Cell] = {
        "the host takes {} us to launch": lambda x: f"{x['launch']:.1f}",
        "{} us to mark": lambda x: f"{x['mark']:.2f}",
    }

    def said(how: dict[str, Cell], line: Line) -> list[str]:
        return [words.format(cell(of, line, missed)) for words, of in how.items()]

    clauses = [", ".join(said(facts, found[-1]))]
    clauses += [words for x in of_machine if x.get("what") == "best" for words in said(best, x)]
    clauses += [", ".join(said(host, x)) for x in of_machine if x.get("what") == "host microseconds"]
    return f"*{'; '.join(clauses)}.*"


if __name__ == "__main__":
    sys.exit(main())

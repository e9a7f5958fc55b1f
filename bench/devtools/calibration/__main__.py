"""``python -m bench.devtools.calibration``: make the tables of docs/statistics.md anew, or check that they are."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.core import files
from bench.devtools.calibration.page import put


def main() -> int:
    """Return 1 where the page is stale and was only to be checked, 0 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m bench.devtools.calibration", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if the page is stale")
    parser.add_argument("--page", type=Path, default=Path("docs/statistics.md"), help="the page")
    parser.add_argument("--draws", type=int, default=2000, help="simulated comparisons a figure")
    options = parser.parse_args()
    old = options.page.read_text(encoding="utf-8")
    new = put(old, options.draws)
    if options.check:
        print(f"{options.page} is {'as it should be' if new == old else 'stale'}")
        return int(new != old)
    files.replace(options.page, new)
    return 0


if __name__ == "__main__":
    sys.exit(main())

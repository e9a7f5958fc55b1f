"""No file of tests is left out of ``make test``, but for benchmarks, which ``make bench`` runs."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_file_of_tests_lies_where_pytest_looks() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    looked_at = [path for pattern in options["testpaths"] for path in ROOT.glob(pattern)]
    written = [path for path in (ROOT / "tests").rglob("test_*.py") if "benchmarks" not in path.parts]
    assert written
    assert [path for path in written if not any(path.is_relative_to(place) for place in looked_at)] == []

"""The rooms of the house: imports run downward only, and what only reads records starts without torch."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from bench.devtools.rooms import ROOMS, House, report

ROOT = Path(__file__).parents[2]
HOUSE = House(ROOT)


def shown(found: list) -> str:
    return "\n".join(map(str, found))


def test_no_import_runs_upward() -> None:
    upward = HOUSE.upward()
    assert not upward, shown(upward)


def test_rooms_do_not_import_each_other_in_a_circle() -> None:
    assert not HOUSE.cycle(), " -> ".join(HOUSE.cycle())


def test_the_registry_knows_nothing_of_bench() -> None:
    known = [each for each in HOUSE.imports if each.importer.startswith("registry") and each.imported[:5] == "bench"]
    assert not known, shown(known)


def test_no_private_module_is_imported_from_another_package() -> None:
    assert not HOUSE.private(), shown(HOUSE.private())


def test_every_module_lies_in_a_room() -> None:
    assert not HOUSE.loose(), shown(HOUSE.loose())
    assert {path.stem for path in (ROOT / "bench").glob("*.py")} == {"__init__", "__main__"}
    folders = {path.parent.name for path in (ROOT / "bench").glob("*/__init__.py")}
    assert folders == set(ROOMS) - {"registry"}


def test_no_file_is_longer_than_400_lines() -> None:
    long = [f"{path}: {count} lines" for path, count in HOUSE.lines().items() if count > 400]
    assert not long, shown(long)


FAULTS = {
    "bench/core/up.py": "def late():\n    from bench.cli import app\n    return app\n",
    "bench/data/circle.py": "import bench.metrics\n",
    "bench/metrics/circle.py": "from bench.data import circle\n",
    "bench/train/peep.py": "from bench.data._hidden import x\n",
    "bench/data/within.py": "from ._hidden import x\nfrom . import circle\n",
    "bench/data/_hidden.py": "x = 1\n",
    "bench/loose.py": "",
    "registry/up.py": "if False:\n    from bench.core import up\n",
}


@pytest.fixture
def crooked(tmp_path: Path) -> House:
    packages = ["registry", "bench", *(f"bench/{name}" for name in ROOMS if name != "registry")]
    for path, text in {**{f"{package}/__init__.py": "" for package in packages}, **FAULTS}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return House(tmp_path)


def test_every_fault_is_found_with_its_line(crooked: House) -> None:
    assert [str(each) for each in crooked.upward()] == [
        "bench/core/up.py:2: bench.core.up imports bench.cli",
        "bench/data/circle.py:1: bench.data.circle imports bench.metrics",
        "registry/up.py:2: registry.up imports bench.core.up",
    ]
    assert [str(each) for each in crooked.private()] == [
        "bench/train/peep.py:1: bench.train.peep imports bench.data._hidden"
    ]
    assert crooked.loose() == ["bench.loose"]
    circle = crooked.cycle()
    assert circle[0] == circle[-1] and len(circle) > 2
    with pytest.raises(ValueError, match="each other"):
        crooked.longest_chain()
    assert "upward imports: 3" in report(crooked)


def test_the_longest_chain_is_one() -> None:
    chain, edges = HOUSE.longest_chain(), HOUSE.edges()
    assert all(below in edges[above] for above, below in itertools.pairwise(chain))
    assert f"longest chain, {len(chain)} rooms: cli" in report(HOUSE)


HEAVY = ("torch", "scipy.stats")
COMMANDS = {
    "leaderboard": ["leaderboard", "--results", str(ROOT / "results"), "--out", "leaderboard.md"],
    "compare": ["compare", "wnet", "unet", "--results", str(ROOT / "results")],
    "export": ["export", "out.csv", "--results", str(ROOT / "results")],
    **{f"list {kind}": ["list", kind] for kind in ("models", "losses", "metrics", "protocols")},
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=list(COMMANDS))
def test_what_only_reads_records_imports_no_torch(words: list[str], tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from bench.cli import app\n"
        f"app({words!r}, standalone_mode=False)\n"
        f"print('heavy:', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("heavy: []"), done.stdout.splitlines()[-1]

"""The fast version of docs/statistics.md: intervals hold what they promise, within what luck allows."""

from pathlib import Path

import numpy as np
import pytest

from bench.devtools.calibration import page
from bench.devtools.calibration.scenarios import SCENARIOS, layout
from bench.devtools.calibration.simulate import announced, outcome, unpaired
from bench.devtools.calibration.tables import ROWS, table_outcome

DRAWS = 1000
LUCK = 3 * np.sqrt(0.05 * 0.95 / DRAWS)
"""Three standard errors of a share near 5 %."""


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("name", SCENARIOS)
def test_intervals_cover_and_verdicts_do_not_err(name: str, seeds: int) -> None:
    found = outcome(SCENARIOS[name], seeds, draws=DRAWS)
    assert found.covered >= (0.92 if seeds == 2 else 0.93) - LUCK
    assert found.apart <= 0.06 + LUCK


@pytest.mark.parametrize("seeds", [(2, 2), (3, 3), (2, 5)])
def test_a_cell_does_not_differ_from_itself(seeds: tuple[int, int]) -> None:
    for name in list(SCENARIOS)[:2]:
        assert unpaired(SCENARIOS[name], seeds, DRAWS).apart <= 0.06 + LUCK


@pytest.mark.parametrize(("count", "uneven"), [(2, False), (4, False), (60, True)])
def test_few_and_uneven_groups_are_wide_and_cover(count: int, uneven: bool) -> None:
    few = layout(backgrounds=count, objects=count, uneven=uneven)
    found = [outcome(scenario, 3, draws=300, grouping=few) for scenario in SCENARIOS.values()]
    assert min(outcome.covered for outcome in found) >= 0.93 - 3 * np.sqrt(0.05 * 0.95 / 300)
    assert min(outcome.width for outcome in found) > 0


def test_power_grows_with_seeds() -> None:
    power = [outcome(SCENARIOS["`unet` - `wnet`, Dice, seeds independent"], n, 0.05, 400).apart for n in (2, 3, 5)]
    assert power == sorted(power)
    assert power[-1] > 0.9


def test_announced_seeds_settle_what_they_promise() -> None:
    found = [announced(SCENARIOS[name], 3, 0.02, 40) for name in list(SCENARIOS)[:3]]
    numbers = [settled for batch in found for settled in batch.numbers]
    assert len(numbers) > 50
    assert np.mean(numbers) >= 0.7 - 3 * np.sqrt(0.7 * 0.3 / len(numbers))


def test_tables_call_equal_rows_worse_seldom() -> None:
    found = table_outcome(3, 0.06, tables=60, rows=ROWS)
    assert found.false <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)
    assert found.power > 0.4


def test_the_layout_is_that_of_the_test_split() -> None:
    assert all(57 <= count <= 60 for count in layout().counts.values())
    assert layout(backgrounds=2).counts["backgrounds"] == 2


def test_a_page_is_renewed_between_its_markers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "_tables", lambda draws: iter([f"{draws} draws\n"]))
    text = "before\n<!-- calibration -->\nold\n<!-- /calibration -->\nafter\n"
    new = page.put(text, 7)
    assert new == "before\n<!-- calibration -->\n\n7 draws\n\n<!-- /calibration -->\nafter\n"
    assert page.put(new, 7) == new
    with pytest.raises(ValueError, match="has no"):
        page.put("no markers", 7)


def test_the_committed_page_has_every_scenario() -> None:
    text = (Path(__file__).parents[4] / "docs" / "statistics.md").read_text(encoding="utf-8")
    for heading in ("### Coverage of", "### False verdicts"):
        table = text.split(heading)[1].split("###")[0]
        assert {name: table.count(f"\n| {name} |") for name in SCENARIOS} == dict.fromkeys(SCENARIOS, 1)

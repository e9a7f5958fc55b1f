"""The generated tables of docs/statistics.md."""

from __future__ import annotations

from collections.abc import Iterator

from bench.core.amount import amount
from bench.devtools.calibration.scenarios import GROUPS, IMAGES, MARGIN, SCENARIOS, layout
from bench.devtools.calibration.simulate import announced, outcome, pooled, unpaired
from bench.devtools.calibration.tables import ROWS, table_outcome
from bench.report.markdown import table
from bench.report.markdown.markers import put_between

MARKER = "calibration"
SEEDS = (1, 2, 3, 5, 10)
"""At which the former rule was measured; the present rule gives a verdict from the second on."""

_EFFECTS = (0.02, 0.05)
_FEW = (2, 3, 5, 8, 12)
_MACHINES = ((3, 3), (5, 1), (3, 1, 1), (2, 2, 2, 2), (3, 3, 3, 3, 3))
_SAME_CELL = 2  # of the scenarios, in which seeds are all that differs


def put(text: str, draws: int) -> str:
    """A page with the tables between its two markers made anew.

    Args:
        text: the page.
        draws: simulated comparisons a figure.

    Raises:
        ValueError: the page lacks the markers.
    """
    changed = put_between(text, MARKER, f"\n{chr(10).join(_tables(draws))}\n")
    if changed is None:
        raise ValueError(f"the page has no markers {MARKER}")
    return changed


def _tables(draws: int) -> Iterator[str]:
    equal = {name: [outcome(scenario, n, draws=draws) for n in SEEDS[1:]] for name, scenario in SCENARIOS.items()}
    yield (
        f"{draws:,} draws a figure, {IMAGES} test images of {GROUPS} backgrounds and {GROUPS} objects, "
        f"margin {MARGIN}, true difference 0.\n"
    )
    yield "### Coverage of 95 % intervals, before → now\n"
    yield _against_before(
        {name: scenario.before.covered for name, scenario in SCENARIOS.items()},
        {name: [found.covered for found in outcomes] for name, outcomes in equal.items()},
    )
    yield "### False verdicts, `better` or `worse` between equals, before → now\n"
    yield _against_before(
        {name: scenario.before.false for name, scenario in SCENARIOS.items()},
        {name: [found.apart for found in outcomes] for name, outcomes in equal.items()},
    )
    yield "### Power: a true difference that is found, at 2 / 3 / 5 / 10 seeds\n"
    yield table(
        ["scenario", *(f"difference {effect}" for effect in _EFFECTS)],
        [
            [name, *(" / ".join(f"{outcome(s, n, e, draws).apart:.0%}" for n in SEEDS[1:]) for e in _EFFECTS)]
            for name, s in SCENARIOS.items()
        ],
    )
    yield "### A cell against itself, on disjoint seeds of either side\n"
    yield table(
        ["scenario", "seeds", "coverage", "false verdicts"],
        [
            [name, f"{sides[0]} against {sides[1]}", f"{found.covered:.2f}", f"{found.apart:.2f}"]
            for name in list(SCENARIOS)[:_SAME_CELL]
            for sides in ((2, 2), (3, 3), (4, 4), (2, 5), (2, 10))
            for found in [unpaired(SCENARIOS[name], sides, draws)]
        ],
    )
    yield "### Machines pooled: equal cells, each on machines of its own, deviation of a machine .03\n"
    yield table(
        ["seeds on each machine", "coverage", "false verdicts", "false verdicts, were machines ignored"],
        [
            [", ".join(map(str, seeds)), *(f"{share:.2f}" for share in (found.covered, found.apart, ignored.apart))]
            for seeds in _MACHINES
            for found, ignored in [(pooled(seeds, 0.03, draws), pooled(seeds, 0.03, draws, as_seeds=True))]
        ],
    )
    yield "### Few or uneven backgrounds and objects, three seeds, over the eleven scenarios\n"
    yield table(["of each", "least coverage", "most false verdicts", "half-width, median"], list(_few(draws)))
    yield "### Further seeds: what was announced, and what came of it\n"
    yield table(
        [
            "seeds",
            "true difference",
            "given a number",
            "settled with it",
            "sent to test images",
            "settled by 100 seeds",
        ],
        list(_further(draws // 20)),
    )
    yield f"### Tables of {len(ROWS)} rows that are tested for being worse than the leader\n"
    yield table(
        ["seeds", "tables in which an equal row is called worse", "rows found that are worse by .06"],
        [
            [str(n), f"{found.false:.3f}", f"{found.power:.0%}"]
            for n in (2, 3, 5)
            for found in [table_outcome(n, 0.06, draws // 4)]
        ],
    )


def _against_before(before: dict[str, tuple[float, ...]], now: dict[str, list[float]]) -> str:
    """A row a scenario, a column a number of seeds; a single seed gives no verdict any more."""
    body = []
    for name, figures in now.items():
        first, *others = before[name]
        pairs = [f"{old:.2f} → **{new:.2f}**" for old, new in zip(others, figures, strict=True)]
        body.append([name, f"{first:.2f} → none", *pairs])
    return table(["scenario", *(amount(seeds, "seed") for seeds in SEEDS)], body)


def _few(draws: int) -> Iterator[list[str]]:
    layouts = {f"{count}": layout(backgrounds=count, objects=count) for count in _FEW}
    layouts |= {f"{count}, uneven": layout(backgrounds=count, objects=count, uneven=True) for count in (12, GROUPS)}
    for name, grouping in layouts.items():
        outcomes = [outcome(scenario, 3, draws=draws, grouping=grouping) for scenario in SCENARIOS.values()]
        widths = sorted(found.width for found in outcomes)
        yield [
            name,
            f"{min(found.covered for found in outcomes):.2f}",
            f"{max(found.apart for found in outcomes):.2f}",
            f"{widths[len(widths) // 2]:.3f}",
        ]


def _further(draws: int) -> Iterator[list[str]]:
    for seeds in (2, 3, 5):
        for effect in (0.0, *_EFFECTS):
            found = [announced(scenario, seeds, effect, draws) for scenario in SCENARIOS.values()]
            numbers = [settled for batch in found for settled in batch.numbers]
            images = [settled for batch in found for settled in batch.images]
            yield [str(seeds), f"{effect:g}", str(len(numbers)), _share(numbers), str(len(images)), _share(images)]


def _share(settled: list[bool]) -> str:
    return f"{sum(settled) / len(settled):.0%}" if settled else "–"

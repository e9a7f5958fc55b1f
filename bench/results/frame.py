"""All records as a pandas table, for questions that the leaderboard does not answer."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bench.core.errors import BadData
from bench.core.record import Record
from bench.results import store


def frame(folder: Path) -> pd.DataFrame:
    """One row a record: what was run, how it ended, test metrics, timings.

    Columns of test metrics bear the metric's name, those of blocks ``ms/<block>`` (median milliseconds a step).

    >>> table = frame(Path("results"))                                         # doctest: +SKIP
    >>> table.groupby(["model", "recipe"])["mask_dice"].agg(["mean", "std"])   # doctest: +SKIP

    Raises:
        BadData: files that are no records, all of them named.
    """
    return pd.DataFrame([_row(name, record) for name, record in store.read_all(folder)])


def images(folder: Path) -> pd.DataFrame:
    """One row an image of every record that has them: ``record``, ``sample``, its groups, and all metrics.

    Tables that are damaged are left out, see `bench.results.store.check`.
    """
    tables = []
    for path in sorted(folder.glob("*.images.csv")):
        try:
            table = pd.DataFrame(store.read_images(path.with_name(path.name.removesuffix(".images.csv") + ".json")))
        except BadData:
            continue
        table.insert(0, "record", path.name.removesuffix(".images.csv") + ".json")
        tables.append(table)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _row(name: str, record: Record) -> dict[str, object]:
    spec, timings = record.spec, record.timings
    return {
        "record": name,
        "id": record.id,
        "cell": record.cell,
        "model": spec.model,
        "recipe": record.recipe_name,
        "protocol": record.budget.label,
        "division": record.division,
        "tuned": record.tuning.parameter if record.tuning else None,
        "value": record.tuning.value if record.tuning else None,
        "data": spec.data.get("kind"),
        "camera": spec.data.get("camera"),
        "precision": spec.precision,
        "seed": spec.seed,
        "outcome": record.outcome,
        "reason": record.reason,
        "code": record.code,
        "arithmetic": record.arithmetic_key,
        "machine": record.fingerprint,
        "timed": record.is_timed,
        "parameters": record.parameters,
        "gmacs": record.gmacs,
        "images_per_second": timings.images_per_second,
        "step_ms": timings.step_ms,
        "peak_mib": record.peak_mib,
        "seconds": record.seconds,
        **{metric: score.value for metric, score in record.test.items()},
        **{f"ms/{block}": time.median_ms for block, time in timings.blocks.items()},
    }

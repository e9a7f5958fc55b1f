"""What the records of two sweeps must have in common."""

from __future__ import annotations

from pathlib import Path

from bench.results import store


def outcomes(folder: Path) -> dict[str, dict]:
    """By run what its record says of quality, and its per-image table; of a run that was retried the finished one."""
    records = [record for _, record in store.read_all(folder / "results")]
    return {
        record.id: {
            "test": record.test,
            "epochs": [epoch.model_dump(exclude={"gradients"}) for epoch in record.epochs],
            "audit": [finding.check for finding in record.audit],
            "images": record.images,
            "arithmetic": record.arithmetic,
            "recipe_name": record.recipe_name,
        }
        for record in sorted(records, key=lambda record: record.outcome == "finished")
    }

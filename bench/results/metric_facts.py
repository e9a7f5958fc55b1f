"""What is known of the metrics that records hold, without importing whoever made them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from bench.core.record import Record
from bench.core.record.metric_facts import MetricFacts
from bench.metrics import metrics
from registry.errors import UnknownName
from registry.registry import parse_key

_TABLED = {name: metrics.facts(name) for name in metrics.default()}


def facts_in(records: Iterable[Record]) -> dict[str, MetricFacts]:
    """Facts by metric, in the order in which they are shown.

    They are those of this version for the metrics of its own table, whether a record has them or not; for a user's
    and other libraries' metrics those that the records bring, the latest record's if they differ.
    """
    found: dict[str, tuple[str, MetricFacts]] = {}
    for record in records:
        for key, facts in record.metrics.items():
            if key not in _TABLED and (key not in found or found[key][0] <= record.finished):
                found[key] = record.finished, facts
    known = {**_TABLED, **{key: facts for key, (_, facts) in found.items()}}
    return dict(sorted(known.items(), key=lambda item: (item[1].order, item[0])))


def shown(known: Mapping[str, MetricFacts], where: Literal["headline", "compared", "ranks"]) -> list[str]:
    """The keys of the metrics whose facts say that they are shown in this place, in their order."""
    return [key for key, facts in known.items() if getattr(facts, where)]


def find_key(text: str, known: Mapping[str, MetricFacts]) -> str:
    """The metric that a text names, however its brackets are written.

    Raises:
        UnknownName: no record holds it, and none of the table's bears the name.
    """
    if text in known:
        return text
    wanted = parse_key(text)
    for key in known:
        if parse_key(key) == wanted:
            return key
    raise UnknownName("metric", text, known, f"{metrics.where} (a user's own is known to the records that hold it)")

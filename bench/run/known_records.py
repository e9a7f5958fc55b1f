"""Which runs are recorded already, and why a record of a run is not taken for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import torch

from bench.core.code import code_version
from bench.core.errors import BadData
from bench.core.machine import environment
from bench.core.metric_facts import MetricFacts
from bench.core.record import Record
from bench.core.spec import RunSpec
from bench.results import store
from bench.train.arithmetic import arithmetic
from bench.train.assemble import Run


def files_of(results: Path, spec: RunSpec) -> list[Path]:
    """Files of the records of a run, whatever their outcome, the latest first."""
    return sorted(results.glob(f"*_{spec.id}_*.json"), reverse=True)


def find_finished(
    results: Path, run: Run, device: torch.device, metrics: Mapping[str, MetricFacts]
) -> tuple[tuple[Record, Path] | None, Collection[str]]:
    """A finished record of this very run, by this code on this kind of arithmetic, with certain metrics.

    Args:
        results: folder of records.
        run: to be found.
        device: on which it would compute.
        metrics: facts of those that it must have been scored by, by key.

    Returns:
        The record and its file, or None; and what is wrong with the finished records that are not taken.
    """
    code, here = code_version(*run.names), environment(device).fingerprint
    bits = arithmetic(device, run.spec.precision)
    faults: set[str] = set()
    for path in files_of(results, run.spec):
        try:
            record = store.read(path)
        except BadData:  # the page names it
            faults.add("is damaged")
            continue
        if record.outcome != "finished":
            continue
        if record.code != code:
            faults.add("is of other code")
        elif (record.arithmetic or bits) != bits or (record.arithmetic is None and record.fingerprint != here):
            faults.add("is of another machine or another version of torch")
        elif any(record.metrics.get(key) != facts for key, facts in metrics.items()):
            faults.add("lacks a metric")
        else:
            return (record, path), ()
    return None, sorted(faults)

"""A sweep's plan in a few lines: runs, those done already, hours, disk."""

from __future__ import annotations

from bench.core.amount import amount
from bench.core.record import Record, TrialRecord
from bench.report.terminal.duration import duration
from bench.run.sweep.plan import Plan

_SHOWN = 8


def plan_lines(plan: Plan, command: str) -> list[str]:
    """The plan for people.

    Args:
        plan: to be shown.
        command: that tries those again that have failed.
    """
    runs, failed = plan.to_come + sum(task.trial is None for task in plan.left), len(plan.failed)
    lines = [
        f"{amount(len(plan.cells), 'cell')} x {amount(plan.seeds, 'seed')} and baselines: "
        f"{amount(plan.tasks, 'run')}, {plan.done} done already, {failed} failed before, {runs} to make"
    ]
    if plan.trials:
        lines.append(f"tuning: {amount(plan.trials, 'trial')} of cells and baselines, {plan.trials_done} done already")
    if plan.left_out:
        names = ", ".join(cell.label for cell in plan.left_out[:_SHOWN])
        more = f" and {len(plan.left_out) - _SHOWN} more" if len(plan.left_out) > _SHOWN else ""
        lines.append(f"left out, as the model has none of the heads that the loss trains: {names}{more}")
    for alike in plan.alike:
        names = ", ".join(cell.recipe_name for cell in alike)
        lines.append(f"{alike[0].model} has one and the same training under {names}: no comparison of these can differ")
    if plan.left:
        lines += [f"time: {_time(plan)}", f"disk: {_disk(plan)}"]
    if failed:
        lines += ["failed before:", *(f"  {failure_line(record)}" for record in plan.failed[:_SHOWN])]
        lines += [f"  and {failed - _SHOWN} more"] if failed > _SHOWN else []
        lines.append(f"try these again: {command}")
    return lines


def failure_line(record: Record | TrialRecord) -> str:
    """One failed run: what it was, how it ended, and why."""
    loss = f" x {record.recipe_name}" if record.spec.recipe else ""
    reason = " ".join((record.reason or "").split())
    loss += f", {record.parameter}={record.value:g}" if isinstance(record, TrialRecord) and record.parameter else ""
    return f"{record.outcome}: {record.spec.model}{loss}, seed {record.spec.seed}: {reason:.200}"


def _time(plan: Plan) -> str:
    if plan.seconds is None:
        return "unknown: no record of this machine tells; the first runs will"
    beside = f", {plan.at_once} at once" if plan.at_once > 1 else ""
    unknown = f"; {plan.unknown} of these runs are like none that is known here" if plan.unknown else ""
    return f"about {duration(plan.seconds / plan.at_once)}{beside}, by records of this machine{unknown}"


def _disk(plan: Plan) -> str:
    if plan.needed is None:
        return f"unknown for a model that cannot be counted, {_size(plan.free)} free"
    words = f"about {_size(plan.needed)} needed, {_size(plan.free)} free"
    return words if plan.fits else f"WARNING: {words}"


def _size(count: float) -> str:
    for unit in ("MB", "GB"):
        count /= 1000 if unit == "GB" else 1e6
        if count < 1000:
            break
    return f"{count:.1f} {unit}"

"""What rows are called: by those who name them, and by the tables that show them."""

from __future__ import annotations

import re

from bench.core.amount import amount
from bench.core.record import UNTUNED, Record
from bench.results.board import Row, data_label


def label(row: Row) -> str:
    """``model:loss``, or the model alone where nothing is learnt."""
    return f"{row.model}:{row.recipe}" if row.learns else row.model


def full_name(row: Row) -> str:
    """The label with all that tells rows of the same label apart, as it can be typed: ``unet:bce:bfloat16,graphed``."""
    return f"{label(row)}:{row.any.spec.precision_label.replace(' ', '')}"


def labels(a: Row, b: Row) -> tuple[str, str]:
    """The labels of two rows; where they are equal, with what tells the rows apart: precision, or arithmetic."""
    if label(a) != label(b):
        return label(a), label(b)
    if a.cell != b.cell:
        return full_name(a), full_name(b)
    if a.arithmetic != b.arithmetic:
        return f"{label(a)} (arithmetic {a.arithmetic})", f"{label(b)} (arithmetic {b.arithmetic})"
    return label(a), label(b)


def names(row: Row) -> set[str]:
    """All that a row answers to, without spaces; its precision and memory format may be named too."""
    spec = row.any.spec
    return {
        spaceless(f"{name}{ending}")
        for name in _plain_names(row)
        for ending in ("", f":{spec.precision}", f":{spec.precision} {spec.memory_format}")
    } | full_names(row)


def full_names(row: Row) -> set[str]:
    """Those of its names that no other row of the same model, loss, protocol and data answers to, without spaces."""
    words = row.any.spec.precision_label
    return {spaceless(f"{name}:{text}") for name in _plain_names(row) for text in (words, words.replace(",", ""))}


def spaceless(text: str) -> str:
    """A name as names are compared."""
    return text.replace(" ", "")


def named_machine(record: Record) -> str:
    """What computed, by name: another machine is worth another seed."""
    about = record.environment
    return f"{about.device} ({about.instructions}, {about.threads} threads)"


def named_arithmetic(record: Record) -> str:
    """A kind of arithmetic in words, and by its digest where it was measured: names do not say all."""
    about = record.environment
    digest = f", arithmetic {record.arithmetic}" if record.arithmetic else ""
    return f"{about.label}, {about.instructions} ({record.fingerprint}{digest})"


def heading(row: Row) -> str:
    """The protocol and the data a cell was measured under, in words."""
    record = row.any
    tuned = "" if record.division == UNTUNED else f" · {record.division}"
    return f"{record.budget.label} · {data_label(record.spec.data)}{tuned}"


def stands_within(row: Row, within: str) -> bool:
    """Whether a row's heading has that part, from the beginning of a word on; ``untuned`` is one where no tuning is."""
    return has_part(heading(row) + (f" · {UNTUNED}" if row.any.division == UNTUNED else ""), within)


def has_part(text: str, part: str) -> bool:
    """Whether a heading has that part, from the beginning of a word on.

    >>> has_part("quick v1 · untuned", "tuned"), has_part("quick v1 · tuned (5 trials)", "tuned")
    (False, True)
    """
    return re.search(r"(?<!\w)" + re.escape(part), text) is not None


def settings(row: Row) -> str:
    """A row's precision and the like, and its seeds, in words."""
    return f"{row.any.spec.precision_label} ({amount(len(row.records), 'seed')})"


def file_name(row: Row) -> str:
    """The file of one of its records."""
    return next(iter(row.records.values()))[0]


def _plain_names(row: Row) -> set[str]:
    return {row.model, label(row), f"{row.model}:{row.any.spec.recipe}"}

"""Rows of a pack that fail their checksum."""

from __future__ import annotations

import numpy as np

from bench.data.stored.packing.pack import Pack


def damaged_rows(pack: Pack) -> int:
    """How many of those that are not trusted yet; they count as not written from now on."""
    tables = (pack.samples, pack.backgrounds)
    before = sum(table.damaged for table in tables)
    for table in tables:
        table.missing(np.arange(table.count))
    return sum(table.damaged for table in tables) - before

"""Records arranged as people compare them: rows of a cell, groups of rows that may be ranked together."""

from bench.results.board.groups import Group, data_label, disturbed, groups_of, rate, rows, timed
from bench.results.board.row import Row
from bench.results.store import Named

__all__ = ["Group", "Named", "Row", "data_label", "disturbed", "groups_of", "rate", "rows", "timed"]

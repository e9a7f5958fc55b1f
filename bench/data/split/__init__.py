"""Which backgrounds and objects a part may use: disjoint for honest scores, or shared as the published systems did.

Composites of the same background, or object, resemble each other far more than new composites do; a split that
spreads them over training and test measures memory. A rule says it for each of the two pools:

- ``unseen-both``: no background and no object in two parts (the default);
- ``unseen-bg``, ``unseen-fg``: no background, or no object, in two parts; the other pool is shared by all;
- ``shared``: everything in every part; scores leak;
- ``kfold[n=5,fold=0]``: ``unseen-both`` with fold ``fold`` of ``n`` as test, the next fold as validation;
- ``FILE.json``: a file of your own, ``{"background": {"train": [...], "val": [...], "test": [...]}, "object": ...}``
  with the groups' names; groups that it does not name are not used.
"""

from __future__ import annotations

from bench.data.split.division import FRACTIONS, POOLS, Division, Part, Pool, Split
from bench.data.split.rules import HALF_SHARED, RULES, find_rule, split_pools

__all__ = [
    "FRACTIONS",
    "HALF_SHARED",
    "POOLS",
    "RULES",
    "Division",
    "Part",
    "Pool",
    "Split",
    "find_rule",
    "split_pools",
]

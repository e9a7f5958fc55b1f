"""Loss terms by name, and the recipes that weigh them. Importing this package does not import torch.

A term is a pure function ``(prediction: Head, target: Target, **parameters) -> scalar``: per image first, then the
mean over images; only valid pixels count. A recipe is data, ``mask: bce + 2*dice, depth: ssim + 0.5*l1``; `parse`
reads one, `recipes` holds those that have a name, and ``registry.losses.objective.Objective`` runs one.
"""

from __future__ import annotations

from registry.losses.grammar import parse
from registry.losses.recipe import HeadPart, Recipe, WeightedTerm
from registry.losses.recipes import recipes
from registry.losses.terms import terms

__all__ = ["HeadPart", "Recipe", "WeightedTerm", "parse", "recipes", "terms"]

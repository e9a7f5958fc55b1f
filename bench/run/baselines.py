"""Which baselines can be fitted to data, and why others are left out."""

from __future__ import annotations

from bench.core.spec import Inputs
from bench.data.source import Source
from registry.errors import RegistryError
from registry.lookup.keys import parse_key
from registry.models import models

BASELINES = ("difference", "constant", "mean_map")
"""Those that runs are held against, best first."""


def is_fitted(key: str) -> bool:
    """Whether a model learns nothing by gradient: it is fitted once, and has no loss.

    False for one that cannot be found, which is said where it is asked for by name.
    """
    try:
        return bool(models.get(parse_key(key)[0]).facts.get("fitted"))
    except RegistryError:
        return False


def why_left_out(key: str, source: Source, inputs: Inputs = "pair") -> str | None:
    """Why a baseline cannot be fitted, in words; None if it can.

    Args:
        key: any model; one that is not fitted is not left out.
        source: what it would be fitted to.
        inputs: what it would see; a background that is withheld shows no difference.
    """
    if not is_fitted(key):
        return None
    needs = models.get(parse_key(key)[0]).facts.get("needs", ())
    if "bg" in needs and not source.has_background:
        return "the data has no backgrounds"
    if "bg" in needs and inputs == "image":
        return "the background is withheld"
    if "mask" in needs and not source.has_mask:
        return "the data has no masks"
    return None if source.has_mask or source.has_depth else "the data has neither masks nor depth"


def what_is_lacking(source: Source, inputs: Inputs = "pair") -> list[str]:
    """What follows from what the data lacks, in sentences: which images models see, which baselines are left out."""
    said = [] if source.has_background else ["the data has no backgrounds: models see each picture alone"]
    reasons = {key: why_left_out(key, source, inputs) for key in BASELINES}
    return said + [f"{key} is left out: {reason}" for key, reason in reasons.items() if reason]


def fitting(source: Source, inputs: Inputs = "pair") -> tuple[str, ...]:
    """The baselines that can be fitted, best first."""
    return tuple(key for key in BASELINES if why_left_out(key, source, inputs) is None)

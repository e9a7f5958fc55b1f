"""What a trial is worth: mean skill of its heads on validation, whatever its recipe."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.core.errors import BenchError
from bench.core.record import TrialRecord
from bench.metrics import metrics
from bench.metrics.summary import skill
from registry.losses.recipe import HEADS


def headline_of(head: str) -> str:
    """The metric that ranks a head."""
    return next(key for key in metrics.default() if (facts := metrics.facts(key)).ranks and facts.head == head)


@dataclass(frozen=True)
class Weights:
    """How much each head counts.

    Attributes:
        heads: weight by head, not negative, not all 0.
    """

    heads: Mapping[str, float]

    @classmethod
    def parse(cls, text: str = "") -> Weights:
        """Read ``mask=1,depth=2``; heads that are not named count nothing, and without any text all count alike.

        Raises:
            BenchError: it cannot be read.
        """
        if not text:
            return cls(dict.fromkeys(HEADS, 1.0))
        found: dict[str, float] = {}
        for item in text.split(","):
            head, _, value = (part.strip() for part in item.partition("="))
            try:
                weight = float(value)
            except ValueError:
                weight = -1.0
            if head not in HEADS or not 0 <= weight < float("inf"):
                raise BenchError(f"cannot read --weights {text!r}: write {','.join(f'{head}=1' for head in HEADS)}")
            found[head] = weight
        if not any(found.values()):
            raise BenchError(f"--weights {text!r}: no head counts")
        return cls({head: found.get(head, 0.0) for head in HEADS})


def score(trial: TrialRecord, baselines: Sequence[TrialRecord], weights: Weights) -> float | None:
    """The mean skill of the headline metrics of the heads that the recipe trains.

    Args:
        trial: to be scored.
        baselines: trials of the baselines that learn nothing.
        weights: of the heads.

    Returns:
        0 for the best baseline, 1 for perfection; of a head that a baseline does perfectly, its metric. None where the
        trial did not finish, trains no head that counts, or has no value of one that it trains.
    """
    if trial.outcome != "finished":
        return None
    trained = trial.epochs[-1].train_loss if trial.epochs else {}
    skills, counts = [], []
    for head, weight in weights.heads.items():
        key = headline_of(head)
        if key not in trial.validation or weight == 0:
            continue
        if trial.validation[key].value is None and head not in trained:
            continue
        values = [each.validation[key].value for each in baselines if key in each.validation]
        gained = skill(trial.validation[key].value, values, metrics.facts(key))
        if gained is None:  # a baseline is perfect there: the metric itself has to do
            gained = skill(trial.validation[key].value, [0.0], metrics.facts(key))
        if gained is None:
            return None
        skills.append(gained)
        counts.append(weight)
    return statistics.fmean(skills, counts) if skills else None

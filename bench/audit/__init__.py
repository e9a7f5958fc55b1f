"""The soundness audit: what a recipe, its metrics and its data say of predictions whose worth is known beforehand.

`bench.audit.audit.audit` makes every check of `bench.audit.audit.CHECKS`; each is a small function of a `Subject`
to a `Verdict`. No training is needed: perfect, constant and loss-optimal predictions are made by hand.
"""

from bench.core.finding import Unsound, Verdict, headline

__all__ = ["Unsound", "Verdict", "headline"]

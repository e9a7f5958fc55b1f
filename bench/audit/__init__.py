"""The soundness audit: how a recipe, its metrics and its data treat predictions of known worth beforehand.

`bench.audit.audit.audit` makes every check of `bench.audit.audit.CHECKS`; each is a small function of a `Setup`
to a `Finding`. No training is needed: perfect, constant and loss-optimal predictions are made by hand.
"""

from bench.core.finding import Finding, Unsound, headline

__all__ = ["Finding", "Unsound", "headline"]

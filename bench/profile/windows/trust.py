"""Why not to trust a profile."""

from __future__ import annotations

from bench.profile.disturbance.observation import Discards
from bench.profile.windows.interval import Interval
from bench.profile.windows.rounds import WarmUp

TRUSTED_CLOSURE = 0.98
TRUSTED_PERTURBATION = 1.01
_WIDEST_INTERVAL = 0.05  # an interval that reaches further says nothing about 1 %
_ROUNDING_SPREADS = 5.0
"""How many times as far as by another rounding losses may lie apart: training multiplies a difference in the last bit
by thousands within some steps, and two seeds of that difference are some times apart."""


def caveats(
    closure: float,
    perturbation: Interval,
    warm: WarmUp,
    unavoidable: Discards | None = None,
    departure: float | None = None,
    rounding_spread: float = 0.0,
) -> list[str]:
    """Why not to trust a profile with these figures; none if it can be.

    Args:
        closure, perturbation, warm, departure, rounding_spread: as in `Profile`.
        unavoidable: the disturbed rounds, if some had to be used.
    """
    found = []
    if closure < TRUSTED_CLOSURE:
        found.append(f"only {closure:.1%} of the step lies in named blocks (98 % is wanted)")
    elif closure > 2 - TRUSTED_CLOSURE:
        found.append(f"the named blocks make up {closure:.1%} of the step: some time was counted twice")
    if perturbation.low > TRUSTED_PERTURBATION:
        found.append(f"measuring slows the step down by {perturbation.value - 1:.1%} (1 % is allowed)")
    elif perturbation.value > TRUSTED_PERTURBATION:
        found.append(
            f"measuring seems to slow the step down by {perturbation.value - 1:.1%}, "
            f"between {perturbation.low - 1:+.1%} and {perturbation.high - 1:+.1%} (1 % is allowed): "
            "measure longer, on an idle machine"
        )
    elif max(perturbation.high - 1, 1 - perturbation.low) > _WIDEST_INTERVAL:
        found.append(
            f"the machine is too unsteady to measure what timing blocks costs ({perturbation.low - 1:+.1%} to "
            f"{perturbation.high - 1:+.1%} of the step): measure longer, on an idle machine"
        )
    if not warm.stationary:
        found.append(f"after {warm.seconds:.0f} s of warm-up the step time still varied by more than 2 %")
    if unavoidable is not None:
        found.append(
            f"{unavoidable.sentence()}; where a restart had no others they were used: measure on an idle machine"
        )
    if departure is not None and departure > _ROUNDING_SPREADS * rounding_spread:
        found.append(
            f"the losses of the first steps are {departure:.1e} off those of --engine eager, "
            f"which differ by {rounding_spread:.1e} when weights are rounded otherwise"
        )
    return found


def undecided(perturbation: Interval) -> bool:
    """Whether it may be either side of what is trusted."""
    return perturbation.low <= TRUSTED_PERTURBATION < perturbation.high

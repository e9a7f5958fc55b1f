"""`TrialGrid`: which values of which parameter are tried, as a person writes it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from bench.core.errors import BenchError
from bench.run.sweep.tuning.parameter import Parameter

_RANGE = re.compile(r"(?P<low>[^.@,]+(?:\.\d+)?(?:e[+-]?\d+)?)\.\.(?P<high>[^@,]+)@(?P<count>\d+)", re.IGNORECASE)
_MOST = 1000
_FORMS = "write --tune 'optimizer.lr=3e-4..3e-2@5' or --tune 'loss.depth.ssim.weight=0.5,1,2'"


@dataclass(frozen=True)
class TrialGrid:
    """Values to be tried.

    Attributes:
        parameter: whose.
        values: ascending, at least two.
    """

    parameter: Parameter
    values: tuple[float, ...]

    @classmethod
    def parse(cls, text: str) -> TrialGrid:
        """Read ``path=low..high@count``, in equal ratios, or ``path=value,value``.

        Raises:
            BenchError: it cannot be read; the message shows both forms.
        """
        path, equals, rest = text.partition("=")
        if not equals or not rest.strip():
            raise BenchError(f"cannot read --tune {text!r}: {_FORMS}")
        parameter = Parameter(path.strip())
        match = _RANGE.fullmatch(rest.strip())
        if match:
            return cls(parameter, _ratios(text, match))
        if ".." in rest:
            raise BenchError(f"cannot read --tune {text!r}: a range needs a number of values; {_FORMS}")
        values = sorted({_number(text, item) for item in rest.split(",")})
        if len(values) < 2:
            raise BenchError(f"cannot read --tune {text!r}: one value leaves nothing to choose; {_FORMS}")
        return cls(parameter, tuple(values))


def _ratios(text: str, match: re.Match[str]) -> tuple[float, ...]:
    """A range in equal ratios, three digits each, so that a record shows what a person would write."""
    low, high, count = _number(text, match["low"]), _number(text, match["high"]), int(match["count"])
    if not (0 < low < high and 2 <= count <= _MOST):
        raise BenchError(f"cannot read --tune {text!r}: a range rises from above 0, with 2 to {_MOST} values; {_FORMS}")
    ratio = math.log(high / low) / (count - 1)
    values = [low, *(float(f"{low * math.exp(ratio * step):.3g}") for step in range(1, count - 1)), high]
    if len({*values}) != count:
        raise BenchError(f"--tune {text!r} has values that are alike to three digits: take fewer, or a wider range")
    return tuple(values)


def _number(text: str, item: str) -> float:
    try:
        value = float(item)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BenchError(f"cannot read {item.strip()!r} in --tune {text!r}: {_FORMS}")
    return value

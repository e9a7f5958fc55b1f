"""Options of data sources as data: what a source takes, once, for its own checks, for commands and for lists.

Imports no torch, so that a command can show them in its help.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.core.errors import BenchError

REQUIRED: Final = "a value that must be given"
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")

Value = str | int | float | bool | Path


@dataclass(frozen=True)
class Option:
    """One option of a source.

    Attributes:
        name: of the parameter.
        type: of its value, or of each of its values.
        default: where it is not given; `REQUIRED` if it must be, None for none.
        help: a sentence for people.
        flag: its spelling on the command line where that is not the name's, without the dashes in front.
        repeatable: whether it may be given several times; its value is then a tuple.
        between: the least and the greatest number it may be.
        numbers: how many values it takes at once; of several its value is a tuple.
    """

    name: str
    type: type[Value]
    default: Any
    help: str
    flag: str | None = None
    repeatable: bool = False
    between: tuple[float, float] | None = None
    numbers: int = 1

    @property
    def spelled(self) -> str:
        """As the command line has it: ``--bg-depth``."""
        return f"--{self.flag or self.name.replace('_', '-')}"

    def read(self, value: Any) -> Any:
        """A value as the source takes it, from a value or its text.

        Raises:
            BenchError: it is none of that type.
        """
        if value is None and self.default is None:
            return None
        if self.numbers > 1:
            several = value.replace(",", " ").split() if isinstance(value, str) else list(value)
            if len(several) != self.numbers:
                raise BenchError(f"{self.spelled} takes {self.numbers} values, not {len(several)}")
            return tuple(self._read(item) for item in several)
        if self.repeatable:
            values = value if isinstance(value, (list, tuple)) else [value]
            return tuple(self._read(item) for item in values)
        return self._read(value)

    def _read(self, value: Any) -> Value:
        try:
            if self.type is bool:
                word = str(value).lower()
                if word not in _TRUE + _FALSE:
                    raise ValueError
                return word in _TRUE
            if self.type in (int, float) and isinstance(value, bool):
                raise ValueError
            if self.type is int and isinstance(value, float) and not value.is_integer():
                raise ValueError
            read: Value = self.type(value)
        except (TypeError, ValueError) as error:
            kind = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}
            wanted = kind.get(self.type.__name__, "a path")
            raise BenchError(f"{self.spelled} must be {wanted}, not {value!r}") from error
        if self.between and not self.between[0] <= float(str(read)) <= self.between[1]:
            raise BenchError(f"{self.spelled} must be from {self.between[0]:g} to {self.between[1]:g}, not {value!r}")
        return read


SEED = Option("seed", int, 0, "Seed of the data itself; the same for all that is compared.", flag="data-seed")
CAMERA = Option("camera", str, "handheld", "handheld (the two photographs differ a little) or still (as published).")
SPLIT = Option(
    "split",
    str,
    "unseen-both",
    "unseen-both, unseen-bg, unseen-fg, shared (leaks), kfold[n=5,fold=0], or a file.json of groups by part.",
)
EMPTY_SHARE = Option(
    "empty_share", float, 0.0, "Share of the samples without an object, chosen by sample.", between=(0.0, 0.99)
)
SKIP_BAD = Option("skip_bad", bool, False, "Go on without files that cannot be used.")


def read_options(kind: str, options: Iterable[Option], given: Mapping[str, Any]) -> dict[str, Any]:
    """Values of all options of a source, those not given at their defaults.

    Args:
        kind: of the source, for messages.
        options: what it takes.
        given: values, or texts of values, by name.

    Raises:
        BenchError: an option it does not take, a value of another type, or a missing value.
    """
    known = {option.name: option for option in options}
    for name in given:
        if name not in known:
            raise BenchError(f"data source {kind!r} takes no option {name!r} (it takes: {', '.join(known) or 'none'})")
    missing = [o.spelled for o in known.values() if o.default is REQUIRED and given.get(o.name) is None]
    if missing:
        raise BenchError(f"data source {kind!r} needs {' and '.join(missing)}")
    return {name: option.read(given[name]) if name in given else option.default for name, option in known.items()}

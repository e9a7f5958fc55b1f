"""`OnceCommand`: an option of a single value is given once, and a number is finite.

Of two values the last would win silently; NaN lies in every range, as it is neither below nor above anything.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from typer.core import TyperCommand, TyperOption

from bench.cli.usage import UsageError
from bench.core.errors import BenchError


class OnceCommand(TyperCommand):
    """A command that refuses an option given twice, unless it is repeatable, and numbers that are not finite."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words of the command line.

        Raises:
            BenchError: an option stands twice, or a number is NaN or infinite.
        """
        counts = Counter(option.opts[0] for option in self._given(args))
        if twice := [name for name, count in counts.items() if count > 1]:
            raise BenchError(f"{twice[0]} is given {counts[twice[0]]} times; it takes a single value")
        try:
            parsed: list[str] = super().parse_args(ctx, args)
        except UsageError as error:
            if getattr(error, "ctx", None) is None:  # where an option lacks its value
                vars(error)["ctx"] = ctx
            raise
        for option in self.params:
            given = ctx.params.get(option.name)
            for value in given if isinstance(given, list | tuple) else (given,):
                if isinstance(value, float) and not math.isfinite(value):
                    raise BenchError(f"{option.opts[0]} must be a finite number, not {str(value)!r}")
        return parsed

    def _given(self, words: Sequence[str]) -> Iterator[TyperOption]:
        """The options among the words that take a single value."""
        options = [option for option in self.params if isinstance(option, TyperOption)]
        names: dict[str, TyperOption] = {name: option for option in options for name in option.opts}
        rest: Iterator[Any] = iter(words)
        for word in rest:
            if word == "--":
                return
            name, equals, _ = word.partition("=")
            option = names.get(name)
            if option is None:
                continue
            if not option.is_flag and not equals:
                for _ in range(option.nargs):
                    next(rest, None)
            if not (option.is_flag or option.multiple or option.count):
                yield option

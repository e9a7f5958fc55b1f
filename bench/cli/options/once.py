"""`OnceCommand`: an option of a single value is given once; of two, the last does not win silently."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from typer.core import TyperCommand, TyperOption

from bench.core.errors import BenchError


class OnceCommand(TyperCommand):
    """A command that refuses an option given twice, unless the option is repeatable."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words of the command line.

        Raises:
            BenchError: an option stands twice.
        """
        counts = Counter(option.opts[0] for option in self._given(args))
        if twice := [name for name, count in counts.items() if count > 1]:
            raise BenchError(f"{twice[0]} is given {counts[twice[0]]} times; it takes a single value")
        parsed: list[str] = super().parse_args(ctx, args)
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

"""Errors with the exit status of the command that they end; the message says what to do."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from bench.core.amount import amount
from registry.errors import Portable


class BenchError(Portable):
    """A request that cannot be fulfilled.

    Attributes:
        exit_code: the exit status of a command that ends with this error.
    """

    exit_code = 2


class BadData(BenchError):
    """Data files that cannot be used.

    Attributes:
        problems: every bad file (or folder) with its reason.
    """

    exit_code = 3

    def __init__(self, problems: Sequence[tuple[str, str]], advice: str = "") -> None:
        self.problems = tuple(problems)
        lines = [f"  {name}: {reason}" for name, reason in self.problems]
        count = f"{amount(len(lines), 'problem')} with the data:"
        super().__init__("\n".join([count, *lines, *filter(None, [advice])]))


class CannotWrite(BenchError):
    """A file cannot be written; what it was to replace is untouched, and nothing else is at fault."""

    @classmethod
    def of(cls, what: str, error: Exception) -> CannotWrite:
        """From what could not be written, in words, and the error of the system, or of torch."""
        full = isinstance(error, RuntimeError) or is_full(error)  # torch says no more
        advice = "; free some space and run again" if full else ""
        reason = (str(getattr(error, "strerror", None) or error).splitlines() or [type(error).__name__])[0]
        return cls(f"cannot write {what}: {reason}{advice}")


def is_full(error: Exception) -> bool:
    """Whether the system has no room for a file."""
    return getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Interrupted(BaseException):
    """The program was asked to stop (Ctrl-C, SIGTERM); no ``except Exception`` may take it for a failure."""

    def __init__(self, message: str, exit_code: int = 130) -> None:
        super().__init__(message)
        self.exit_code = exit_code

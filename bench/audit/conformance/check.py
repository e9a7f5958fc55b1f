"""`Check`: a requirement on a plug-in, why it matters, and the function that tests it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch

from bench.core.finding import Finding, Grade
from bench.core.progress import Progress, no_progress
from bench.train.isolation.process_state import settings_kept
from registry.errors import ContractError

P = TypeVar("P")


class Violation(AssertionError):
    """A plug-in does not keep its contract; the message says what it did instead."""


class NotApplicable(Exception):
    """A check that says nothing about this plug-in; the message says why."""


@dataclass(frozen=True)
class Check(Generic[P]):
    """One demand on a plug-in. Called with the plug-in, it returns if the demand is met and else raises.

    Attributes:
        name: of its function.
        demand: what is demanded, in a sentence.
        why: what goes wrong otherwise.
        function: tries it.
        grade: how bad a violation is: ``broken``, or ``warn`` for what results only need care with.
    """

    name: str
    demand: str
    why: str
    function: Callable[[P], None]
    grade: Grade = "broken"

    def __call__(self, plugin: P) -> None:
        """Try it; random numbers drawn do not show outside.

        Raises:
            Violation: the demand is not met.
            NotApplicable: it says nothing about this plug-in.
        """
        try:
            with settings_kept("it"), torch.random.fork_rng(devices=[]), torch.enable_grad():
                torch.manual_seed(0)
                self.function(plugin)
        except ContractError as error:
            raise Violation(str(error)) from error


def check(why: str, grade: Grade = "broken") -> Callable[[Callable[[P], None]], Check[P]]:
    """Turn a function of a plug-in into a `Check`; the first line of its docstring is the demand."""

    def make(function: Callable[[P], None]) -> Check[P]:
        """The check that a function makes."""
        demand = (inspect.getdoc(function) or "").partition("\n")[0]
        return Check(function.__name__, demand, why, function, grade)

    return make


def require(condition: object, message: str) -> None:
    """Go on if the condition holds.

    Raises:
        Violation: it does not; ``message`` says what happened instead.
    """
    if not condition:
        raise Violation(message)


def examine(plugin: P, checks: Sequence[Check[P]], progress: Progress = no_progress) -> list[Finding]:
    """Make every check on a plug-in; whatever its code raises is a finding too."""
    findings = []
    for number, each in enumerate(checks):
        progress(f"check: {each.name}", number, len(checks))
        findings.append(_finding(plugin, each))
    return findings


def _finding(plugin: Any, each: Check[Any]) -> Finding:
    try:
        each(plugin)
    except NotApplicable as exception:
        return Finding(check=each.name, grade="ok", finding=f"does not apply: {exception}")
    except Violation as violation:
        return Finding(check=each.name, grade=each.grade, finding=str(violation), advice=each.why)
    except Exception as error:  # a user's code raises anything
        reason = str(error).partition("\n")[0] or "no reason given"
        finding = f"raises {type(error).__name__}: {reason}"
        return Finding(check=each.name, grade=each.grade, finding=finding, advice=each.why)
    return Finding(check=each.name, grade="ok", finding=each.demand)

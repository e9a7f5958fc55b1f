"""Conformance checks for plug-ins: models, terms, metrics and sources, ours and a user's own.

On the command line ``bench check mine:Net``. From Python `check_plugin` gives a finding per check; in a test suite::

    from bench.audit.conformance import parametrize_with_checks


    @parametrize_with_checks("mine:Net", "mine:term")
    def test_conforms(check):
        check()
"""

from bench.audit.conformance.check import Check, NotApplicable, Violation
from bench.audit.conformance.parametrized import BoundCheck, bound_checks, parametrize_with_checks
from bench.audit.conformance.plugin import CHECKS, Plugin, check_plugin, find_kind, find_plugin

__all__ = [
    "CHECKS",
    "BoundCheck",
    "Check",
    "NotApplicable",
    "Plugin",
    "Violation",
    "bound_checks",
    "check_plugin",
    "find_kind",
    "find_plugin",
    "parametrize_with_checks",
]

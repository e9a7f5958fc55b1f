"""Each broken plug-in is found out by the check it was made for; sound ones pass all."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from bench.audit.conformance import BoundCheck, bound_checks, check_plugin, find_kind, parametrize_with_checks
from bench.audit.conformance.check import Check, Violation, check, examine, require
from bench.audit.conformance.metric import CHECKS as METRIC_CHECKS
from bench.audit.conformance.metric import MetricPlugin
from bench.audit.conformance.model import CHECKS as MODEL_CHECKS
from bench.audit.conformance.model_plugin import ModelPlugin
from bench.audit.conformance.source import CHECKS as SOURCE_CHECKS
from bench.audit.conformance.source import SourcePlugin
from bench.audit.conformance.term import CHECKS as TERM_CHECKS
from bench.audit.conformance.term_plugin import TermPlugin
from bench.core.errors import BenchError
from registry.errors import RegistryError
from tests.bench.audit.conformance.broken import metrics, models, sources, terms

HERE = "tests.bench.audit.conformance.broken"
SOUND = [
    "examples.my_model:small_net",
    "examples.my_model:small_net[width=4]",
    "examples.my_term:charbonnier",
    "examples.my_metric:precision_at_half",
    "mask_dice",
    "examples.my_source:Discs",
    "examples.my_source:Discs[seed=3]",
    f"{HERE}.terms:squared",
]


def named(checks: tuple[Check[Any], ...], name: str) -> Check[Any]:
    return next(each for each in checks if each.name == name)


def caught(checks: tuple[Check[Any], ...], plugin: object, name: str, text: str) -> None:
    """The check of that name fails with that text, in a violation's words or those of what was raised."""
    (finding,) = examine(plugin, [named(checks, name)])
    assert finding.grade in ("broken", "warn"), finding
    assert finding.advice
    with pytest.raises(Exception, match=text):
        named(checks, name)(plugin)


@pytest.mark.parametrize(("kind", "name", "text"), models.MODELS, ids=lambda v: getattr(v, "__name__", ""))
def test_broken_models(kind: type, name: str, text: str) -> None:
    caught(MODEL_CHECKS, ModelPlugin(kind.__name__, functools.partial(models.small, kind)), name, text)


@pytest.mark.parametrize(("term", "name", "text"), terms.TERMS, ids=lambda v: getattr(v, "__name__", ""))
def test_broken_terms(term: Callable[..., Any], name: str, text: str) -> None:
    caught(TERM_CHECKS, TermPlugin(term.__name__, term, ("mask",) if "mask" in name else ("depth",)), name, text)


@pytest.mark.parametrize(("function", "name", "text"), metrics.METRICS, ids=lambda v: getattr(v, "__name__", ""))
def test_broken_metrics(function: Callable[..., Any], name: str, text: str) -> None:
    caught(METRIC_CHECKS, MetricPlugin(metrics.metric(function)), name, text)


@pytest.mark.parametrize(("kind", "name", "text"), sources.SOURCES, ids=lambda v: getattr(v, "__name__", ""))
def test_broken_sources(kind: type, name: str, text: str) -> None:
    caught(SOURCE_CHECKS, SourcePlugin(kind.__name__, kind), name, text)


def test_every_check_has_a_plugin_that_breaks_it() -> None:
    kinds = (
        (MODEL_CHECKS, models.MODELS),
        (TERM_CHECKS, terms.TERMS),
        (METRIC_CHECKS, metrics.METRICS),
        (SOURCE_CHECKS, sources.SOURCES),
    )
    for checks, table in kinds:
        assert {each.name for each in checks} - {"blocks"} == {name for _, name, _ in table}
        assert all(each.why and each.demand.endswith(".") for each in checks)


@parametrize_with_checks(*SOUND)
def test_sound_plugins(check: BoundCheck) -> None:
    check()


def test_sound_plugins_have_no_finding_at_all() -> None:
    for key in SOUND:
        assert [finding for finding in check_plugin(key) if finding.grade != "ok"] == [], key


def test_what_does_not_apply_says_so() -> None:
    made = {check.check.name: check() for check in bound_checks("bce", heads=["mask"])}
    assert made["scalar"] is True and made["unknown_pixels"] is False
    findings = {each.check: each for each in check_plugin("bce", heads=["mask"])}
    assert findings["unknown_pixels"].finding == "does not apply: it is not for depth"


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("unet", "model"),
        ("smp/unet/resnet18", "model"),
        ("bce", "term"),
        ("ssim[window=7]", "term"),
        ("mask_iou", "metric"),
        ("examples.my_metric:precision_at_half", "metric"),
        ("synthetic", "source"),
        ("examples.my_model:SmallNet", "model"),
        ("examples.my_model:small_net", "model"),
        ("examples.my_term:charbonnier", "term"),
        ("examples.my_source:Discs", "source"),
        (f"{HERE}.sources:NotASource", "source"),
    ],
)
def test_kinds_are_recognised(key: str, kind: str) -> None:
    assert find_kind(key) == kind


def test_what_cannot_be_checked() -> None:
    with pytest.raises(BenchError, match="say which with --kind"):
        find_kind(f"{HERE}.terms:three")
    with pytest.raises(RegistryError, match="did you mean"):
        find_kind("unett")
    with pytest.raises(RegistryError, match="no_such_module"):
        find_kind("no_such_module:net")
    with pytest.raises(BenchError, match="model, term"):
        check_plugin("unet", kind="modle")
    with pytest.raises(RegistryError, match="takes no parameter"):
        check_plugin("examples.my_model:small_net[depth=3]")


def test_a_check_draws_no_random_number_of_others() -> None:
    import torch

    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    check_plugin("examples.my_model:small_net[width=4]")
    assert torch.equal(torch.rand(2), expected)


def test_an_exception_is_a_finding() -> None:
    @check("because")
    def fails(plugin: str) -> None:
        """It works."""
        raise ZeroDivisionError(f"in {plugin}\nand more")

    @check("of no great importance", grade="warn")
    def violated(plugin: str) -> None:
        """It is kept."""
        require(plugin == "another", f"{plugin} is not another")

    first, second = examine("it", [fails, violated])
    assert (first.grade, first.finding, first.advice) == ("broken", "raises ZeroDivisionError: in it", "because")
    assert (second.grade, second.finding) == ("warn", "it is not another")
    assert examine("another", [violated])[0].finding == "It is kept."
    with pytest.raises(Violation):
        violated("it")

"""The table of metrics and the functions agree; what pages show follows from facts."""

import importlib
import inspect

from bench.core.record.metric_facts import MetricFacts
from bench.metrics import metrics

MODULES = ("mask", "depth", "joint", "checkerboard", "distance", "aligned")


def functions() -> dict[str, str]:
    """Every public function that takes a view first, with its module."""
    found = {}
    for name in MODULES:
        module = importlib.import_module(f"bench.metrics.functional.{name}")
        for key, function in vars(module).items():
            own = inspect.isfunction(function) and function.__module__ == module.__name__
            if own and not key.startswith("_") and next(iter(inspect.signature(function).parameters), "") == "view":
                found[key] = module.__name__
    return found


def test_every_metric_has_its_line_and_every_line_its_metric():
    lines = {name: metrics.module(name) for name in metrics.names()}
    missing = functions().items() - lines.items()
    assert not missing, f"bench/metrics/table.py lacks a line for {sorted(missing)}"
    assert lines == functions()


def test_headlines_in_their_order():
    known = sorted((metrics.facts(name).order, name) for name in metrics.names())
    shown = {fact: [name for _, name in known if getattr(metrics.facts(name), fact)] for fact in ("headline", "ranks")}
    assert shown == {
        "headline": ["mask_dice", "mask_iou", "depth_rmse", "depth_delta1"],
        "ranks": ["mask_dice", "depth_delta1"],
    }


def test_facts_survive_a_record():
    for name in [*metrics.names(), "torchmetrics/depth/R2Score", "mask_nsd[tolerance=2]"]:
        facts = metrics.facts(name)
        assert MetricFacts.model_validate_json(facts.model_dump_json()) == facts


def test_distances_are_computed_on_request_alone():
    assert {name for name in metrics.names() if name not in metrics.default()} == {"mask_hd95", "mask_assd", "mask_nsd"}

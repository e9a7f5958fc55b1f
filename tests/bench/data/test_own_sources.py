"""A user's source is not taken for another, and what it renders is checked where it enters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from bench.core.errors import BenchError
from bench.core.protocol import find_protocol
from bench.data.loading.loader import Loader
from bench.data.source import Source
from bench.data.sources import open_source
from bench.data.split import Part
from bench.data.synthetic.source import Synthetic
from bench.run.evaluate.evaluation import Evaluator
from bench.run.experiment import Experiment
from bench.train.checks.trial import try_out
from registry.contract import Quartet
from registry.errors import ContractError
from tests.bench.rectangles import Rectangles
from tests.bench.run.small_runs import CPU, SMALL, small_run

DESCRIPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "a built-in kind": ({"kind": "synthetic"}, "describes itself as kind 'synthetic'"),
    "another built-in kind": ({"kind": "stored"}, "describes itself as kind 'stored'"),
    "no number": ({"scale": float("nan")}, "is no JSON"),
    "a set": ({"rooms": {1, 2}}, "is no JSON"),
    "a path": ({"root": Path("a")}, "is no JSON"),
}


class Own(Rectangles):
    """Describes itself as a test tells it to."""

    more: ClassVar[dict[str, Any]] = {}

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), **self.more}


def own() -> Own:
    return Own()


def flat() -> Own:
    return Own(has_depth=False)


class Changed(Synthetic):
    """Says what the one that it is made of says."""


def experiment(source: Source, folder: Path) -> None:
    protocol, runs = find_protocol("quick").override(**SMALL), folder / "runs"
    Experiment([], "mask: bce", source, protocol=protocol, seeds=[0], device="cpu", results=folder, runs=runs)


USES: tuple[Callable[[Source, Path], object], ...] = (experiment, Evaluator)
"""From Python, what takes a source and records results."""


@pytest.mark.parametrize("what", DESCRIPTIONS)
def test_what_cannot_identify_its_results_is_refused(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it is opened, as what it is."""
    assert isinstance(open_source(f"{__name__}:own"), Own)
    description, reason = DESCRIPTIONS[what]
    monkeypatch.setattr(Own, "more", description)
    with pytest.raises(BenchError, match=reason):
        open_source(f"{__name__}:own")
    for use in USES:
        with pytest.raises(BenchError, match=f"'{__name__}:Own'.*{reason}"):
            use(Own(), tmp_path)


def test_a_source_of_this_package_made_by_itself_may_be_used(tmp_path: Path) -> None:
    for use in USES:
        use(Synthetic(), tmp_path)
        with pytest.raises(BenchError, match="Changed' describes itself as kind 'synthetic'"):
            use(Changed(), tmp_path)


@pytest.mark.parametrize("encoding", ["metric", "metric, 1.0 = 10 metres", "metric, 1.0=10 m", "metric, 1.0 = 0 m"])
def test_metric_depth_without_a_range_is_refused(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Own, "encoding", encoding)
    with pytest.raises(BenchError, match=f"its depth encoding is '{encoding}'.*write it as 'metric, 1.0 = 10 m'"):
        open_source(f"{__name__}:own")
    assert not open_source(f"{__name__}:flat").has_metric_depth


@pytest.mark.parametrize("encoding", ["metric, 1.0 = 2.5 m", "metric, 1.0 = 10 m, by a laser", "relative", "none"])
def test_what_an_encoding_may_say(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Own, "encoding", encoding)
    assert open_source(f"{__name__}:own").has_metric_depth == encoding.startswith("metric")


class Altered(Rectangles):
    """Renders what a test makes of its quartets."""

    def __init__(self, change: Callable[[Quartet], Any]) -> None:
        super().__init__()
        self.change = change

    def render(self, part: Part, ids: Tensor, size: int) -> Quartet:
        changed: Quartet = self.change(super().render(part, ids, size))
        return changed


SHAPES: dict[str, tuple[Callable[[Quartet], Any], str]] = {
    "samples too few": (lambda quartet: quartet.map(lambda tensor: tensor[:5]), "as bg"),  # right for a single one
    "another type": (lambda quartet: replace(quartet, bg=quartet.bg.double()), "type float64 as bg"),
    "bytes": (lambda quartet: replace(quartet, bg_fg=(quartet.bg_fg * 255).byte()), "type uint8 as bg_fg"),
    "a mask in colours": (lambda quartet: replace(quartet, mask=quartet.mask.expand(-1, 3, -1, -1)), "as mask"),
    "another size": (lambda quartet: replace(quartet, depth=quartet.depth[..., 1:]), "as depth"),
    "a tuple": (lambda quartet: (quartet.bg, quartet.bg_fg), "an object of type tuple"),
}
RANGES: dict[str, tuple[Callable[[Quartet], Any], str]] = {
    "0 to 255": (lambda quartet: replace(quartet, bg=quartet.bg * 255), "bg from"),
    "-1 to 1": (lambda quartet: replace(quartet, bg_fg=quartet.bg_fg * 2 - 1), "bg_fg from"),
    "depth in metres": (
        lambda quartet: replace(quartet, depth=quartet.depth * 0 + 7.5),
        "depth from 7.5 to 7.5",
    ),
    "infinite depth": (lambda quartet: replace(quartet, depth=quartet.depth / 0), "to inf"),
}


@pytest.mark.parametrize("what", SHAPES)
def test_a_quartet_of_another_form_ends_loading(what: str) -> None:
    change, reason = SHAPES[what]
    with pytest.raises(ContractError, match=f"data source Altered rendered .*{reason}"):
        loader = Loader(Altered(change), "train", 8, 32, 8, budget=2**24)
        [batch.quartet for batch in loader.in_order()]


@pytest.mark.parametrize("what", {**SHAPES, **RANGES})
def test_it_is_refused_before_training(what: str) -> None:
    change, reason = {**SHAPES, **RANGES}[what]
    source = Altered(change)
    with pytest.raises(ContractError, match=f"data source Altered rendered .*{reason}"):
        try_out(small_run(source), source, CPU)


def test_what_is_stored_where_depth_is_unknown_is_nobodys_business() -> None:
    def unknown(quartet: Quartet) -> Quartet:
        return replace(
            quartet, depth=torch.full_like(quartet.bg[:, :1], torch.nan), valid=torch.zeros_like(quartet.bg[:, :1])
        )

    source = Altered(unknown)
    try_out(small_run(source), source, CPU)

"""A spec has one id however its parts are spelled, and the ids of all recorded runs stay what they are."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import pytest

from bench.cli.options.groups import BudgetOptions
from bench.core.protocol import Protocol, find_protocol
from bench.core.spec import RunSpec
from bench.data.augment.pipeline import canonical_protocol, parse_augmentation
from bench.data.camera import cameras
from bench.data.sources import open_source
from bench.results.store.records import read_all
from bench.train.assemble import make_run
from registry import losses
from registry.models import models

ROOT = Path(__file__).parents[3]
QUICK = find_protocol("quick")
PLAIN = {
    "model": "twin_unet[width=8]",
    "recipe": "mask: bce + 2*dice, depth: l1",
    "optimizer": "adam[lr=0.003]",
    "schedule": "onecycle",
    "augmentation": "flip + noise[sigma=0.1]",
    "camera": "handheld[shift=0.05]",
    "split": "kfold[fold=1,n=5]",
}
SPELLINGS = {
    "model": [" twin_unet[ width = 8 ]", "twin_unet[width=8,dropout=0.20]", "twin_unet[dropout=2e-1,width=8]"],
    "recipe": [
        "depth: l1, mask: bce+2.0*dice",
        "mask:  1*bce + 2 * dice , depth:1.0*l1",
        "mask: bce + 2*dice, depth: l1",
    ],
    "optimizer": ["adam[lr=3e-3]", " adam[ lr = .0030 ]", "adam[weight_decay=0,lr=0.003]"],
    "schedule": ["onecycle[warmup=2e-1]", " onecycle "],
    "augmentation": [
        "flip+noise[sigma=.1]",
        "flip[p=0.50] + noise[ sigma = 0.10 ]",
        " none + flip + noise[sigma=1e-1]",
    ],
    "camera": ["handheld[shift=.050]", "handheld[ noise=2e-2, shift=5e-2 ]"],
    "split": ["kfold[n=5,fold=1]", " kfold[ fold = 1 ]"],
}
RECORDED = read_all(ROOT / "results")
assert RECORDED.named and not RECORDED.damaged


def spec_of(**changes: str) -> RunSpec:
    parts = {**PLAIN, **changes}
    source = open_source("synthetic", camera=parts["camera"], split=parts["split"], rooms=12, figures=12)
    budget = {name: parts[name] for name in ("optimizer", "schedule", "augmentation")}
    return make_run(parts["model"], parts["recipe"], QUICK.override(**budget), source.describe()).spec


@pytest.mark.parametrize(("part", "text"), [(part, text) for part, texts in SPELLINGS.items() for text in texts])
def test_a_spelling_changes_neither_spec_nor_id(part: str, text: str) -> None:
    plain, other = spec_of(), spec_of(**{part: text})
    assert other == plain
    assert (other.id, other.cell, other.protocol.label) == (plain.id, plain.cell, plain.protocol.label)


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("augmentation", "noise[sigma=0.1] + flip"),
        ("augmentation", "flip"),
        ("camera", "handheld"),
        ("split", "shared"),
    ],
)
def test_another_meaning_is_another_id(part: str, text: str) -> None:
    assert spec_of(**{part: text}).id != spec_of().id


@pytest.mark.parametrize("text", ["flip[p=.5]", " flip ", "none+flip", "flip[p=5e-1] + none"])
def test_a_protocol_that_is_only_spelled_otherwise_is_the_registered_one(text: str) -> None:
    assert canonical_protocol(QUICK.override(augmentation=text)) is QUICK
    assert canonical_protocol(QUICK.override(augmentation=text, epochs=9)) == QUICK.override(epochs=9)
    assert QUICK.override(epochs=9).override(epochs=QUICK.stages[0].epochs) is QUICK, "changed, and changed back"


@pytest.mark.parametrize(("text", "same"), [("flip[p=0.50]", True), (" none + flip", True), ("flip[p=0.4]", False)])
def test_options_of_a_command_name_the_same_budget(text: str, same: bool, tmp_path: Path) -> None:
    found = BudgetOptions(augmentation=text).resolve()
    assert (found == QUICK) == same
    assert found.augmentation == ("flip" if same else "flip[p=0.4]")
    (tmp_path / "mine.toml").write_text(
        QUICK.toml().replace('"quick"', '"mine"').replace('"flip"', '" flip[ p = .5 ]"')
    )
    mine = BudgetOptions(protocol=str(tmp_path / "mine.toml")).resolve()
    assert mine.augmentation == "flip"
    assert BudgetOptions(protocol=str(tmp_path / "mine.toml"), augmentation="flip[p=5e-1]").resolve() == mine


def test_a_protocol_of_ones_own_has_one_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = QUICK.toml().replace('name = "quick"', 'name = "mine"')
    files = {"plain": text, "spaced": text.replace('"flip"', '" flip[ p = 0.50 ]"').replace("[lr=0.003]", "[lr=3e-3]")}
    for name, content in files.items():
        (tmp_path / f"{name}.toml").write_text(content)
    plain, spaced = (canonical_protocol(find_protocol(str(tmp_path / f"{name}.toml"))) for name in files)
    assert plain == spaced
    assert plain.label == spaced.label
    assert plain.label.startswith("mine v1 (")
    module = types.ModuleType("own_budget")
    module.mine = Protocol(**{**plain.model_dump(), "base": None, "optimizer": " adam[lr=3e-3] "})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "own_budget", module)
    assert find_protocol("own_budget:mine") == plain


def test_recorded_runs_keep_ids_cells_and_spellings() -> None:
    for _, record in RECORDED:
        spec = record.spec
        assert (spec.id, spec.cell) == (record.id, record.cell)
        assert canonical_protocol(spec.protocol) == spec.protocol
        assert parse_augmentation(spec.protocol.augmentation).text == spec.protocol.augmentation
        assert cameras.canonical(spec.data["camera"]) == spec.data["camera"]
        assert models.canonical(spec.model) == spec.model
        assert not spec.recipe or losses.parse(spec.recipe).text == spec.recipe


def test_recorded_data_is_what_the_source_says_today() -> None:
    described: dict[tuple[str, int], object] = {}
    for _, record in RECORDED:
        data = record.spec.data
        if data["kind"] == "synthetic":
            source = data["camera"], data["seed"]
            if source not in described:
                opened = open_source("synthetic", camera=source[0], seed=source[1])
                described[source] = json.loads(json.dumps(opened.describe()))
            assert described[source] == data
    assert described

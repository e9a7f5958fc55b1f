"""Protocols: what is data stays data, and a change shows."""

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from bench.core.errors import BenchError
from bench.core.protocol import Protocol, find_protocol, protocols
from registry.errors import RegistryError, UnknownName
from registry.optimizers import optimizers
from registry.schedules import schedules


@pytest.mark.parametrize("name", protocols.names())
def test_every_protocol_names_things_that_exist(name: str) -> None:
    protocol = find_protocol(name)
    optimizers.resolve(protocol.optimizer)
    schedules.resolve(protocol.schedule)
    assert protocol.label == f"{name} v{protocol.version}"
    assert all(stage.size % 16 == 0 and protocol.train_samples >= stage.batch for stage in protocol.stages)


def test_stages_follow_each_other() -> None:
    standard = find_protocol("standard")
    sizes = [standard.stage_of(epoch).size for epoch in range(1, standard.epochs + 1)]
    assert sizes == [64, 64, 64, 112, 112, 192, 192]
    assert standard.size == 192
    before = [standard.steps_before(epoch) for epoch in range(1, standard.epochs + 2)]
    assert before == [0, 312, 624, 936, 1561, 2186, 3436, 4686]  # 40,000 samples by batches of 128, 64 and 32
    with pytest.raises(IndexError):
        standard.stage_of(standard.epochs + 1)


def test_an_override_is_visibly_custom() -> None:
    quick = find_protocol("quick")
    changed = quick.override(epochs=5, optimizer="sgd[lr=0.1]")
    assert changed.name == "custom"
    assert changed.base == "quick"
    assert changed.stages[0].epochs == 5
    assert "custom" in changed.label
    assert "quick" in changed.label
    assert changed.label != quick.override(epochs=6).label
    assert quick.override(epochs=quick.stages[0].epochs, batch=None) is quick


def test_a_custom_protocol_is_described_by_its_own_numbers(tmp_path: Path) -> None:
    quick = find_protocol("quick")
    assert quick.about == quick.summary
    changed = quick.override(epochs=1, size=32, train_samples=16)
    assert changed.about == (
        "32 px, 8 images a step, 1 epoch over 16 training samples, 128 for validation, 256 test samples; "
        "adam[lr=0.003], onecycle"
    )
    every = quick.override(augmentation="rotate", normalize="data", patience=2).about
    assert every.endswith(
        "; adam[lr=0.003], onecycle, augmentation rotate, inputs normalised by the training split's mean and standard "
        "deviation, training ends after 2 epochs of a stage without a better validation loss"
    )
    (tmp_path / "mine.toml").write_text(changed.toml().replace("custom", "mine").replace(quick.summary, "a first try"))
    assert find_protocol(str(tmp_path / "mine.toml")).about == "a first try"


def test_impossible_overrides_are_refused() -> None:
    with pytest.raises(BenchError, match="greater than 0"):
        find_protocol("quick").override(batch=0)


def test_unknown_protocol_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="quick"):
        find_protocol("quik")


SPELLINGS = ["adam[lr=3e-3]", "adam[lr=0.0030]", " adam[ lr = 0.003 ] ", "adam[weight_decay=0,lr=.003,beta1=0.9]"]


@pytest.mark.parametrize("text", SPELLINGS)
def test_one_optimizer_is_one_board_and_one_id(text: str) -> None:
    quick = find_protocol("quick")
    assert quick.override(optimizer=text, schedule=" onecycle[ warmup=2e-1 ]") is quick
    custom = quick.override(epochs=5)
    assert quick.override(epochs=5, optimizer=text).label == custom.label
    assert quick.override(epochs=5, optimizer=text) == custom


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"optimizer": "adamm"}, "did you mean adam"),
        ({"optimizer": "adam[lr=0]"}, "lr must be over 0"),
        ({"schedule": "step[every=0]"}, "every must be at least 1"),
        ({"epochs": 999999999999999999999}, r"stages.0.epochs: .* less than or equal to 100000"),
        ({"size": 0}, "stages.0.size"),
        ({"train_samples": 2**40}, "train_samples"),
    ],
)
def test_what_no_protocol_can_have(changes: dict[str, Any], words: str) -> None:
    with pytest.raises((BenchError, RegistryError), match=words):
        find_protocol("quick").override(**changes)


OWN = """
train_samples = 64
val_samples = 8
test_samples = 8
optimizer = "sgd[lr=1e-2, momentum=0.5]"

[[stages]]
size = 32
batch = 8
epochs = 1
"""


def test_a_protocol_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(OWN)
    mine = find_protocol(str(file))
    assert (mine.name, mine.version, mine.optimizer, mine.schedule) == ("mine", 1, "sgd[momentum=0.5]", "onecycle")
    assert mine.label.startswith("mine v1 (")
    file.write_text(OWN.replace("batch = 8", "batch = 4"))
    other = find_protocol(str(file))
    assert other.label != mine.label, "two budgets under the same name are two boards"
    file.write_text(mine.toml())
    assert find_protocol(str(file)) == mine
    assert mine.override(epochs=3).label.startswith("custom")
    assert Protocol.model_validate_json(mine.model_dump_json()) == mine


def test_a_file_that_changes_a_registered_protocol_is_custom(tmp_path: Path) -> None:
    file, quick = tmp_path / "p.toml", find_protocol("quick")
    file.write_text(quick.toml().replace("epochs = 2", "epochs = 3"))
    assert find_protocol(str(file)) == quick.override(epochs=3)
    file.write_text(quick.toml().replace(quick.summary, "in other words"))
    assert find_protocol(str(file)) is quick


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "cannot read the protocol .*Invalid value"),
        (OWN + "speed = 3", "speed"),
        (OWN.replace("64", "'many'"), "train_samples"),
        (OWN.replace("sgd", "sdg"), "did you mean sgd"),
        ("train_samples = 3", "stages: Field required"),
    ],
)
def test_a_file_that_is_no_protocol(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises((BenchError, RegistryError), match=words):
        find_protocol(str(tmp_path / "mine.toml"))
    with pytest.raises(BenchError, match="cannot read the protocol"):
        find_protocol(str(tmp_path / "other.toml"))


def test_a_protocol_of_a_users_module(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("a_users_protocols")
    module.short = find_protocol("quick").override(epochs=1).model_copy(update={"name": "short", "base": None})
    monkeypatch.setitem(sys.modules, "a_users_protocols", module)
    assert find_protocol("a_users_protocols:short").label.startswith("short v1 (")

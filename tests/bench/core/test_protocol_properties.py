"""What holds for every protocol that there can be: counts, round trips, labels, identity."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.core.protocol import LATER, Protocol, Stage, find_protocol, protocols
from registry.optimizers import optimizers
from registry.schedules import schedules

STAGES = st.builds(Stage, size=st.integers(1, 8192), batch=st.integers(1, 256), epochs=st.integers(0, 4))
NAMES = st.text("abcdefghijklmnop_-", min_size=1, max_size=8).map(lambda name: f"own_{name}")
PROTOCOLS = st.builds(
    Protocol,
    name=NAMES,
    version=st.integers(1, 9),
    summary=st.text(max_size=12),
    stages=st.lists(STAGES, min_size=1, max_size=3).map(tuple),
    train_samples=st.integers(1, 2**31),
    val_samples=st.integers(1, 10**6),
    test_samples=st.integers(1, 10**6),
    optimizer=st.sampled_from(optimizers.names()),
    schedule=st.sampled_from(schedules.names()),
    normalize=st.sampled_from(["none", "data", "imagenet"]),
    patience=st.integers(0, 9),
)


@settings(max_examples=30)
@given(PROTOCOLS)
def test_epochs_steps_and_stages_count_the_same_thing(protocol: Protocol) -> None:
    assert len(protocol.epoch_steps) == protocol.epochs
    assert protocol.steps == sum(stage.epochs * (protocol.train_samples // stage.batch) for stage in protocol.stages)
    for epoch in range(1, protocol.epochs + 1):
        stage = protocol.stage_of(epoch)
        assert protocol.epoch_steps[epoch - 1] == protocol.train_samples // stage.batch
        assert protocol.steps_before(epoch) + protocol.epoch_steps[epoch - 1] == protocol.steps_before(epoch + 1)
    assert protocol.steps_before(1) == 0 and protocol.steps_before(protocol.epochs + 1) == protocol.steps
    with pytest.raises(IndexError, match="beyond the last stage"):
        protocol.stage_of(protocol.epochs + 1)


@settings(max_examples=30)
@given(PROTOCOLS)
def test_json_gives_it_back_and_defaults_of_later_fields_are_not_written(protocol: Protocol) -> None:
    written = protocol.model_dump(mode="json")
    assert Protocol.model_validate(written) == protocol
    for name, default in LATER.items():
        assert (name in written) == (getattr(protocol, name) != default)


@settings(max_examples=15)
@given(protocol=PROTOCOLS)
def test_a_toml_file_gives_it_back_as_a_users_own(protocol: Protocol, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "own.toml"
    path.write_text(protocol.toml(), encoding="utf-8")
    tomllib.loads(protocol.toml())
    found = find_protocol(str(path))
    assert found == protocol.canonical().model_copy(update={"base": protocol.name})
    assert found.label.startswith(f"{protocol.name} v{protocol.version} (")


@settings(max_examples=30)
@given(PROTOCOLS)
def test_canonical_is_idempotent(protocol: Protocol) -> None:
    canonical = protocol.canonical("flip")
    assert canonical.canonical("flip") == canonical


@settings(max_examples=30)
@given(PROTOCOLS, PROTOCOLS)
def test_labels_of_ones_own_differ_exactly_where_budgets_do(one: Protocol, other: Protocol) -> None:
    first, second = (
        protocol.model_copy(update={"name": "own", "base": "own", "version": 1}) for protocol in (one, other)
    )
    same = first.model_copy(update={"summary": ""}) == second.model_copy(update={"summary": ""})
    assert (first.label == second.label) == same


@pytest.mark.parametrize("name", protocols.names())
def test_registered_protocols_are_canonical_and_changing_nothing_changes_nothing(name: str) -> None:
    protocol = find_protocol(name)
    assert protocol.canonical() == protocol
    assert protocol.override() is protocol
    assert protocol.override(epochs=None, batch=None, optimizer=protocol.optimizer) is protocol
    assert protocol.label == f"{name} v{protocol.version}"


@pytest.mark.parametrize(
    ("change", "back"),
    [
        ({"optimizer": "sgd"}, {"optimizer": "adam[lr=0.003]"}),
        ({"train_samples": 7}, {"train_samples": 1024}),
        ({"size": 96}, {"size": 64}),
        ({"patience": 3}, {"patience": 0}),
        ({"normalize": "data"}, {"normalize": "none"}),
    ],
)
def test_what_is_changed_back_is_the_registered_protocol_again(change: dict[str, Any], back: dict[str, Any]) -> None:
    quick = find_protocol("quick")
    changed = quick.override(**change)
    assert (changed.name, changed.base) == ("custom", "quick")
    assert changed.label.startswith("custom ") and changed.label.endswith("(from quick v1)")
    assert changed.override(**back) == quick


@given(st.permutations(["size", "batch", "epochs"]))
def test_the_order_of_changes_does_not_matter(order: list[str]) -> None:
    values, protocol = {"size": 32, "batch": 4, "epochs": 1}, find_protocol("standard")
    for name in order:
        protocol = protocol.override(**{name: values[name]})
    assert protocol == find_protocol("standard").override(**values)
    assert {stage.label for stage in protocol.stages} == {"32 px, 4 images"}


REFUSED = {
    "train_samples": [0, -1, 2**31 + 1, "many", 1.5],
    "size": [0, -8, 8193],
    "batch": [0, 2**20 + 1],
    "epochs": [-1, 100_001],
    "patience": [-1, 100_001],
    "normalize": ["mean", ""],
    "stages": [[], [{}], "64"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in REFUSED.items() for value in values])
def test_values_beyond_their_range_are_named_with_what_came(name: str, value: object) -> None:
    with pytest.raises(BenchError, match=r"not a protocol: .*" + name) as refused:
        find_protocol("quick").override(**{name: value})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name = ", "cannot read the protocol"),
        ("name = 'a'\n", "is no protocol: .*stages"),
        ("nonsense = 1\n", "is no protocol: .*nonsense"),
        ("version = 'first'\n", "is no protocol: .*version"),
    ],
)
def test_files_that_are_no_protocol(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(BenchError, match=reason):
        find_protocol(str(path))


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BenchError, match=r"cannot read the protocol .*mine\.toml"):
        find_protocol(str(path))

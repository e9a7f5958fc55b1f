"""Protocols: what is data stays data, and a change shows."""

import pytest

from bench.core.errors import BenchError
from bench.core.protocol import find_protocol, protocols
from bench.train.optim import optimizers, schedules
from registry.errors import UnknownName


@pytest.mark.parametrize("name", protocols.names())
def test_every_protocol_names_things_that_exist(name: str) -> None:
    protocol = find_protocol(name)
    optimizers.resolve(protocol.optimizer)
    schedules.resolve(protocol.schedule)
    assert protocol.label == f"{name} v{protocol.version}"
    assert all(stage.size % 32 == 0 or stage.size % 16 == 0 for stage in protocol.stages)


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


def test_impossible_overrides_are_refused() -> None:
    with pytest.raises(BenchError, match="greater than 0"):
        find_protocol("quick").override(batch=0)


def test_unknown_protocol_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="quick"):
        find_protocol("quik")

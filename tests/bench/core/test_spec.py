"""A run's id: a function of what decides the outcome, and of nothing else."""

import hypothesis.strategies as st
from hypothesis import given, settings

from bench.core.files import canonical_json
from bench.core.protocol import find_protocol
from bench.core.spec import RunSpec

BASE = RunSpec(model="unet", recipe="mask: bce", protocol=find_protocol("quick"), data={"kind": "synthetic", "seed": 0})


def test_each_part_changes_the_id() -> None:
    others = [
        BASE.model_copy(update={"model": "wnet"}),
        BASE.model_copy(update={"recipe": "mask: dice"}),
        BASE.model_copy(update={"protocol": BASE.protocol.override(epochs=9)}),
        BASE.model_copy(update={"data": {"kind": "synthetic", "seed": 1}}),
        BASE.model_copy(update={"precision": "bfloat16"}),
        BASE.model_copy(update={"seed": 1}),
    ]
    assert len({spec.id for spec in [BASE, *others]}) == 7


def test_seeds_share_a_cell() -> None:
    other = BASE.model_copy(update={"seed": 3})
    assert other.cell == BASE.cell
    assert other.id != BASE.id


def test_wording_does_not_change_the_id() -> None:
    protocol = BASE.protocol.model_copy(update={"summary": "in other words"})
    assert BASE.model_copy(update={"protocol": protocol}).id == BASE.id


def test_id_survives_a_round_trip_through_json() -> None:
    assert RunSpec.model_validate_json(BASE.model_dump_json()).id == BASE.id


@settings(max_examples=25)
@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=5))
def test_canonical_json_ignores_order(value: dict) -> None:
    assert canonical_json(value) == canonical_json(dict(reversed(value.items())))


def test_what_is_unusual_about_a_cell_is_in_its_label() -> None:
    label = RunSpec(
        model="unet", recipe="", protocol=find_protocol("quick"), data={}, memory_format="contiguous", engine="graphed"
    ).precision_label
    assert label == "float32, contiguous, graphed"

"""What is refused before a run begins, with the way out for that kind of data."""

import pytest

from bench.core.errors import BenchError
from bench.core.protocol import find_protocol
from bench.run.preconditions import check_budget, check_heads, within
from registry.losses import parse
from tests.bench.rectangles import Rectangles


@pytest.mark.parametrize(
    ("head", "kind", "way"),
    [
        ("depth", "composed", "--bg-depth"),
        ("depth", "stored", "--depth-model"),
        ("depth", "mine", "source"),
        ("mask", "stored", "--files"),
        ("mask", "mine", "source"),
    ],
)
def test_the_way_to_a_target_is_that_of_the_source(head: str, kind: str, way: str) -> None:
    source = Rectangles(has_depth=head != "depth")
    source.kind, source.has_mask = kind, head != "mask"
    other = {"depth": "mask: bce", "mask": "depth: l1"}[head]
    with pytest.raises(BenchError, match=f"{head} terms but the data has no .*{way}.* or take a recipe .*{other}"):
        check_heads(parse("mask: bce, depth: l1"), source)
    check_heads(parse(other), source)


def test_fewer_samples_than_a_batch_name_both_ways_out() -> None:
    source = Rectangles()
    source.count = {"train": 6, "val": 2, "test": 2}.get  # type: ignore[method-assign, assignment]
    protocol = within(find_protocol("quick"), source)
    with pytest.raises(BenchError, match=r"6 training samples make no batch of 8: .* --batch 6"):
        check_budget(protocol)
    check_budget(protocol.override(batch=6))

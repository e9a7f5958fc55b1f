"""What is refused before a run begins, with the way out for that kind of data."""

import pytest

from bench.core.errors import BenchError
from bench.run.preconditions import check_heads
from registry.losses import parse
from tests.bench.rectangles import Rectangles


@pytest.mark.parametrize(("kind", "way"), [("composed", "--bg-depth"), ("stored", "--depth-model"), ("mine", "source")])
def test_the_way_to_depth_is_that_of_the_source(kind: str, way: str) -> None:
    source = Rectangles(has_depth=False)
    source.kind = kind
    with pytest.raises(BenchError, match=f"no depth: .*{way}.* or take a recipe without it"):
        check_heads(parse("mask: bce, depth: l1"), source)
    check_heads(parse("mask: bce"), source)

"""What is unknown in a source, in layouts that have no number for it."""

from __future__ import annotations

import dataclasses
import warnings

import pytest
import torch

from bench.data.stored.export import export
from bench.data.stored.export.writers import WRITERS
from registry.contract import Quartet
from tests.bench.rectangles import Rectangles


class Holes(Rectangles):
    """Depth is unknown in a corner of every second sample, the mask in one of every fourth."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self.encoding = encoding

    def render(self, part: str, ids: torch.Tensor, size: int) -> Quartet:
        """Rectangles with holes."""
        quartet = super().render(part, ids, size)
        assert quartet.valid is not None
        valid, mask_valid = quartet.valid.clone(), torch.ones_like(quartet.valid)
        valid[ids % 2 == 0, :, :2, :2] = 0
        mask_valid[ids % 4 == 0, :, :2, :2] = 0
        return dataclasses.replace(quartet, valid=valid, mask_valid=mask_valid)


METRIC = "metric, 1.0 = 10 m"


@pytest.mark.parametrize(
    ("layout", "encoding", "lost"),
    [
        *((layout, METRIC, ["mask", "depth"]) for layout in WRITERS if layout != "pairs"),
        ("pairs", METRIC, ["mask"]),
        ("pairs", "relative, near = 0", ["mask", "depth"]),
    ],
)
def test_what_a_layout_cannot_say_is_counted_and_warned_of(tmp_path, layout, encoding, lost):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert export(Holes(encoding), layout, 12, tmp_path / "set", size=16, part="train") == 12
    texts = [str(warning.message) for warning in caught]
    counts = {"mask": "3 of 12", "depth": "6 of 12"}
    assert [text.split()[0] for text in texts] == lost
    for field, text in zip(lost, texts, strict=True):
        assert counts[field] in text and f"layout {layout}" in text


def test_nothing_is_said_where_everything_is_known(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        export(Rectangles(), "003", 4, tmp_path / "set", size=16, part="train")


def test_a_stopped_export_counts_what_it_wrote_before(tmp_path):
    """The whole number is in the warning, not that of the files which the second attempt wrote."""

    class Stop(Exception):
        pass

    def stop(what: str, done: int, total: int) -> None:
        if done < total:
            raise Stop

    with pytest.raises(Stop):
        export(Holes(METRIC), "004", 100, tmp_path / "set", size=16, part="train", progress=stop)
    with pytest.warns(UserWarning, match="depth is unknown in places of 50 of 100"):
        export(Holes(METRIC), "004", 100, tmp_path / "set", size=16, part="train")

"""Parts with next to no quartets are a warning of the inspection and of the audit, with the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.audit.audit import audit
from bench.core.protocol import find_protocol
from bench.data.inspection.inspection import inspect
from bench.data.inspection.part_sizes import part_sizes
from bench.data.stored.source import Stored
from bench.data.synthetic.source import Synthetic
from tests.bench.data.stored.conftest import Folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Folder(tmp_path_factory.mktemp("data"), 10, 8).root


def test_a_test_of_a_single_quartet(root: Path) -> None:
    source = Stored(root, packed=None)
    found = part_sizes(source)
    assert found.grade == "warn"
    assert f"test has {source.count('test')}; the split leaves {source.describe()['left_out']} out" in found.finding
    assert "--split unseen-bg or unseen-fg" in found.advice
    assert found in inspect(source).findings
    audited = {each.check: each for each in audit("mask: bce", source, find_protocol("quick").override(size=32))}
    assert audited["split"].grade == "warn"
    assert found.finding in audited["split"].finding


def test_parts_that_are_large_enough(root: Path) -> None:
    assert part_sizes(Stored(root, split="unseen-bg", packed=None)).grade == "ok"
    assert part_sizes(Synthetic(rooms=6, figures=6)).grade == "ok", "endless parts"


def test_where_nothing_is_left_out_more_pictures_are_asked_for(tmp_path: Path) -> None:
    found = part_sizes(Stored(Folder(tmp_path, 4, 4).root, split="unseen-bg", packed=None))
    assert found.grade == "warn"
    assert found.advice.startswith("add pictures")

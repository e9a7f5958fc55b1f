"""Which stored quartets are in which part: rules, and files of the user's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from bench.core.errors import BadData
from bench.data.inspection.inspection import inspect
from bench.data.split import FRACTIONS
from bench.data.stored.source import Stored
from bench.report.terminal.inspection_table import inspection_lines
from tests.bench.data.stored.conftest import Folder

MINE = {
    "background": {"train": ["1", "2"], "val": ["3"], "test": ["4"]},
    "object": {"train": ["1", "2"], "val": ["3"], "test": ["4"]},
}


def names(source: Stored, part: str) -> tuple[set[str], set[str]]:
    """Names of the backgrounds and objects of a part."""
    entries = [source.catalogue.entries[row] for row in source.rows(part, torch.arange(source.count(part)))]
    return {entry.background for entry in entries}, {entry.item for entry in entries}


def test_a_file_of_the_users_decides(folder, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(MINE))
    source = Stored(folder.root, split=str(path))
    for part in FRACTIONS:
        assert names(source, part) == (set(MINE["background"][part]), set(MINE["object"][part]))
    assert source.describe()["left_out"] == 16 - 4 - 1 - 1
    assert str(tmp_path) not in json.dumps(source.describe())
    fewer = {**MINE, "background": {"train": ["1"], "val": ["3"], "test": ["4"]}}
    path.write_text(json.dumps(fewer))
    assert names(Stored(folder.root, split=str(path)), "train") == ({"1"}, {"1", "2"}), "a group in no list is left out"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("no json", "no split can be read"),
        (json.dumps({"background": MINE["background"]}), "'object' must hold train, val, test"),
        (
            json.dumps({**MINE, "background": {**MINE["background"], "trian": ["1"]}}),
            r"'background' must hold train, val, test, each a list of names; it has 'trian' \(did you mean train\?\)$",
        ),
        (
            json.dumps({**MINE, "background": {"trian": ["1"], "val": ["3"], "test": ["4"], "remark": []}}),
            r"; train is missing; it has 'trian' \(did you mean train\?\), 'remark'$",
        ),
        (
            json.dumps({"background": MINE["background"], "objects": MINE["object"]}),
            r"'object' must hold .*; it is missing; the file has 'objects' \(did you mean object\?\)$",
        ),
        (json.dumps({**MINE, "object": {**MINE["object"], "test": ["9"]}}), "no '9' in the data"),
        (json.dumps({**MINE, "object": {**MINE["object"], "test": []}}), "object/test is no list of names"),
        (json.dumps({**MINE, "object": {**MINE["object"], "test": [["4"]]}}), r'object/test: \["4"\] is no name'),
        (json.dumps({**MINE, "object": {**MINE["object"], "test": [None]}}), "object/test: null is no name"),
        ("[" * 100_000, "no split can be read"),
    ],
)
def test_what_is_wrong_with_such_a_file(folder, tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(content)
    with pytest.raises(BadData, match=reason):
        Stored(folder.root, split=str(path))


def test_numbers_are_names_and_a_group_in_two_parts_is_said(folder, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    numbers = {
        pool: {part: [int(name) for name in some] for part, some in parts.items()} for pool, parts in MINE.items()
    }
    path.write_text(json.dumps(numbers))
    source = Stored(folder.root, split=str(path))
    assert names(source, "train") == (set(MINE["background"]["train"]), set(MINE["object"]["train"]))
    assert not any("leak" in note for note in source.notes)
    path.write_text(json.dumps({**MINE, "background": {**MINE["background"], "val": MINE["background"]["train"]}}))
    source = Stored(folder.root, split=str(path))
    assert source.describe()["leaks"]
    assert any("groups in several parts: scores leak" in note for note in source.notes)


@pytest.mark.parametrize(("rule", "apart"), [("unseen-both", (0, 1)), ("unseen-bg", (0,)), ("unseen-fg", (1,))])
def test_rules_keep_groups_apart(folder, rule: str, apart: tuple[int, ...]) -> None:
    source = Stored(folder.root, split=rule)
    for pool in (0, 1):
        train, test = (names(source, part)[pool] for part in ("train", "test"))
        assert (not train & test) == (pool in apart)
    total = sum(source.count(part) for part in FRACTIONS)
    assert total + source.describe()["left_out"] == 16
    assert (source.describe()["left_out"] > 0) == (rule == "unseen-both")


def test_every_group_is_tested_in_one_fold(folder) -> None:
    tested = [names(Stored(folder.root, split=f"kfold[n=4,fold={fold}]"), "test") for fold in range(4)]
    for pool in (0, 1):
        assert sorted(name for fold in tested for name in fold[pool]) == ["1", "2", "3", "4"]


def test_groups_in_no_list_are_not_said_to_straddle(folder, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({**MINE, "background": {"train": ["1"], "val": ["3"], "test": ["4"]}}))
    (note,) = (note for note in Stored(folder.root, split=str(path)).notes if note.startswith("split"))
    assert "; 4 left out, as the split's file has their groups in no part" in note
    assert "; 8 left out, as their background and object are of different parts" in note


def test_objects_without_names_are_not_counted(folder) -> None:
    shutil.rmtree(folder.root / "mask")
    source = Stored(folder.root, files="image=bg_fg/{bg}_{n}.png depth=depth/{bg}_{n}.png")
    found = inspect(source, size=32)
    assert {counts["objects"] for counts in found.parts.values()} == {0}
    assert any("backgrounds, objects without names" in line for line in inspection_lines(found))
    named = inspect(Stored(folder.root, split="shared"), size=32)
    assert any("4 backgrounds, 4 objects" in line for line in inspection_lines(named))


@pytest.mark.parametrize("rule", ["unseen-both", "shared", "unseen-bg", "kfold"])
@pytest.mark.parametrize("count", [1, 2])
def test_too_few_quartets_for_any_split(tmp_path: Path, count: int, rule: str) -> None:
    folder = Folder(tmp_path, count, 1)
    with pytest.raises(BadData, match=rf"only {count} quartets?: .* 3 at least\nadd pictures$"):
        Stored(folder.root, split=rule)

"""Groups of files by their names and contents: what holds whatever the files are called."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data.images.file_names import (
    ENOUGH,
    RULES,
    counted,
    group_files,
    merge_equal,
    printable,
    scene_of,
    sequences,
    stem_of,
)

STEMS = st.lists(st.text("ab01_-", min_size=1, max_size=5), min_size=1, max_size=12, unique=True)
FILES = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("uvwxyz")), min_size=1, max_size=15)


@given(STEMS, st.randoms())
def test_the_order_of_files_does_not_matter(stems: list[str], random) -> None:
    found = dict(zip(stems, sequences(stems), strict=True))
    shuffled = random.sample(stems, len(stems))
    assert dict(zip(shuffled, sequences(shuffled), strict=True)) == found


@given(st.text("abc", min_size=1, max_size=4), st.lists(st.integers(0, 999), min_size=2, max_size=8, unique=True))
def test_numbers_at_the_end_make_one_sequence(name: str, numbers: list[int]) -> None:
    for joint in ("", "_", "-", " ", "."):
        stems = [f"{name}{joint}{number}" for number in numbers]
        assert set(sequences(stems)) == {name}
        assert {scene_of(stem) for stem in stems} == {name}


@given(st.lists(st.integers(0, 999), min_size=2, max_size=8, unique=True), st.sampled_from(["_rgb", "-left", "x"]))
def test_a_word_after_the_number_makes_one_sequence_too(numbers: list[int], word: str) -> None:
    assert len(set(sequences([f"room_{number}{word}" for number in numbers]))) == 1


@settings(max_examples=60)
@given(FILES)
def test_merged_groups_are_the_components_of_a_graph(files: list[tuple[str, str]]) -> None:
    """Two files are of one group if a chain of equal groups or equal contents leads from one to the other."""
    groups, contents = zip(*files, strict=True)
    merged = merge_equal(groups, contents)
    for start in range(len(files)):
        reached, waiting = {start}, [start]
        while waiting:
            at = waiting.pop()
            near = {i for i, file in enumerate(files) if file[0] == groups[at] or file[1] == contents[at]} - reached
            reached |= near
            waiting += near
        assert {i for i in range(len(files)) if merged[i] == merged[start]} == reached
        assert merged[start] == min(groups[i] for i in reached)


@given(STEMS)
def test_different_contents_merge_nothing(stems: list[str]) -> None:
    assert merge_equal(stems, [f"content of {stem}" for stem in stems]) == stems
    assert len(set(merge_equal(stems, ["the same"] * len(stems)))) == 1


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=30)
@given(stems=STEMS)
def test_auto_is_one_of_the_two_rules_and_says_which(rule: str, stems: list[str]) -> None:
    contents = [f"content of {stem}" for stem in stems]
    groups, used, notes = group_files(stems, contents, rule, "photographs")
    assert used == (rule if rule != "auto" else used) and used in ("file", "sequence")
    assert groups == group_files(stems, contents, used, "photographs")[0]
    assert len(notes) == (rule == "auto")
    enough = len(set(sequences(stems))) >= ENOUGH
    assert rule != "auto" or used == ("sequence" if enough else "file")


def test_what_holds_the_same_content_is_said() -> None:
    groups, _, notes = group_files(["a", "b", "c"], ["x", "x", "y"], "file", "cut-outs")
    assert groups == ["a", "a", "c"]
    assert notes == ["1 groups of cut-outs hold files that others hold, too, and are merged"]


@given(st.text("aäöéñ", min_size=1, max_size=6))
def test_composed_and_decomposed_names_are_one(name: str) -> None:
    composed, decomposed = (Path(f"{unicodedata.normalize(form, name)}.png") for form in ("NFC", "NFD"))
    assert stem_of(composed) == stem_of(decomposed)


def test_bytes_that_are_no_utf_8_are_printed_as_escapes() -> None:
    import os

    assert printable(Path(os.fsdecode(b"caf\xe9.png"))) == "caf\\xe9.png"
    assert printable(Path("café.png")) == "café.png"


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), ([".txt"], "1 .txt"), ([".txt", ".heic", ".txt"], "1 .heic, 2 .txt")]
)
def test_suffixes_are_counted(names: list[str], text: str) -> None:
    assert counted(names) == text

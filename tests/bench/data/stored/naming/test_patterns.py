"""Patterns of file names: what they take, in which order, and where the caret points if they cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.data.stored.naming.layout import by_ids
from bench.data.stored.naming.layouts import LAYOUTS, find_layout
from bench.data.stored.naming.patterns import FIELDS, normal, parse_patterns, pattern

WORDS = st.text("abcxyz0123456789-", min_size=1, max_size=6)


def only(shape: str):
    (made,) = parse_patterns(f"image={shape}")
    return made


@pytest.mark.parametrize(
    ("shape", "stem", "suffix", "ids"),
    [
        ("{id}.png", "a b", ".png", {"id": "a b"}),
        ("{id}.png", "a", ".jpg", None),
        ("{id}.png", "deep/a", ".png", {"id": "a"}),
        ("images/{id}.png", "images/a", ".png", {"id": "a"}),
        ("images/{id}.png", "data/images/a", ".png", {"id": "a"}),
        ("images/{id}.png", "myimages/a", ".png", None),
        ("{id}.*", "a", ".anything", {"id": "a"}),
        ("{id}.jpg", "a", ".jpeg", {"id": "a"}),
        ("{id}.jpeg", "a", ".jpg", {"id": "a"}),
        ("{id}.tif", "a", ".tiff", {"id": "a"}),
        ("IMG_{n:d}.png", "img_007", ".png", {"n": "007"}),
        ("IMG_{n:d}.png", "img_x7", ".png", None),
        ("{bg}_{fg}.png", "a_b_c", ".png", {"bg": "a", "fg": "b_c"}),
        ("{bg:d}_{fg:d}_{n:d}.png", "1_22_333", ".png", {"bg": "1", "fg": "22", "n": "333"}),
        ("{id}/{id}.png", "a/a", ".png", {"id": "a"}),
        ("{id}/{id}.png", "a/b", ".png", None),
        ("*/{id}.png", "any/a", ".png", {"id": "a"}),
        ("*/{id}.png", "a", ".png", None),
        ("{id}[_rgb].png", "a_rgb", ".png", {"id": "a"}),
        ("{id}[_rgb].png", "a", ".png", {"id": "a"}),
        ("a.b/{id}.png", "a.b/x", ".png", {"id": "x"}),
        ("a.b/{id}.png", "axb/x", ".png", None),
        ("{id}(1)+.png", "a(1)+", ".png", {"id": "a"}),
    ],
)
def test_what_a_pattern_takes(shape: str, stem: str, suffix: str, ids: dict[str, str] | None) -> None:
    found = only(shape).parse(stem, suffix)
    assert (None if found is None else found[1]) == ids


@settings(max_examples=40)
@given(WORDS, WORDS, st.integers(0, 99999))
def test_a_name_made_of_ids_gives_them_back(bg: str, fg: str, n: int) -> None:
    made = only("pics/{bg}@{fg}@{n:d}.png")
    assert made.parse(f"pics/{bg}@{fg}@{n}", ".png") == ("", {"bg": bg, "fg": fg, "n": str(n)})
    assert made.ids == {"bg", "fg", "n"}


@settings(max_examples=60)
@given(st.text("aB0_-/", max_size=12))
def test_the_normal_spelling_is_its_own(text: str) -> None:
    assert normal(normal(text)) == normal(text)
    assert normal(text.upper()) == normal(text)


@pytest.mark.parametrize(
    ("text", "spelling"), [("Room007", "room7"), ("000", "0"), ("a01b002", "a1b2"), ("", ""), ("10", "10"), ("٣", "3")]
)
def test_numbers_have_no_leading_zeros(text: str, spelling: str) -> None:
    assert normal(text) == spelling


REFUSED = {
    "masks/{id}.png": (0, "a field and its pattern"),
    "picture={id}.png": (0, "a field and its pattern"),
    "mask={id}.png": (0, "a pattern for the pictures"),
    "": (0, "a pattern for the pictures"),
    "image={id}.png image={id}.jpg": (15, "one pattern for bg_fg, not two"),
    "bg_fg={id}.png image={id}.jpg": (15, "one pattern for bg_fg, not two"),
    "image={id}": (9, "a suffix"),
    "image=a.b/{id}": (13, "a suffix"),
    "image={id].png": (6, "{name} or {name:d}"),
    "image={Id}.png": (6, "{name} or {name:d}"),
    "image={id:x}.png": (6, "{name} or {name:d}"),
    "image=a]{id}.png": (7, "[ before ]"),
    "image=[a{id}.png": (12, "] for every ["),
    "image=a b/{id}.png mask": (19, "a field and its pattern"),
    "image={id}.png mask={n}.png": (15, "an id of the pictures' pattern ({id})"),
    "image=plate.png mask={n}.png": (16, "an id of the pictures' pattern (none)"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_caret_stands_under_what_cannot_be_read(text: str) -> None:
    at, reason = REFUSED[text]
    with pytest.raises(BenchError) as refused:
        parse_patterns(text)
    first, shown, caret = str(refused.value).split("\n")
    assert reason in first
    assert (shown, caret) == (f"  {text}", f"  {' ' * at}^")


def test_the_most_particular_pattern_comes_first() -> None:
    found = parse_patterns("image={id}.png mask={id}_mask.png depth={id}_d.png")
    assert [made.field for made in found] == ["mask", "depth", "bg_fg"]
    first = next(made for made in found if made.parse("a_mask", ".png") is not None)
    assert first.field == "mask"


def test_names_may_hold_spaces() -> None:
    found = {
        made.field: made
        for made in parse_patterns("bg=My Rooms/{bg}.*  mask=BG_FG Masks/{bg} - {fg}.png image=i/{bg} - {fg}.png ")
    }
    assert found["bg"].parse("x/My Rooms/hall 1", ".jpg") == ("x/", {"bg": "hall 1"})
    assert found["mask"].parse("BG_FG Masks/hall 1 - chair", ".png") == ("", {"bg": "hall 1", "fg": "chair"})
    assert found["mask"].written == "mask=BG_FG Masks/{bg} - {fg}.png"
    assert found["bg_fg"].parse("i/a - b", ".png") is not None


def test_a_pattern_of_ours_lies_in_any_folder() -> None:
    made = pattern("mask", r"masks?/(?P<id>[^/]+)", ".png")
    assert made.parse("some/where/mask/A", ".png") == ("some/where/", {"id": "A"})
    assert made.parse("mask/A", ".png") == ("", {"id": "A"})
    assert made.parse("mask/A", ".jpg") is None
    assert made.parse("notmask/A", ".png") is None
    assert made.ids == {"id"}


@pytest.mark.parametrize(
    ("ids", "meaning"),
    [
        ({}, ("", "", "")),
        ({"bg": "1"}, ("1", "", "")),
        ({"bg": "1", "fg": "2", "n": "3"}, ("1", "2", "3")),
        ({"n": "3", "camera": "left"}, ("", "", "left/3")),
    ],
)
def test_ids_called_bg_and_fg_mean_that(ids: dict[str, str], meaning: tuple[str, str, str]) -> None:
    assert by_ids(ids) == meaning


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_has_pictures_and_fields_that_exist(name: str) -> None:
    layout = LAYOUTS[name]
    assert "bg_fg" in layout.fields <= set(FIELDS)
    assert layout.name == name and find_layout(name) is layout
    assert len({made.field for made in layout.patterns}) == len(layout.patterns), "a field has one pattern"


def test_layouts_by_name_by_patterns_or_to_be_recognised() -> None:
    assert find_layout("auto") is None
    own = find_layout("image=i/{id}.png mask=m/{id}.png")
    assert own is not None and own.fields == {"bg_fg", "mask"}
    with pytest.raises(BenchError, match=r"unknown layout '005'; known: auto, 000, .*, or patterns of your own"):
        find_layout("005")

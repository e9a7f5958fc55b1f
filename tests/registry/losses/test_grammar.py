"""Recipes: what parses and to what, what does not and where it says so, and the table of names."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.errors import BadParameter, RecipeSyntax, RegistryError, UnknownName
from registry.losses import HeadPart, Recipe, WeightedTerm, parse, recipes, terms

KEYS = [
    *terms.names(),
    "depth_edge",
    "dice[smooth=2]",
    "dice[ smooth = 1.0 ]",
    "ssim[range=255,raw=true]",
    "l1[raw=True]",
]
KEYS += ["dssim[padding=reflect,window=5]", "rmse[pool=batch]", "silog[eps=1e-05]"]

spaces = st.sampled_from(["", " ", "  ", "\n"])
weights = st.one_of(
    st.just(""),
    st.floats(1e-6, 1e6).map(lambda w: f"{w!r}*"),
    st.sampled_from(["1*", "2 * ", ".5*", "3.*", "1e-3 *", "+2*", "1E+2*"]),
)
sums = st.lists(st.tuples(weights, st.sampled_from(KEYS), spaces), min_size=1, max_size=5).map(
    lambda items: "+".join(f"{space}{weight}{key}{space}" for weight, key, space in items)
)
modifiers = st.one_of(
    st.just(""),
    st.tuples(st.floats(-9, 9), st.floats(1e-3, 300)).map(lambda ms: f"~standardised[mean={ms[0]!r},std={ms[1]!r}]"),
)
parts = st.dictionaries(st.sampled_from(["mask", "depth"]), st.tuples(modifiers, sums), min_size=1)


@st.composite
def texts(draw: st.DrawFn) -> str:
    sections = [f"{head}{modifier} :{total}" for head, (modifier, total) in draw(parts).items()]
    sections += draw(st.sampled_from([[], ["weighting: dwa"], ["weighting:uncertainty"], ["weighting : fixed"]]))
    return ",".join(draw(st.permutations(sections)))


@settings(max_examples=60, deadline=None)
@given(text=texts())
def test_canonical_form_reads_back_to_an_equal_recipe(text: str) -> None:
    recipe = parse(text)
    again = parse(recipe.text)
    assert again == recipe and again.text == recipe.text
    assert recipe.heads in {("mask",), ("depth",), ("mask", "depth")}


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("depth:ssim+0.5*l1,mask:bce", "mask: bce, depth: 0.5*l1 + ssim"),
        ("mask: dice + bce + 2*dice", "mask: bce + 3*dice"),
        ("mask: 0.1*l1 + 0.2*l1", "mask: 0.3*l1"),
        ("mask: 1.0*bce", "mask: bce"),
        ("mask: dice[smooth=1.0] + dice", "mask: 2*dice"),
        ("mask: dice[smooth=2.0,pool=image,overlap=min]", "mask: dice[overlap=min,smooth=2]"),
        ("depth: depth_edge", "depth: edge"),
        ("mask: bce, weighting: fixed", "mask: bce"),
        ("weighting: dwa, mask: bce", "mask: bce, weighting: dwa"),
        ("mask~standardised[mean=0,std=1]: bce", "mask: bce"),
        ("mask~standardised[std=255.0]: bce", "mask~standardised[std=255]: bce"),
        (" bce_ssim ", "mask: bce, depth: 2*ssim"),
    ],
)
def test_canonical_form(text: str, canonical: str) -> None:
    assert parse(text).text == canonical == str(parse(text))


def test_a_recipe_is_data() -> None:
    assert parse("mask: bce, depth~standardised[mean=0.5]: 0.5*l1") == Recipe(
        (HeadPart("mask", (WeightedTerm("bce"),)), HeadPart("depth", (WeightedTerm("l1", 0.5),), mean=0.5))
    )


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("smask: bce", 0),
        ("mask", 4),
        ("mask bce", 5),
        ("mask: ", 5),
        ("mask: bce +", 11),
        ("mask: + bce", 6),
        ("mask: bce,", 10),
        ("mask: bce depth: l1", 10),
        ("mask: 0*bce", 6),
        ("mask: -2*bce", 6),
        ("mask: 1e999*bce", 6),
        ("mask: 1e-400*bce", 6),
        ("mask: 1e308*bce", 6),
        ("mask: 9e29*bce + 9e29*bce", 5),
        ("mask: 2bce", 7),
        ("mask: bce*2", 9),
        ("mask: bce, mask: l1", 11),
        ("mask: bce, weighting: dwa, weighting: dwa", 27),
        ("mask: bce, weighting: fair", 22),
        ("weighting: dwa", 0),
        ("mask: dice[smooth=1", 10),
        ("mask: dice[smooth]", 6),
        ("mask: dice[smooth=1,smooth=2]", 6),
        ("mask~shifted[mean=1]: bce", 5),
        ("mask~standardised[mode=1]: bce", 5),
        ("mask~standardised[std=0]: bce", 5),
        ("mask~standardised[mean=x]: bce", 5),
        ("bce + dice", 0),
    ],
)
def test_errors_point_at_the_place(text: str, position: int) -> None:
    with pytest.raises(RecipeSyntax) as caught:
        parse(text)
    assert caught.value.position == position
    shown, caret = str(caught.value).splitlines()[-2:]
    assert caret.index("^") - 2 == position and shown[2:] == text.strip()


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("mask: x*bce", UnknownName, "unknown loss term 'x'"),
        ("mask: bcee", UnknownName, "did you mean bce"),
        ("bce_sim", UnknownName, "did you mean bce_ssim.*bench list losses"),
        ("bce@publishd", UnknownName, "bce@published"),
        ("mask: dice[smoth=1]", BadParameter, "it takes: smooth, overlap, pool"),
        ("mask: dice[prediction=1]", BadParameter, "no parameter 'prediction'"),
        ("mask: dice[smooth=much]", BadParameter, "float"),
        ("mask: dice[smooth=1e999]", BadParameter, "finite"),
        ("mask: dice[pool=all]", BadParameter, "one of image, batch"),
        ("mask: no_such_module_here:term", RegistryError, "cannot import"),
    ],
)
def test_unknown_names_and_parameters(text: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        parse(text)


@pytest.mark.parametrize("name", recipes.names())
def test_every_named_recipe_parses(name: str) -> None:
    recipe = parse(name)
    assert recipe == parse(recipes.build(name)) and recipes.get(name).facts["source"]
    published = name.endswith("@published")
    if published:
        assert recipe != parse(name.removesuffix("@published"))
    faults = ("raw=true", "batch", "standardised", "range=", "guess", "twice", "zeros", "reflect")
    assert published or not any(fault in recipe.text for fault in faults)


def test_the_recipes_that_were_asked_for() -> None:
    published = {"bce", "bce_dice", "bce_ssim", "bce_rmse", "dicebce_ssim_l1"}
    assert all(parse(name).heads == ("mask", "depth") for name in published)


def test_a_users_own_term(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_terms.py").write_text(
        "def charbonnier(prediction, target, eps=0.1):\n"
        "    return ((prediction.value - target.value) ** 2 + eps**2).sqrt().mean()\n"
        "def power(prediction, target, exponent):\n"
        "    return (prediction.value - target.value).abs().pow(exponent).mean()\n"
        "def short(prediction):\n"
        "    return prediction.value.mean()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    recipe = parse("mask: bce, depth: own_terms:charbonnier[eps=0.01] + 0.5*l1 + own_terms:charbonnier[eps=0.10]")
    assert recipe.text == "mask: bce, depth: 0.5*l1 + own_terms:charbonnier + own_terms:charbonnier[eps=0.01]"
    assert parse(recipe.text) == recipe
    with pytest.raises(BadParameter, match="needs a value for exponent"):
        parse("depth: own_terms:power")
    assert parse("depth: own_terms:power[exponent=2.0]").text == "depth: own_terms:power[exponent=2]"
    with pytest.raises(RegistryError, match=r"must take \(prediction, target\)"):
        parse("depth: own_terms:short")


def test_a_users_own_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_recipes.py").write_text(
        'best = "mask: bce + dice,\\n  depth: l1"\nnumber = 3\ndef made():\n    return "mask: dice"\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert parse("own_recipes:best") == parse("mask: bce + dice, depth: l1")
    assert parse("own_recipes:made") == parse("mask: dice")
    with pytest.raises(RegistryError, match="has no 'worst'"):
        parse("own_recipes:worst")
    with pytest.raises(RegistryError, match="of type int, not a function"):
        parse("own_recipes:number")
    assert parse("mask:bce").text == "mask: bce"


@pytest.mark.parametrize("weight", ["1e31", "1e-31", "1e400"])
def test_a_weight_that_float32_cannot_multiply_by_is_refused(weight: str) -> None:
    with pytest.raises(RecipeSyntax, match="a weight must be at least 1e-30"):
        parse(f"mask: {weight}*bce")


def test_listing_names_does_not_import_torch() -> None:
    code = (
        "import sys, registry.losses as l; print(len(l.terms.names()), len(l.recipes.names()), 'torch' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert out == [str(len(terms.names())), str(len(recipes.names())), "False"]


def test_weights_survive_printing() -> None:
    for weight in (1 / 3, 1e-5, 123456.789, 1e20):
        assert math.isclose(parse(f"mask: {weight!r}*bce").parts[0].terms[0].weight, weight, rel_tol=1e-11)


def test_the_part_for_some_heads() -> None:
    recipe = parse("mask: bce, depth: l1 + ssim, weighting: dwa")
    assert recipe.for_heads(["mask"]) == parse("mask: bce, weighting: dwa")
    assert recipe.for_heads(["depth", "mask"]) == recipe
    assert recipe.for_heads([]).parts == ()

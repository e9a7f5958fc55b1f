"""The registry: names, brackets, near names, plug-ins, and that listing costs nothing."""

from __future__ import annotations

import subprocess
import sys
import types
from importlib import metadata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.errors import BadParameter, DuplicateName, RegistryError, UnknownName
from registry.registry import Registry, format_key, parse_key


@pytest.fixture
def registry() -> Registry[Any]:
    """Two things of this module, one announced in a module of its own, one family."""
    things: Registry[Any] = Registry("thing", where="bench list things", group="tests.things")

    @things.register(source="here", weight=3)
    def plain(width: int = 2, rate: float = 0.5, big: bool = False, mode: str = "soft") -> tuple[Any, ...]:
        """One thing.

        And more about it.
        """
        return width, rate, big, mode

    @things.register()
    def bare(size) -> Any:  # type: ignore[no-untyped-def]
        return size

    return things


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """An importable module without a file."""
    module = types.ModuleType("a_users_module")
    monkeypatch.setitem(sys.modules, "a_users_module", module)
    return module


def test_a_decorated_function_is_an_entry_with_facts(registry: Registry[Any]) -> None:
    entry = registry.get("plain")
    assert (entry.name, entry.facts, entry.summary) == ("plain", {"source": "here", "weight": 3}, "One thing.")
    assert entry.parameters == {"width": 2, "rate": 0.5, "big": False, "mode": "soft"}
    assert registry.build("plain") == (2, 0.5, False, "soft")
    assert registry.get("bare").summary == "" and registry.build("bare[size=(3)]") == 3


def test_brackets_reach_the_builder(registry: Registry[Any]) -> None:
    assert registry.build("plain[width=8,big=true]") == (8, 0.5, True, "soft")
    assert registry.build(" plain[ mode = hard , rate = 1 ] ") == (2, 1, False, "hard")
    assert registry.build("plain[]") == registry.build("plain")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("plain[width", "cannot read 'plain"),
        ("plain]width=2[", "cannot read"),
        ("plain[width=2]x", "cannot read"),
        ("", "cannot read"),
        ("plain[width]", "write it as parameter=value"),
        ("plain[width=]", "write it as parameter=value"),
        ("plain[2=3]", "write it as parameter=value"),
        ("plain[width=2,width=3]", "given twice"),
        ("plain[depth=2]", r"takes no parameter 'depth' \(it takes: width, rate, big, mode\)"),
        ("plain[width=2.5]", "width must be of type int"),
        ("plain[width=true]", "width must be of type int"),
        ("plain[width=wide]", "width must be of type int .such as 2., not 'wide'"),
        ("plain[big=1]", "big must be of type bool"),
        ("plain[mode=3]", "mode must be of type str"),
        ("plain[rate=true]", "rate must be of type float"),
    ],
)
def test_bad_brackets_say_what_is_wrong(registry: Registry[Any], key: str, words: str) -> None:
    with pytest.raises(BadParameter, match=words):
        registry.build(key)


@pytest.mark.parametrize(
    ("key", "canonical"),
    [
        ("plain", "plain"),
        ("plain[width=2]", "plain"),
        ("plain[rate=0.25,big=TRUE,width=3]", "plain[big=true,rate=0.25,width=3]"),
        ("plain[big=false, mode='soft']", "plain"),
        ("other[mode=hard]", "plain[mode=hard]"),
    ],
)
def test_canonical_is_one_spelling(registry: Registry[Any], key: str, canonical: str) -> None:
    registry.alias("other", "plain")
    assert registry.canonical(key) == canonical
    assert registry.canonical(canonical) == canonical
    assert registry.build(key) == registry.build(canonical)


NAMES = st.text("abcdefgh_/.:", min_size=1).filter(lambda text: text.strip() == text)
VALUES = st.one_of(st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False))


@settings(max_examples=60, deadline=None)
@given(name=NAMES, params=st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True), VALUES, max_size=4))
def test_parsing_undoes_formatting(name: str, params: dict[str, Any]) -> None:
    assert parse_key(format_key(name, params)) == (name, params)


def test_names_match_wildcards_and_leave_aliases_out(registry: Registry[Any]) -> None:
    registry.lazy("nowhere.at_all", "lazy_one", "lazy_two")
    registry.alias("zebra", "plain")
    assert registry.names() == ["bare", "lazy_one", "lazy_two", "plain"]
    assert registry.names("lazy_*") == ["lazy_one", "lazy_two"]
    assert registry.names("?are") == ["bare"] and registry.names("Bare") == []
    assert registry.get("zebra").name == "plain"


def test_the_providing_module_is_known_without_importing_it(registry: Registry[Any]) -> None:
    registry.lazy("nowhere.at_all", "lazy_one")
    assert registry.module("lazy_one") == "nowhere.at_all"
    assert registry.module("plain") == __name__
    assert registry.module("nothing") is None


def test_unknown_names_suggest_the_nearest(registry: Registry[Any]) -> None:
    registry.alias("simple", "plain")
    with pytest.raises(
        UnknownName, match=r"unknown thing 'plane'; did you mean plain.*\? See all with: bench list things"
    ):
        registry.build("plane[width=3]")
    with pytest.raises(UnknownName, match="did you mean simple"):
        registry.get("simpel")
    with pytest.raises(UnknownName, match=r"unknown thing 'qqqq'\. See all"):
        registry.get("qqqq")


def test_names_are_given_once(registry: Registry[Any]) -> None:
    def plain() -> None: ...

    with pytest.raises(DuplicateName, match="there is a thing 'plain' already"):
        registry.register()(plain)
    with pytest.raises(DuplicateName):
        registry.lazy("some.module", "plain")
    with pytest.raises(DuplicateName):
        registry.alias("bare", "plain")
    registry.alias("other", "plain")
    with pytest.raises(DuplicateName):
        registry.lazy("some.module", "other")
    registry.lazy("some.module", "later")

    def later() -> None: ...

    with pytest.raises(DuplicateName):  # announced by some.module, registered from here
        registry.register()(later)


def test_a_lazy_module_is_imported_when_first_asked_for(
    registry: Registry[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    imported: list[str] = []

    def import_module(name: str) -> types.ModuleType:
        imported.append(name)

        def late() -> str:
            return "built"

        late.__module__ = name
        if name == "honest":
            registry.register(source="there")(late)
        return types.ModuleType(name)

    monkeypatch.setattr("registry.imports.importlib.import_module", import_module)
    registry.lazy("honest", "late")
    registry.lazy("forgetful", "never")
    assert "late" in registry.names() and imported == []
    assert registry.build("late") == "built" and registry.get("late").facts == {"source": "there"}
    assert imported == ["honest"]
    with pytest.raises(RegistryError, match="forgetful was to register the thing 'never' and did not"):
        registry.get("never")


def test_a_family_makes_entries_on_demand(registry: Registry[Any], module: types.ModuleType) -> None:
    from registry.registry import Entry

    made: list[str] = []

    def factory(rest: str) -> Entry[Any]:
        made.append(rest)
        return Entry(f"zoo/{rest}", lambda legs=4: (rest, legs))

    module.factory = factory  # type: ignore[attr-defined]
    registry.family("zoo/", "a_users_module:factory")
    assert registry.families() == ["zoo/"]
    assert registry.build("zoo/cat/tabby") == ("cat/tabby", 4)
    assert registry.build("zoo/cat/tabby[legs=3]") == ("cat/tabby", 3)
    assert registry.canonical("zoo/cat/tabby[legs=4]") == "zoo/cat/tabby"
    assert made == ["cat/tabby"]


def test_entry_points_of_other_distributions(registry: Registry[Any], module: types.ModuleType) -> None:
    module.theirs = lambda width=7: ("theirs", width)  # type: ignore[attr-defined]
    point = metadata.EntryPoint("theirs", "a_users_module:theirs", "tests.things")
    asked: list[str | None] = []

    def entry_points(group: str | None = None) -> list[metadata.EntryPoint]:
        asked.append(group)
        return [point]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metadata, "entry_points", entry_points)
        assert "theirs" in registry.names()
        assert registry.build("theirs[width=9]") == ("theirs", 9)
    assert asked == ["tests.things"]


def test_a_users_own_by_module_and_function(registry: Registry[Any], module: types.ModuleType) -> None:
    module.build_it = lambda size=1: ("mine", size)  # type: ignore[attr-defined]
    module.number = 3  # type: ignore[attr-defined]
    assert registry.build("a_users_module:build_it") == ("mine", 1)
    assert registry.build("a_users_module:build_it[size=5]") == ("mine", 5)
    with pytest.raises(RegistryError, match="'a_users_module' has no 'missing'"):
        registry.get("a_users_module:missing")
    with pytest.raises(RegistryError, match="is a int, not a function"):
        registry.get("a_users_module:number")
    with pytest.raises(RegistryError, match="must be importable from here"):
        registry.get("no_such_module_anywhere:build")


def test_listing_models_imports_no_torch() -> None:
    code = (
        "import sys; from registry.models import models; names = models.names('*unet*'); models.families();"
        "assert 'wnet' in models.names() and 'twin_unet' in names, names;"
        "heavy = {'torch', 'timm', 'segmentation_models_pytorch', 'numpy'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_misspelt_model_needs_no_torch_either() -> None:
    code = (
        "import sys\nfrom registry.errors import UnknownName\nfrom registry.models import models\n"
        "try:\n    models.get('wnett')\nexcept UnknownName as error:\n    print(error)\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "did you mean wnet" in done.stdout and "bench list models" in done.stdout

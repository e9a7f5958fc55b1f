"""The registry: names, brackets, near names, plug-ins, and that listing costs nothing."""

from __future__ import annotations

import importlib
import sys
import types
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from registry.errors import BadParameter, DuplicateName, RegistryError, UnknownName
from registry.registry import Registry


def test_a_decorated_function_is_an_entry_with_facts(registry: Registry[Any]) -> None:
    entry = registry.get("plain")
    assert (entry.name, entry.facts, entry.summary) == ("plain", {"source": "here", "weight": 3}, "One thing.")
    assert entry.parameters == {"width": 2, "rate": 0.5, "big": False, "mode": "soft"}
    assert registry.build("plain") == (2, 0.5, False, "soft")
    assert registry.get("bare").summary == "" and registry.build("bare[size=(3)]") == 3


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
    assert registry.module("plain") == "tests.registry.conftest"
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

    with pytest.raises(DuplicateName, match="there is already a thing 'plain'"):
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

    monkeypatch.setattr(importlib, "import_module", import_module)
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
    groups: list[str | None] = []

    def entry_points(group: str | None = None) -> list[metadata.EntryPoint]:
        groups.append(group)
        return [point]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metadata, "entry_points", entry_points)
        assert "theirs" in registry.names()
        assert registry.build("theirs[width=9]") == ("theirs", 9)
    assert groups == ["tests.things"]


def test_a_users_own_by_module_and_function(registry: Registry[Any], module: types.ModuleType) -> None:
    module.build_it = lambda size=1: ("mine", size)  # type: ignore[attr-defined]
    module.number = 3  # type: ignore[attr-defined]
    assert registry.build("a_users_module:build_it") == ("mine", 1)
    assert registry.build("a_users_module:build_it[size=5]") == ("mine", 5)
    with pytest.raises(RegistryError, match="'a_users_module' has no 'missing'"):
        registry.get("a_users_module:missing")
    with pytest.raises(RegistryError, match="is of type int, not a function"):
        registry.get("a_users_module:number")
    with pytest.raises(RegistryError, match="must be importable from here"):
        registry.get("no_such_module_anywhere:build")


BROKEN = {
    "sys.exit(0)": r"module 'a_broken_one' ended the program \(SystemExit\(0\)\).* \(a_broken_one.py, line 2\)",
    "1 / 0": r"module 'a_broken_one' raised ZeroDivisionError: division by zero \(a_broken_one.py, line 2\)",
    "import no_such_thing": r"raised ModuleNotFoundError: No module named 'no_such_thing' \(a_broken_one.py, line 2\)",
    "def net(:": r"module 'a_broken_one' raised SyntaxError.*a_broken_one.py, line 2",
    "from torch import no_such_name": r"raised ImportError: cannot import name 'no_such_name'.*a_broken_one.py, line 2",
}


@pytest.mark.parametrize("line", BROKEN)
@pytest.mark.parametrize("way", ["module", "index", "family", "entry point"])
def test_whatever_a_module_raises_is_told_with_its_name(
    registry: Registry[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, way: str
) -> None:
    (tmp_path / "a_broken_one.py").write_text(f"import sys\n{line}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    name = {"module": "a_broken_one:net", "family": "zoo/cat"}.get(way, "net")
    if way == "index":
        registry.lazy("a_broken_one", "net")
    elif way == "family":
        registry.family("zoo/", "a_broken_one:entry")
    elif way == "entry point":
        points = [metadata.EntryPoint("net", "a_broken_one:net", "tests.things")]
        monkeypatch.setattr(metadata, "entry_points", lambda group=None: points)
    with pytest.raises(RegistryError, match=f"cannot import thing '{name}': .*{BROKEN[line]}"):
        registry.build(name)


def test_a_builder_that_ends_the_program_is_told_with_its_name(registry: Registry[Any]) -> None:
    @registry.register()
    def quitter() -> Any:
        sys.exit(0)

    with pytest.raises(RegistryError, match="thing 'quitter' ended the program"):
        registry.build("quitter")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mine.py:Net", "without .py"),
        ("folder/mine:Net", "with dots"),
        (":Net", "package.module:attribute"),
        ("mine:", "package.module:attribute"),
        ("mine:Net:More", "package.module:attribute"),
        ("..mine:Net", "package.module:attribute"),
    ],
)
def test_a_misspelt_own_name_is_told_the_form(registry: Registry[Any], name: str, words: str) -> None:
    with pytest.raises(RegistryError, match=words):
        registry.get(name)


def test_one_name_of_two_distributions_is_refused(registry: Registry[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    points = [metadata.EntryPoint("both", f"module_{letter}:f", "tests.things") for letter in "ab"]
    monkeypatch.setattr(metadata, "entry_points", lambda group=None: points)
    assert "both" in registry.names()
    with pytest.raises(DuplicateName, match="module_a:f and of the distribution module_b:f"):
        registry.get("both")


def test_data_is_registered_as_it_is(module: types.ModuleType) -> None:
    words: Registry[str] = Registry("word", "bench list words", values=str)
    assert words.add("hello", "a greeting", about="what people say first", source="me") == "a greeting"
    assert words.build("hello") == "a greeting" and words.get("hello").facts == {"source": "me"}
    assert words.summary("hello") == "what people say first" and words.names() == ["hello"]
    module.word = "theirs"  # type: ignore[attr-defined]
    module.make = lambda: "made"  # type: ignore[attr-defined]
    assert words.build("a_users_module:word") == "theirs" and words.build("a_users_module:make") == "made"
    with pytest.raises(DuplicateName):
        words.add("hello", "again")
    with pytest.raises(BadParameter, match="takes no parameter"):
        words.build("hello[loud=true]")

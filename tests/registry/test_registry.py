"""The registry: names, brackets, near names, plug-ins, and that listing costs nothing."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import types
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

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
        ("plain[rate=1e999]", "rate must be finite"),
        ("plain[width=1" + 400 * "0" + "]", "width must be finite"),
        ("bare", "needs a value for size"),
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
        ("plain[rate=3e-3]", "plain[rate=0.003]"),
        ("plain[ rate = 0.0030 ]", "plain[rate=0.003]"),
        ("plain[rate=5e-1]", "plain"),
        ("plain[rate=1]", "plain[rate=1]"),
        ("plain[rate=1.0]", "plain[rate=1]"),
        ("plain[rate=1e20]", "plain[rate=1e+20]"),
        ("plain[mode='a, b']", "plain[mode='a, b']"),
        ("plain[mode='3']", "plain[mode='3']"),
        ("plain[mode='true']", "plain[mode='true']"),
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
TEXTS = st.text("abcN01.,'\"=()[]\\ -", max_size=6)
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
VALUES = st.one_of(NUMBERS, st.booleans(), st.none(), TEXTS, st.tuples(st.integers(), st.integers()))


@settings(max_examples=200, deadline=None)
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

    monkeypatch.setattr("registry.lookup.imports.importlib.import_module", import_module)
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


def test_types_are_read_from_annotations(registry: Registry[Any]) -> None:
    @registry.register()
    def typed(
        weights: str | None = None, side: Literal["left", "right"] = "left", size: int | None = None, free=None
    ) -> Any:  # type: ignore[no-untyped-def]
        return weights, side, size, free

    assert registry.build("typed[weights=none,side=right,size=3,free=x]") == (None, "right", 3, "x")
    for key, words in (
        ("weights=3", "weights must be of type str or none, not 3"),
        ("side=up", "side is one of left, right, not 'up'"),
        ("size=2.5", "size must be of type int or none"),
    ):
        with pytest.raises(BadParameter, match=words):
            registry.resolve(f"typed[{key}]")


def test_a_builder_with_open_keywords_takes_any(registry: Registry[Any]) -> None:
    @registry.register()
    def open_ended(**options: Any) -> Any:
        return options

    assert registry.build("open_ended[depth=2,name=x]") == {"depth": 2, "name": "x"}
    assert registry.canonical("open_ended[name=x,depth=2]") == "open_ended[depth=2,name=x]"


def test_data_is_registered_as_it_is(module: types.ModuleType) -> None:
    words: Registry[str] = Registry("word", "bench list words", values=str)
    assert words.add("hello", "a greeting", about="what one says first", source="me") == "a greeting"
    assert words.build("hello") == "a greeting" and words.get("hello").facts == {"source": "me"}
    assert words.summary("hello") == "what one says first" and words.names() == ["hello"]
    module.word = "theirs"  # type: ignore[attr-defined]
    module.make = lambda: "made"  # type: ignore[attr-defined]
    assert words.build("a_users_module:word") == "theirs" and words.build("a_users_module:make") == "made"
    with pytest.raises(DuplicateName):
        words.add("hello", "again")
    with pytest.raises(BadParameter, match="takes no parameter"):
        words.build("hello[loud=true]")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package ``zoo`` that keeps an index of one animal, and a user's module outside it."""
    folder = tmp_path / "zoo"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from registry.registry import Registry\n"
        'animals = Registry("animal", "bench list animals", index="zoo:animals")\n'
        'animals.lazy("zoo.cats", "tabby")\n'
    )
    head = "from zoo import animals\n\n\n@animals.register(\n    legs=4,\n)\ndef "
    (folder / "cats.py").write_text(head + 'tabby():\n    """A cat."""\n')
    (folder / "dogs.py").write_text(head + "beagle():\n    pass\n")
    (tmp_path / "farm.py").write_text(head + 'tabby():\n    """A farm cat."""\n    return "farm"\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] in ("zoo", "farm")]:
        del sys.modules[name]


def test_a_missing_line_of_the_index_is_named_with_its_place(package: Path) -> None:
    animals = importlib.import_module("zoo").animals
    line = 'zoo/__init__.py lacks the line: animals.lazy("zoo.dogs", "beagle")'
    assert animals.missing_lines() == [line]
    with pytest.raises(RegistryError, match=re.escape(f"no animal 'beagle' can be found: {line}")):
        animals.get("beagle")
    with pytest.raises(RegistryError, match=re.escape(line)):
        importlib.import_module("zoo.dogs")
    assert animals.names() == ["tabby"] and animals.summary("tabby") == "A cat."
    assert animals.get("tabby").facts == {"legs": 4} and animals.missing_lines() == [line]


def test_what_a_users_module_registers_bears_its_modules_name(package: Path) -> None:
    animals = importlib.import_module("zoo").animals
    for _ in range(2):
        importlib.import_module("farm")
        assert animals.names() == ["tabby"]
        assert animals.build("farm:tabby") == "farm" and animals.get("farm:tabby").facts == {"legs": 4}
        assert animals.get("tabby").summary == "A cat."
        importlib.reload(sys.modules["farm"])


@pytest.mark.parametrize("registry_of", ["registry.models:models", "registry.losses:terms", "registry.losses:recipes"])
def test_every_index_is_complete(registry_of: str) -> None:
    module, _, name = registry_of.partition(":")
    registry = getattr(importlib.import_module(module), name)
    assert registry.missing_lines() == []
    for entry in registry.names():
        assert registry.get(entry).name == entry and registry.summary(entry)


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

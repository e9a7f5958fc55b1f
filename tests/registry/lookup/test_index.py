"""The index of a registry: what it lacks is named with its place, and reading it imports nothing."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.errors import RegistryError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package ``zoo`` with a single animal in its index, and a user's module outside it."""
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

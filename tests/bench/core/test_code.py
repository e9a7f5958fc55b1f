"""The hash of the code covers all that decides an outcome, plug-ins and what they import included, from text alone."""

import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.core import code
from bench.core.code import code_version, plugin_distributions, plugin_files

TOP = Path(code.__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    write(tmp_path, "code_mine.py", "import code_helper\nraise RuntimeError('imported')\n")
    write(tmp_path, "code_helper.py", "def late():\n    from code_package.deep import thing\n")
    write(tmp_path, "code_package/__init__.py", "")
    write(tmp_path, "code_package/deep.py", "from . import beside\nfrom .other import x\nimport json, torch\n")
    write(tmp_path, "code_package/beside.py", "x = 1\n")
    write(tmp_path, "code_package/other.py", "x = 1\n")
    write(tmp_path, "code_unrelated.py", "x = 1\n")
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text)


def version(*names: str) -> str:
    code_version.cache_clear()
    code._version.cache_clear()
    return code_version(*names)


def test_what_a_plugin_imports_is_found_without_importing_it(folder: Path) -> None:
    expected = ["code_helper", "code_mine", "code_package", "code_package.beside", "code_package.deep"]
    assert list(plugin_files("code_mine:Net")) == [*expected, "code_package.other"]
    assert not any(name.startswith("code_") for name in sys.modules if name != "code_test")


@pytest.mark.parametrize(
    "name",
    ["code_mine.py", "code_helper.py", "code_package/__init__.py", "code_package/deep.py", "code_package/beside.py"],
)
def test_a_change_in_any_file_of_a_plugin_is_other_code(folder: Path, name: str) -> None:
    before = version("code_mine:Net[width=3]", "mask: bce")
    write(folder, name, (folder / name).read_text() + "y = 2\n")
    assert version("code_mine:Net[width=3]", "mask: bce") != before


def test_what_a_plugin_does_not_import_does_not_count(folder: Path) -> None:
    before = version("code_mine:Net")
    write(folder, "code_unrelated.py", "y = 2\n")
    assert version("code_mine:Net") == before


def test_a_term_in_a_recipe_counts_as_a_model_does(folder: Path) -> None:
    assert version("unet", "mask: bce, depth: code_helper:late[eps=0.1] + ssim") != version("unet", "mask: bce")
    assert version("unet", "mask: bce, depth: l1") == version()


def test_a_deep_module_is_found(folder: Path) -> None:
    assert list(plugin_files("code_package.deep:thing"))[:2] == ["code_package", "code_package.beside"]


def test_files_that_do_not_parse_or_import_in_circles(folder: Path) -> None:
    write(folder, "code_helper.py", "import code_mine\n")
    write(folder, "code_mine.py", "import code_helper\nimport code_wrong\n")
    write(folder, "code_wrong.py", "def (")
    assert list(plugin_files("code_mine:Net")) == ["code_helper", "code_mine", "code_wrong"]


def test_an_entry_point_of_another_distribution(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distribution = SimpleNamespace(name="their-nets", version="1.2")
    point = metadata.EntryPoint("their_net", "code_helper:late", "maskdepth_bench.models")
    point = point._for(distribution) if hasattr(point, "_for") else point
    monkeypatch.setattr(code, "_all_entry_points", lambda: [point])
    before = version("their_net[width=8]")
    assert before != version("unet")
    assert plugin_distributions("their_net[width=8]", "unet") == {"their-nets": "1.2"}
    assert plugin_distributions("unet") == {}
    write(folder, "code_helper.py", "x = 2\n")
    assert version("their_net[width=8]") != before


@pytest.mark.parametrize("package", ["bench", "registry"])
def test_a_change_in_any_file_of_the_project_is_other_code(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, read = version(), cache(Path.read_bytes)  # the project is read as often as it has files
    for path in sorted((TOP / package).rglob("*.py")):
        changed = {path}
        monkeypatch.setattr(Path, "read_bytes", lambda p, changed=changed: read(p) + (b"#" if p in changed else b""))
        assert version() != before, path
    monkeypatch.undo()
    assert version() == before

"""What `bench list` shows of every kind: names, a line each, and the details of an entry."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.core.protocol import find_protocol, protocols
from bench.report.terminal.lists import LISTS, details, lines
from registry.errors import UnknownName
from tests.registry.keys_of import without_range

REGISTRIES = {registry.kind: registry for registries in LISTS.values() for registry in registries}


@pytest.mark.parametrize("kind", LISTS)
def test_every_name_has_a_line(kind: str) -> None:
    rows = dict(lines(kind))
    names = [name for registry in LISTS[kind] for name in registry.names()]
    assert names and {name.removeprefix("term ") for name in rows} >= set(names)
    assert all(len(about) > 3 for about in rows.values())


def test_wildcards_and_near_names() -> None:
    assert [name for name, _ in lines("models", "ugent*")] == ["ugent_unet", "ugent_unet_wide"]
    assert [name for name, _ in lines("losses", "ss[ip]m*")][-1] == "term ssim"
    with pytest.raises(UnknownName, match=r"did you mean cosine.*bench list schedules"):
        lines("schedules", "cosin")
    with pytest.raises(UnknownName, match="did you mean ssim"):
        lines("losses", "ssimm")


def test_one_name_shows_its_parameters_with_their_ranges() -> None:
    assert details("models", "unet") == "  width=32  at least 1 and at most 512"
    assert "window=11  odd, at least 3" in details("terms", "ssim") and "raw=False" in details("losses", "ssim")
    assert details("models", "u*") == details("models", "wnet") == ""


@pytest.mark.parametrize("name", protocols.names())
def test_a_protocol_is_printed_as_it_is_read(name: str, tmp_path) -> None:
    (tmp_path / "p.toml").write_text(details("protocols", name))
    assert find_protocol(str(tmp_path / "p.toml")) == find_protocol(name)


@pytest.mark.parametrize("kind", REGISTRIES)
def test_every_number_of_every_kind_has_a_range(kind: str) -> None:
    assert without_range(REGISTRIES[kind]) == []


def test_listing_imports_no_torch() -> None:
    code = (
        "import sys; from bench.report.terminal.lists import LISTS, lines; [lines(kind) for kind in LISTS];"
        "heavy = {'torch', 'timm', 'numpy', 'pandas', 'scipy'} & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

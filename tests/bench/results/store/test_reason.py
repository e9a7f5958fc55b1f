"""A file of a newer version of the tool is told from a damaged one."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.core.errors import BadData
from bench.results import store
from bench.results.store import evaluations, trials
from bench.results.store.seal import digest
from tests.bench.records import record


def sealed(content: dict[str, object]) -> str:
    """A record with its checksum, whatever it holds."""
    body = json.dumps(content, indent=1).removesuffix("\n}") + ",\n "
    return f'{body}"checksum": "{digest(body)}"\n}}\n'


def newer(path: Path, version: object) -> None:
    """As a version would have written it that knows one field more."""
    content = {name: value for name, value in json.loads(path.read_text()).items() if name != "checksum"}
    path.write_text(sealed({**content, "format": version, "news": 1}))


def test_a_newer_record_wants_a_newer_tool(tmp_path: Path) -> None:
    newer(store.write(tmp_path, record(), {}), 3)
    store.write(tmp_path, record(seed=1), {})
    records = store.read_all(tmp_path)
    assert len(records) == 1
    says = "its format is 3, a newer version of this tool wrote it: update the tool"
    with pytest.raises(BadData, match=says) as caught:
        records.check()
    assert "restore" not in str(caught.value)
    store.write(tmp_path, record(seed=2), {}).write_text("{")
    with pytest.raises(BadData, match="restore"):
        store.check(tmp_path)


@pytest.mark.parametrize("version", [0, "three", None])
def test_what_is_no_newer_format_is_damage(tmp_path: Path, version: object) -> None:
    newer(store.write(tmp_path, record(), {}), version)
    with pytest.raises(BadData, match="restore them") as caught:
        store.check(tmp_path)
    assert "update" not in str(caught.value)


@pytest.mark.parametrize("read", [store.read, evaluations.read, trials.read])
def test_every_reader_of_records_says_so(tmp_path: Path, read: Callable[[Path], object]) -> None:
    path = tmp_path / "later.json"
    path.write_text(sealed({"format": 7}))
    with pytest.raises(BadData, match="its format is 7, a newer version"):
        read(path)
    path.write_text(sealed({"format": 1}))
    with pytest.raises(BadData, match=r"later\.json: \w+: Field required"):
        read(path)

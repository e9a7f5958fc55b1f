"""Narrow encodings degrade: what cannot be shown is shown by what looks like it, and no command dies of it."""

from pathlib import Path

import pytest

from bench.cli.encoding import replace_unknown
from tests.bench.cli import terminals
from tests.bench.results_folder import keep


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.85 ± 0.01 – ↑", "0.85 +- 0.01 - ^"), ("█▌", "##"), ("┏━┃", "--|"), ("café", "cafe"), ("写真", "??")],
)
def test_what_looks_like_it(text: str, expected: str) -> None:
    shown = ""
    for letter in text:
        try:
            shown += letter.encode("ascii").decode()
        except UnicodeEncodeError as error:
            shown += replace_unknown(error)[0]
    assert shown == expected


def test_a_command_goes_on_in_ascii(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(2):
        keep(tmp_path, 0.7 + seed / 100, seed)
    words = ["leaderboard", "--show", "--results", str(tmp_path)]
    status, text = terminals.run(monkeypatch, terminals.Kind(terminal=False, encoding="ascii"), *words)
    assert status == 0, text
    assert "0.7050 +- 0.0071" in text and "mask Dice ^" in text

"""Narrow encodings degrade: what cannot be shown is shown by what looks like it, and no command dies of it."""

import os
import subprocess
import sys

import pytest

from bench.cli.encoding import replace_unknown


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


def test_a_command_goes_on_in_ascii() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "list", "metrics"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "120"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode("ascii")

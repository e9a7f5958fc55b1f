"""docs/results.md: every snippet runs on a folder of records, and gives something."""

import ast
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bench.core.record import Score
from bench.results import store
from tests.bench.records import record
from tests.bench.results_folder import images

PAGE = Path(__file__).parents[3] / "docs" / "results.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the page's first snippet defines, in a folder that has a finished and a failed run."""
    for seed in range(2):
        for model, dice in (("unet", 0.8), ("wnet", 0.9)):
            table = images(dice, seed) | {"image/mask_area": [0.01 * i for i in range(60)]}
            score = Score(value=dice + 0.01 * seed, images=60)
            made = record(model=model, seed=seed, test={"mask_dice": score, "depth_delta1": score})
            store.write(tmp_path / "results", made, table)
    store.write(tmp_path / "results", record(model="masknet", outcome="diverged"), {})
    monkeypatch.chdir(tmp_path)
    defined: dict[str, Any] = {}
    exec(SNIPPETS[0], defined)
    return defined


def test_there_are_ten_questions() -> None:
    assert len(SNIPPETS) == 11
    assert re.findall(r"^\*\*(\d+)\.", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE) == [
        str(number) for number in range(1, 11)
    ]


@pytest.mark.parametrize("snippet", SNIPPETS[1:], ids=range(1, 11))
def test_a_snippet_gives_something(snippet: str, names: dict[str, Any]) -> None:
    *statements, last = ast.parse(snippet).body
    exec(compile(ast.Module(statements, []), "snippet", "exec"), names)
    assert isinstance(last, ast.Expr)
    answer = eval(compile(ast.Expression(last.value), "snippet", "eval"), names)
    if isinstance(answer, pd.DataFrame | pd.Series):
        assert len(answer) and not answer.isna().all().all()
    else:
        assert all(isinstance(part, float) for part in answer)

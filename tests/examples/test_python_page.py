"""Every block of docs/python.md runs as it stands, but for a smaller budget."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = dict(
    re.findall(r"\*\*`bench (\w+)`\*\*\n\n```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(), re.S)
)
SMALLER = {
    'find_protocol("quick")': 'find_protocol("quick").override(epochs=1, size=32, batch=8, train_samples=16,'
    " val_samples=8, test_samples=8)",
    'models=["unet", "wnet"]': 'models=["unet[width=4]"]',
    "seeds=range(3)": "seeds=[0]",
    "seconds=20": "seconds=0.1",
    '"unet", "bce_ssim"': '"unet[width=4]", "bce_ssim"',
}
PRINTED = {
    "run": "unet[width=4] finished",
    "compare": "mask_dice ",
    "leaderboard": "leaderboard.md",
    "profile": "unattributed",
    "audit": "ok ",
    "check": "ok ",
}


def test_the_page_has_a_block_for_every_command() -> None:
    assert BLOCKS.keys() == PRINTED.keys()


@pytest.mark.parametrize("command", PRINTED)
def test_it_runs(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    shutil.copy(ROOT / "examples" / "my_model.py", tmp_path)
    if command in ("compare", "leaderboard"):
        shutil.copytree(ROOT / "results", tmp_path / "results")
    code = BLOCKS[command]
    for whole, small in SMALLER.items():
        code = code.replace(whole, small)
    exec(compile(code, f"docs/python.md: {command}", "exec"), {})
    assert PRINTED[command] in capsys.readouterr().out

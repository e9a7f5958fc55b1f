"""``bench check``: what failed in plain words and why it matters; exit 1 if anything is broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bench.cli import app

HERE = "tests.bench.audit.conformance.broken"


def bench_check(*words: str) -> Result:
    return CliRunner().invoke(app, ["check", *words], catch_exceptions=True)


@pytest.mark.parametrize(
    "words",
    [
        ["examples.my_model:small_net"],
        ["examples.my_term:charbonnier", "--head", "depth"],
        ["examples.my_metric:precision_at_half"],
        ["examples.my_source:Discs"],
    ],
    ids=lambda words: words[0],
)
def test_a_sound_plugin(words: list[str]) -> None:
    done = bench_check(*words)
    assert done.exit_code == 0, done.stdout
    assert f"{words[0]}: check: ok" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "broken", "text"),
    [
        ([f"{HERE}.models:Spare"], "gradients", "no gradient in spare.weight"),
        ([f"{HERE}.terms:multiplied", "--head", "depth"], "unknown_pixels", "with NaN where depth is unknown"),
        ([f"{HERE}.registered:recall_of_all"], "perfect_is_perfect", "on the truth, not 1"),
        ([f"{HERE}.sources:Leaks"], "disjoint", "share 20 background groups"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_a_broken_plugin(words: list[str], broken: str, text: str, tmp_path: Path) -> None:
    done = bench_check(*words, "--json", str(tmp_path / "found.json"))
    assert done.exit_code == 1
    assert f"check: broken: {broken}" in " ".join(done.stdout.split())
    (finding,) = (each for each in json.loads((tmp_path / "found.json").read_text()) if each["check"] == broken)
    assert text in finding["finding"]
    assert finding["advice"]


def test_the_kind_may_be_given() -> None:
    done = bench_check("examples.my_source:Discs", "--kind", "model")
    assert "builds an object of type Discs, not a torch.nn.Module" in str(done.exception)

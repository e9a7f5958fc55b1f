"""``bench profile`` from outside: what it prints and writes, and what wrong input gets."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from bench.cli import app
from bench.core.errors import BenchError
from bench.core.machine import pick_precision
from bench.profile import training
from registry.errors import RegistryError
from registry.losses import grammar
from registry.losses.recipe import Recipe

TINY = ["profile", "--device=cpu", "--batch=2", "--size=16", "--seconds=0"]
SMALL = [*TINY, "--precision=float32", "--memory-format=channels_last"]


@pytest.fixture(autouse=True)
def short_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a step or two: nothing here depends on how well they measure."""
    monkeypatch.setitem(training._WINDOW_SECONDS, "cpu", 0.01)


def small(*words: str) -> list[str]:
    """A small profile; ``words`` stand in the place of its options of the same name."""
    names = {word.partition("=")[0] for word in words}
    return [*(word for word in SMALL if word.partition("=")[0] not in names), *words]


def test_a_profile_leaves_json_trace_and_picture(tmp_path: Path) -> None:
    names = [tmp_path / "deep" / name for name in ("p.json", "t.json", "p.png", "p.html")]
    files = [f"--{kind}={path}" for kind, path in zip(("json", "trace", "picture", "html"), names, strict=True)]
    more = ["--bottleneck", "--memory-budget=8", "--twice"]
    done = CliRunner().invoke(app, [*SMALL, "--model=unet[width=4]", *files, *more], catch_exceptions=False)
    assert done.exit_code == 0
    for word in (
        "forward/down0",
        "backward/heads",
        "optimizer",
        "closure",
        "perturbation",
        "trustworthy",
        "-bound",
        "fits",
        "twice:",
        "metrics",
        "discarded",
    ):
        assert word in done.output
    found = json.loads(names[0].read_text())
    assert {block["name"] for block in found["blocks"]} >= {"data_wait", "loss/depth.ssim", "unattributed"}
    assert 0.5 < found["closure"] <= 1
    assert found["bottleneck"]["kind"] in ("input", "launch", "compute")
    assert found["fit"]["peak_mib"] <= 8
    assert json.loads(names[1].read_text())["traceEvents"]
    assert Image.open(names[2]).size[0] == 1200
    assert "forward/down0" in names[3].read_text()


def test_numbers_not_asked_for_follow_the_rule(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    done = CliRunner().invoke(app, [*TINY, "--model=unet[width=4]", f"--json={path}"], catch_exceptions=False)
    assert done.exit_code == 0
    spec = json.loads(path.read_text())["spec"]
    assert spec["precision"] == pick_precision(torch.device("cpu"))
    assert spec["memory_format"] == "channels_last"


@pytest.mark.parametrize(
    ("words", "other"),
    [(["--vs-precision=bfloat16"], "bfloat16"), (["--vs-memory-format=contiguous"], "float32, contiguous")],
)
def test_a_precision_or_a_memory_format_against_another(tmp_path: Path, words: list[str], other: str) -> None:
    path = tmp_path / "p.json"
    done = CliRunner().invoke(app, small("--model=unet[width=4]", f"--json={path}", *words), catch_exceptions=False)
    assert done.exit_code == 0
    found = json.loads(path.read_text())
    assert found["a"].endswith(", float32")
    assert found["b"].endswith(f", {other}")


def test_two_against_each_other(tmp_path: Path) -> None:
    out = tmp_path / "vs.json"
    words = [*SMALL, "--model=unet[width=4]", "--vs=unet[width=8]:mask: bce", f"--json={out}"]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0
    found = json.loads(out.read_text())
    assert found["b"] == "unet[width=8], mask: bce, float32"
    assert found["answer"] in done.output
    assert "compile s" in done.output
    assert found["a_compile_seconds"] is None


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["--model=unett"], RegistryError, "unet"),
        (["--model=unet", "--vs=unett"], RegistryError, "unet"),
        (["--model=unet", "--loss=bce_sim"], RegistryError, "bce_ssim"),
        (["--model=constant"], BenchError, "learns nothing"),
        (["--model=unet", "--size=24"], BenchError, "multiples of 16"),
        (["--model=unet", "--vs=wnet", "--trace=t.json"], BenchError, "--vs"),
        (["--model=unet", "--vs=wnet", "--twice"], BenchError, "--twice"),
        (["--model=unet", "--engine=warp"], BenchError, "compiled"),
        (["--model=unet", "--vs-engine=graphed"], BenchError, "needs a GPU"),
        (["--model=unet", "--json=/proc/no/p.json"], BenchError, "cannot write"),
        (["--model=unet", "--json=/proc/p.json"], BenchError, "cannot write"),
        (["--model=unet", "--memory-format=NHWC"], BenchError, "channels_last"),
        (["--model=unet", "--protocol=quik"], RegistryError, "quick"),
    ],
)
def test_mistakes_are_told(words: list[str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        CliRunner().invoke(app, small(*words), catch_exceptions=False)


@pytest.mark.parametrize(
    ("words", "texts"), [([], 1), (["--vs=unet[width=8]"], 1), (["--vs=unet[width=8]:mask: bce"], 2)]
)
def test_a_recipe_is_parsed_once_and_travels(monkeypatch: pytest.MonkeyPatch, words: list[str], texts: int) -> None:
    parsed = []

    class Counted(grammar._Parser):
        def recipe(self) -> Recipe:
            parsed.append(self.text)
            return super().recipe()

    monkeypatch.setattr(grammar, "_Parser", Counted)
    command = small("--model=unet[width=4]", "--loss=mask: bce, depth: l1", *words)
    assert CliRunner().invoke(app, command, catch_exceptions=False).exit_code == 0
    assert len(parsed) == len(set(parsed)) == texts

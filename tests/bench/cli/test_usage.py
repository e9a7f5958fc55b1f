"""Mistakes in options: a line that names the option, the value and where the help is; exit status 2."""

from pathlib import Path

import pytest

from tests.bench.cli import terminals
from tests.bench.cli.terminals import PIPE

MISTAKES = {
    "run": "bench: Missing option '--model' / '-m'; see: bench run --help",
    "run --modle unet": "bench: No such option: --modle (Possible options: --depth-model, --model); "
    "see: bench run --help",
    "runn": "bench: No such command 'runn'. Did you mean 'run', 'runs'?; see: bench --help",
    "data inspekt": "bench: No such command 'inspekt'. Did you mean 'inspect'?; see: bench data --help",
    "tax --size big": "bench: --size must be a valid integer, not 'big'; see: bench tax --help",
    "tax --size=-7": "bench: --size must be greater than or equal to 16, not '-7'; see: bench tax --help",
    "compare a b --margin=x": "bench: --margin must be a valid number, not 'x'; see: bench compare --help",
    "compare a b --seeds-a 0,x": "bench: --seeds-a: '0,x' is no list of seeds such as 0,1,2",
    "check mask_iou --head sky": "bench: --head must be mask or depth, not 'sky'",
    "explain --within none": "bench: no board 'none' has two runs to explain; run, for example, bench run --model unet "
    "--model wnet --seeds 2",
    "audit --device sky": "bench: No such option: --device; see: bench audit --help",
    "tax --device sky": "bench: unknown device 'sky': choose auto, cpu, cuda, cuda:1 ...",
    "data inspect --rooms 1": "bench: --rooms must be from 3 to 10000, not 1",
    "export x.csv --results nowhere": "bench: there is no folder nowhere; bench run makes it, "
    "or name another with --results",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_mistake_is_a_line(words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if words.startswith(("compare", "explain")):
        (tmp_path / "results").mkdir()
    status, text = terminals.run(monkeypatch, PIPE, *words.split())
    assert (status, text) == (2, f"{MISTAKES[words]}\n")


@pytest.mark.parametrize(
    ("line", "said"), [('seeds = "x"', "--seeds"), ("size = 3", "--size"), ('margin = "x"', "--margin")]
)
def test_a_mistake_in_a_file_names_the_file(line: str, said: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("grid.toml").write_text(f'model = "unet"\n{line}\n')
    status, text = terminals.run(monkeypatch, PIPE, "sweep", "grid.toml")
    assert status == 2
    assert text.startswith(f"bench: grid.toml: Invalid value for '{said}'")
    _, text = terminals.run(monkeypatch, PIPE, "sweep", "grid.toml", said, "no")
    assert "grid.toml" not in text


@pytest.mark.parametrize("words", ["", "data"])
def test_a_group_alone_prints_its_help(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    status, text = terminals.run(monkeypatch, PIPE, *words.split())
    assert status == 2
    assert "Usage:" in text and "inspect" in text.lower()
    assert "bench: " not in text.splitlines()[-1]


def test_help_ends_in_0(monkeypatch: pytest.MonkeyPatch) -> None:
    status, text = terminals.run(monkeypatch, PIPE, "run", "--help")
    assert status == 0
    assert "Examples:" in text

"""Every command that prints tables, on every kind of terminal: no figure cut, no name changed, no escape where none is.

The names in the records used are hostile: brackets are markup to rich, and ``:mask:`` is a picture.
"""

import ast
from pathlib import Path

import pytest

import bench
from bench.profile.machine import ceiling
from bench.results.explain import estimate
from tests.bench.cli import terminals
from tests.bench.cli.terminals import COLOUR, ESCAPE, KINDS, PIPE, figures
from tests.bench.results_folder import keep

MODEL = "unet[width=8]"
RECIPE = "mask: bce, depth: l1"
LABEL = f"{MODEL}:{RECIPE}"  # has :mask: in it

ON_RECORDS = {
    "leaderboard": ["leaderboard", "--show"],
    "compare": ["compare", LABEL, "unet_mask"],
    "compare --transfer": ["compare", "--transfer", "wnet"],
    "explain": ["explain"],
    "choose": ["choose", "--no-measure", "--min", "mask_dice=0.5"],
    "choose without an answer": ["choose", "--no-measure", "--min", "mask_dice=0.99"],
    "show": ["show", "unet[width=4]"],
    "list": ["list", "metrics"],
    "list a name": ["list", "models", "unet"],
}
SLOWER = {
    "audit": ["audit", "--model", "unet[width=4]", "--size", "32", "--batch", "4"],
    "check": ["check", "mask_iou"],
    "inspect": ["data", "inspect", "--samples", "8", "--size", "32"],
}
NAMED = {"pipe": PIPE, "wide": terminals.Kind(environment={"TERM": "xterm", "COLUMNS": "250"})}
VARYING = {
    "runs": ["runs"],
    "doctor": ["doctor"],
    "tax": ["tax", "--loss", "bce", "--loss", "mask: dice", "--size", "32", "--batch", "2"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of a joint model, of a twin, and of a model with parameters and an unnamed recipe."""
    made = tmp_path_factory.mktemp("terminals")
    for seed in range(3):
        keep(made / "results", 0.80, seed, model="wnet")
        keep(made / "results", 0.90, seed, model="unet_mask")
        keep(made / "results", 0.85, seed, model=MODEL, recipe=RECIPE, recipe_name=RECIPE)
    (made / "runs" / "[red]0123456789ab").mkdir(parents=True)
    return made


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, kind: terminals.Kind, words: list[str]) -> str:
    monkeypatch.chdir(folder)
    status, text = terminals.run(monkeypatch, kind, *words)
    assert status == 0, text
    return terminals.without_progress(text)


def is_plain(kind: str, text: str) -> bool:
    """Whether a text has nothing that such a terminal cannot show."""
    if kind in ("TERM=dumb", "pipe"):
        return not ESCAPE.search(text)
    return kind != "NO_COLOR" or not COLOUR.search(text)


@pytest.mark.parametrize("name", [*ON_RECORDS, *SLOWER])
def test_no_figure_is_cut(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "STEPS", estimate.SETTLING + 20)  # of `explain`: how wide its figures are is the same
    words = (ON_RECORDS | SLOWER)[name]
    whole = figures(run(monkeypatch, folder, PIPE, words))
    for kind, terminal in KINDS.items():
        text = run(monkeypatch, folder, terminal, words)
        assert "…" not in text and "Traceback" not in text, (kind, text)
        if "Left out at this width" not in " ".join(text.split()):  # the board says which columns it has no room for
            assert not whole - figures(text), (kind, whole - figures(text), text)
        assert is_plain(kind, text), (kind, text)


@pytest.mark.parametrize("name", VARYING)
def test_what_differs_from_time_to_time_is_printed_everywhere(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ceiling, "_REPEATS", 3)  # of `doctor`: how well it measures does not matter
    for kind, terminal in KINDS.items():
        text = run(monkeypatch, folder, terminal, VARYING[name])
        assert len(figures(text)) > 1 and "…" not in text, (kind, text)
        assert is_plain(kind, text), (kind, text)


@pytest.mark.parametrize(
    "name", [name for name in ON_RECORDS if name in ("compare", "choose", "leaderboard", "explain")]
)
def test_a_line_is_not_broken_in_a_pipe(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = run(monkeypatch, folder, PIPE, ON_RECORDS[name])
    narrow = run(monkeypatch, folder, KINDS["pipe"], ON_RECORDS[name])
    assert wide == narrow
    assert max(map(len, wide.splitlines())) > 80


@pytest.mark.parametrize("name", ["leaderboard", "compare", "explain", "choose", "choose without an answer"])
@pytest.mark.parametrize("kind", ["pipe", "wide"])
def test_names_are_shown_as_they_are(name: str, kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = run(monkeypatch, folder, NAMED[kind], ON_RECORDS[name])
    assert MODEL in text and RECIPE in text, text


def test_a_folder_with_the_name_of_a_colour(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "[red]0123456789ab" in run(monkeypatch, folder, PIPE, ["runs"])


def test_every_console_is_made_in_the_one_place() -> None:
    """Another would read brackets as markup, and ``:mask:`` as the name of a picture."""
    top = Path(bench.__file__).parent
    made = [
        f"{path.relative_to(top)}:{node.lineno}"
        for path in sorted(top.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Console"
    ]
    assert [place.split(":")[0] for place in made] == ["report/terminal/console.py"], made

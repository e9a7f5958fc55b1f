"""Which runs would give cells the seeds in common that a verdict needs: the fewest, as a command."""

import shlex
from pathlib import Path

import pytest

from bench.core.record import Record, TriedValue, Tuning
from bench.core.spec import Precision
from bench.results.board import rows
from bench.results.compare import compare
from bench.results.find import pick
from bench.results.missing_runs import further_run, missing_runs
from bench.results.transfer import transfers
from bench.run.sweep.tuning.parameter import Parameter
from bench.run.sweep.tuning.trial_grid import TrialGrid
from tests.bench.records import ENVIRONMENT, done_in, record
from tests.bench.results_folder import keep


def runs(model: str, seeds: range, precision: Precision = "float32", **facts: object) -> list[tuple[str, Record]]:
    return [
        (f"{model} {precision} {seed}.json", record(model, seed=seed, precision=precision, **facts)) for seed in seeds
    ]


def command(*records: list[tuple[str, Record]], cells: tuple[str, ...] = ("unet", "wnet")) -> str:
    """The words between those that are the same in all notes."""
    board = rows([named for of_cell in records for named in of_cell])
    taken = [next(row for row in board if row.model == name) for name in cells]
    notes = missing_runs(board, *taken)
    return notes[0].removeprefix("with this board's budget and data, ") if notes else ""


def test_the_setting_that_needs_fewest_runs_is_named() -> None:
    """Three of the joint model in the twins' precision, rather than two of either twin in the joint model's."""
    joint = runs("wnet", range(3), "bfloat16")
    twins = [*runs("unet_mask", range(3)), *runs("unet_depth", range(3))]
    also = [*runs("unet_mask", range(1), "bfloat16"), *runs("unet_depth", range(1), "bfloat16")]
    cells = ("wnet", "unet_mask", "unet_depth")
    assert command(joint, twins, also, cells=cells) == (
        "bench run --model wnet --loss bce_ssim --precision float32 --seeds 3 makes it 3 seeds"
    )
    assert command(joint, twins[:4], also, cells=cells[:2]) == (
        "bench run --model unet_mask --loss bce_ssim --precision bfloat16 --first-seed 1 --seeds 2 makes it 3 seeds"
    )


def test_one_seed_of_all_wants_a_second_of_all() -> None:
    assert command(runs("unet", range(1)), runs("wnet", range(1))) == (
        "bench run --model unet --model wnet --loss bce_ssim --precision float32 --first-seed 1 --seeds 1 "
        "makes it 2 seeds"
    )
    assert "--precision float32 --seeds 1 makes it 2" in command(runs("unet", range(1, 2)), runs("wnet", range(1, 2)))


def test_cells_of_other_losses_have_a_command_each() -> None:
    other = runs("wnet", range(1), recipe="mask: 2*bce", recipe_name="mask: 2*bce")
    text = command(runs("unet", range(2)), other)
    assert shlex.split(text)[:6] == ["bench", "run", "--model", "wnet", "--loss", "mask: 2*bce"]
    assert " and bench run --model wnet" in command(runs("unet", range(1)), other)


def test_what_is_unusual_is_an_option() -> None:
    unusual = [(f"{model}.json", done_in("bfloat16", "contiguous", model=model)) for model in ("unet", "wnet")]
    found = command(unusual)
    assert "--precision bfloat16 --memory-format contiguous --first-seed 1" in found


def test_a_gpu_is_told_its_engine() -> None:
    """By itself it chooses another for another model."""
    gpu = {"environment": ENVIRONMENT.model_copy(update={"gpu_memory_gib": 78})}
    found = command(runs("unet", range(1), **gpu), runs("wnet", range(1), **gpu))
    assert "--precision float32 --engine eager --first-seed 1" in found


def tuned(model: str, seeds: range, parameter: str, value: float, **changes: object) -> list[tuple[str, Record]]:
    """Runs at the best of three values, of which the protocol's own, which was outside of the grid, is a fourth."""
    made = []
    for name, untuned in runs(model, seeds):
        tried = [
            TriedValue(value=each, score=0.5, outcome="finished", epochs=2, reference=each == 0.001)
            for each in (0.0003, 0.001, 0.003, 2)
        ]
        facts = {
            "parameter": parameter, "value": value, "edge": None, "trials": 3, "weights": {"mask": 1.0, "depth": 1.0},
            "tried": tried, "untuned": 0.001, "protocol": untuned.spec.protocol, "recipe": untuned.spec.recipe,
        }  # fmt: skip
        tuning = Tuning.model_validate(facts | changes)
        spec = Parameter(parameter).set(untuned.spec, value)
        update = {"spec": spec, "id": spec.id, "cell": spec.cell, "tuning": tuning, "division": tuning.division}
        made.append((name, untuned.model_copy(update=update)))
    return made


def test_tuned_cells_are_tuned_as_they_were() -> None:
    """In one command where that was alike, whatever was chosen."""
    unet, wnet = (tuned(model, range(1), "optimizer.lr", value) for model, value in (("unet", 0.003), ("wnet", 0.0003)))
    assert command(unet, wnet) == (
        "bench sweep --model unet --model wnet --loss bce_ssim --tune optimizer.lr=0.0003,0.003,2 --precision float32 "
        "--first-seed 1 --seeds 1 makes it 2 seeds; trials that are not kept here are made again"
    )
    other = tuned("wnet", range(2), "loss.depth.ssim.weight", 0.003, pruned=True, weights={"mask": 1.0, "depth": 0.5})
    also = tuned("unet", range(1), "optimizer.lr", 0.003, pruned=True)
    assert command(also, other) == (
        "bench sweep --model unet --loss bce_ssim --tune optimizer.lr=0.0003,0.003,2 --prune --precision float32 "
        "--first-seed 1 --seeds 1 makes it 2 seeds; trials that are not kept here are made again"
    )
    words = shlex.split(command(also[:1], other[:1]))
    options = words[words.index("and") + 1 : words.index("--precision", words.index("and"))]
    assert options[4:] == [
        "--loss", "mask: bce, depth: 2*ssim", "--tune", "loss.depth.ssim.weight=0.0003,0.003,2", "--prune",
        "--weights", "mask=1,depth=0.5",
    ]  # fmt: skip
    parsed = TrialGrid.parse(options[7])
    assert parsed.values == (0.0003, 0.003, 2.0)


def test_a_further_run_belongs_to_the_board() -> None:
    """Of a cell that there is, and of one that takes after the row of its model, whose loss is not tuned."""
    plain = rows([*runs("unet", range(2), "bfloat16"), *runs("wnet", range(1))])
    assert further_run(plain, "unet", "bce_ssim", 2) == (
        "bench run --model unet --loss bce_ssim --precision bfloat16 --first-seed 2 --seeds 1"
    )
    assert further_run(plain, "wnet", "mask: bce", 0) == (
        "bench run --model wnet --loss 'mask: bce' --precision float32 --seeds 1"
    )
    in_loss = tuned("wnet", range(2), "loss.depth.ssim.weight", 0.003)
    by_rate = tuned("unet", range(2), "optimizer.lr", 0.003, pruned=True, weights={"mask": 1.0, "depth": 0.5})
    board = rows([*in_loss, *by_rate])
    assert further_run(board, "unet", "bce_ssim", 2) == (
        "bench sweep --model unet --loss bce_ssim --tune optimizer.lr=0.0003,0.003,2 --prune "
        "--weights mask=1,depth=0.5 --precision float32 --first-seed 2 --seeds 1"
    )
    (tuned_loss,) = (row.recipe for row in board if row.model == "wnet")
    own = further_run(board, "wnet", tuned_loss, 2)
    assert own.startswith("bench sweep --model wnet --loss 'mask: bce, depth: 2*ssim' --tune loss.depth.ssim.weight=")
    assert "--loss 'mask: bce' --tune optimizer.lr=" in further_run(board, "wnet", "mask: bce", 0)


def test_nothing_is_named_where_nothing_is_missing_or_no_command_makes_it() -> None:
    assert command(runs("unet", range(2)), runs("wnet", range(2))) == ""
    board = rows([*runs("unet", range(3)), *runs("wnet", range(3))])
    assert missing_runs(board, *pick(board, "unet float32 1.json", "wnet")) == []
    assert missing_runs(board, *pick(board, "unet", "unet")) == []
    both = rows([*runs("unet", range(1)), *runs("unet", range(1), "bfloat16")])
    assert missing_runs(both, *pick(both, "unet:float32", "unet:bfloat16")) == []


@pytest.mark.parametrize(("seeds_a", "noted"), [((), True), ((0,), False)])
def test_a_comparison_of_one_seed_says_it_unless_it_was_asked_for(tmp_path: Path, seeds_a, noted: bool) -> None:
    keep(tmp_path, 0.8, model="wnet")
    for seed in range(2):
        keep(tmp_path, 0.8, seed, model="unet")
    notes = " ".join(compare(tmp_path, "wnet", "unet", seeds_a=seeds_a).notes)
    assert ("bench run --model wnet --loss bce_ssim --precision float32 --first-seed 1 --seeds 1" in notes) is noted


def test_transfer_says_it_once_for_both_twins(tmp_path: Path) -> None:
    for seed in range(3):
        keep(tmp_path, 0.8, seed, model="wnet", precision="bfloat16")
    for model in ("unet_mask", "unet_depth"):
        keep(tmp_path, 0.8, model=model, precision="bfloat16")
        for seed in range(3):
            keep(tmp_path, 0.8, seed, model=model)
    notes = {note for found in transfers(tmp_path, "wnet") for note in found.notes if "bench run" in note}
    (note,) = notes
    assert "bench run --model wnet --loss bce_ssim --precision float32 --seeds 3 makes it 3 seeds" in note

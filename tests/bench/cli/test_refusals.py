"""Requests that cannot be fulfilled, command by command: exit status, the words that say why, and nothing written."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.bench.cli import terminals
from tests.bench.results_folder import keep

REFUSED: dict[str, tuple[int, str]] = {
    # compare
    "compare": (2, "name two cells, as in bench compare wnet:bce_ssim unet:bce_ssim, or --transfer and a model"),
    "compare unet": (2, "name two cells"),
    "compare unet wnet --transfer wnet": (2, "name two cells"),
    "compare unet unett": (2, "did you mean unet"),
    "compare unet wnet --metric mask_dise": (2, "unknown metric 'mask_dise'; did you mean mask_dice"),
    "compare unet wnet --within nothing": (2, "no protocol or data is called 'nothing'"),
    "compare unet wnet --seeds-a 9": (2, "unet:bce_ssim has no seed 9; it has 0, 1"),
    "compare unet wnet --seeds-b 0,9,8": (2, "wnet:bce_ssim has no seed 9, 8; it has 0, 1"),
    "compare unet wnet --seeds-a 0,,1": (2, "--seeds-a: '0,,1' is no list of seeds such as 0,1,2"),
    "compare unet wnet --margin=-1": (2, "--margin must be greater than or equal to 0, not '-1'"),
    "compare unet nowhere.json": (2, "no record called nowhere.json"),
    "compare --transfer unett": (2, "unknown model 'unett'"),
    "compare --transfer unet": (2, "unet has no single-task twins; wnet has unet_mask and unet_depth"),
    "compare --transfer wnet": (2, "bench run"),
    # explain, slices
    "explain --metric mask_dise": (2, "unknown metric 'mask_dise'"),
    "slices nobody": (2, "unknown cell 'nobody'"),
    "slices unet nobody": (2, "unknown cell 'nobody'"),
    "slices": (2, "Missing argument 'a'; see: bench slices --help"),
    # choose
    "choose --max-latency 6": (2, "--max-latency takes a number above 0 with its unit (ms, s), such as 6ms, not '6'"),
    "choose --max-latency 0ms": (2, "--max-latency takes a number above 0"),
    "choose --max-latency=-1ms": (2, "--max-latency takes a number above 0"),
    "choose --max-latency 6MB": (2, "not '6MB'"),
    "choose --max-memory 2gb": (2, "--max-memory takes a number above 0 with its unit (MB, MiB, GB, GiB)"),
    "choose --max-memory 2GB --no-measure": (2, "--max-memory needs a measurement, which --no-measure forbids"),
    "choose --no-measure --min mask_dice": (2, "--min takes metric=number, such as mask_dice=0.9, not 'mask_dice'"),
    "choose --no-measure --min =0.9": (2, "--min takes metric=number"),
    "choose --no-measure --min mask_dice=nan": (2, "--min takes metric=number"),
    "choose --no-measure --max mask_dice=0.9": (2, "of mask_dice higher is better; write --min mask_dice=0.9"),
    "choose --no-measure --min depth_rmse=0.1": (2, "of depth_rmse lower is better; write --max depth_rmse=0.1"),
    "choose --no-measure --min mask_dise=0.9": (2, "did you mean mask_dice"),
    "choose --no-measure --metric mask_dise": (2, "did you mean mask_dice"),
    "choose --no-measure --metric joint_nothing": (2, "unknown metric 'joint_nothing'"),
    "choose --no-measure --within nothing": (2, "no board with a model that learns is called 'nothing'"),
    "choose --no-measure --metric mask_bf": (2, "has mask_bf"),
    "choose --seconds 0.05": (2, "--seconds must be greater than or equal to 0.1, not '0.05'"),
    # leaderboard
    "leaderboard --pool seeds": (2, "--pool takes machines, not 'seeds'"),
    "leaderboard --show --metric mask_dise": (2, "did you mean mask_dice"),
    "leaderboard --show --where model": (2, "cannot read 'model': write column=pattern, column!=pattern, or >"),
    "leaderboard --show --where modle=unet": (2, "unknown column 'modle'; choose one of: board, model, loss"),
    "leaderboard --show --where seeds>many": (2, "compares with 'many', which is no number"),
    "leaderboard --show --sort modle": (2, "unknown column 'modle'"),
    "leaderboard --csv nowhere/dir/ --json .": (2, "--json: cannot write .: it is a folder"),
    "leaderboard --out results": (2, "--out: cannot write results: it is a folder"),
    # use
    "evaluate": (2, "name a run, as in bench evaluate wnet:bce_ssim --data ..., or --board and part of its heading"),
    "evaluate unet --board quick": (2, "name a run"),
    "evaluate nobody": (2, "unknown cell 'nobody'"),
    "evaluate unet": (2, "holds no weights of unet:bce_ssim"),
    "evaluate constant": (2, "constant learns nothing and leaves no weights"),
    "evaluate 0123456789ab": (2, "no finished run 0123456789ab is recorded in results"),
    "evaluate --board nothing": (2, "no leaderboard is called 'nothing'"),
    "robust unet --device sky": (2, "unknown device 'sky'"),
    "robust unet --json .": (2, "--json: cannot write .: it is a folder"),
    "robust nobody": (2, "unknown cell 'nobody'"),
    "predict unet --in results --out results": (2, "--out: results holds the images"),
    "predict unet --in results --out /proc/nowhere": (2, "--out: cannot write /proc/nowhere"),
    "predict unet --in results --out new": (2, "holds no weights"),
    "predict unet --in results --out new --tile 4": (2, "--tile must be greater than or equal to 8, not '4'"),
    # check and look up
    "check nothing_of_that_name": (2, "nothing_of_that_name"),
    "check mask_iou --kind sky": (2, "sky"),
    "list sky": (2, "see: bench list --help"),
    "list models nothing*": (2, "See all with: bench list models"),
    "show unet[width=0]": (2, "width must be at least 1 and at most 512, not 0"),
    "show unet --size 33": (2, "multiples of 16"),
    "show nowhere:Net": (2, "nowhere"),
    "runs --runs results/unet.json": (2, "there is no folder results/unet.json"),
    "runs --runs r --prune": (2, "say what to delete: --unfinished, --older-than DAYS, or both"),
    "runs --runs r --older-than=-1": (2, "--older-than must be greater than or equal to 0, not '-1'"),
    # data
    "data inspect --data composed": (2, "data source 'composed' needs --bg and --fg"),
    "data inspect --data composed --bg a --bg b --fg c": (2, "--bg is given 2 times; it takes a single value"),
    "data inspect --data stored": (2, "data source 'stored' needs --root"),
    "data inspect --data composed --bg nowhere --fg nowhere": (3, "nowhere: no such folder (of photographs)"),
    "data inspect --empty-share 2": (2, "--empty-share must be from 0 to 0.99, not 2.0"),
    "data inspect --split sideways": (2, "unknown split 'sideways'"),
    "data inspect --split kfold[n=2]": (2, "n is a whole number from 3, fold from 0 to n - 1"),
    "data inspect --camera drone": (2, "drone"),
    "data inspect --root x": (2, "--root is read by --data stored, not by --data synthetic"),
    "data inspect --data-option rooms": (2, "rooms"),
    "data pack --size 8": (2, "only --data stored is packed; synthetic is rendered on the fly"),
    "data export --files 009 --count 1 --out x": (2, "009"),
    "data export --files 003 --count 0 --out x": (2, "--count must be greater than or equal to 1, not '0'"),
    "data export --files 003 --count 1 --out x --part sideways": (2, "unknown part 'sideways'; known: all, train"),
    "data export --files 003 --count 1 --out x --quality 101": (2, "--quality must be less than or equal to 100"),
    # train and measure
    "reproduce": (2, "name a system (000, 001, 002, 003, 004), or --all"),
    "reproduce 005": (2, "005"),
    "sweep": (2, "no models: give --model, or a file with model = [...]"),
    "sweep --model unet --prune": (2, "--prune and --weights are of --tune"),
    "sweep --model unet --margin 0.1": (2, "--budget, --settle-by and --margin are of --until-settled"),
    "sweep --model unet --timeout soon": (
        2,
        "--timeout takes a number above 0 with its unit (s, m, h; s where it has none), such as 6s, not 'soon'",
    ),
    "sweep --model unet --until-settled --budget 0h": (2, "--budget takes a number above 0 with its unit"),
    "sweep nowhere.toml": (2, "nowhere.toml"),
    "sweep --model unet --threads 100000": (2, "--threads must be less than or equal to 1024, not '100000'"),
    "profile --model unet --vs wnet --twice --json x": (2, "profile each by itself for --twice"),
    "profile --model unet --engine warp": (2, "unknown engine 'warp'; choose one of: eager, compiled, graphed"),
    "profile --model unet --precision int4": (2, "unknown precision 'int4'; choose auto, float32, bfloat16, tf32"),
    "profile --model unet --memory-format rows": (2, "unknown memory format 'rows'"),
    "profile --model unet --seconds=-1": (2, "--seconds must be greater than or equal to 0, not '-1'"),
    "tax --loss bce_sim": (2, "did you mean"),
    "run --model unet --inputs triple": (2, "unknown inputs 'triple'; choose one of: pair, image"),
    "run --model unet --init nobody": (2, "nobody"),
    "run --model unet --normalize sometimes": (2, "sometimes"),
    "run --model unet --loss 'mask: bce, sky: l1'": (2, "sky"),
    "run --model unet --metric nothing": (2, "nothing"),
    "run --model unet --protocol nowhere.toml": (2, "cannot read the protocol nowhere.toml"),
    "run --model unet --patience=-1": (2, "--patience must be greater than or equal to 0, not '-1'"),
    "export": (2, "Missing argument 'out'; see: bench export --help"),
    "report --out results": (2, "--out: cannot write results: it is a folder"),
    "audit --model unett": (2, "unknown model 'unett'"),
    "audit --json results": (2, "--json: cannot write results: it is a folder"),
}
"""Exit status and words by command line."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of two models and of a baseline, and a folder for runs."""
    made = tmp_path_factory.mktemp("refusals")
    for seed in range(2):
        keep(made / "results", 0.7, seed, model="unet")
        keep(made / "results", 0.8, seed, model="wnet")
    keep(made / "results", 0.5, model="constant", recipe="")
    (made / "r").mkdir()
    return made


@pytest.mark.parametrize("line", REFUSED)
def test_it_is_refused_with_the_reason(line: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))
    status, text = terminals.run(monkeypatch, terminals.PIPE, *shlex.split(line))
    expected, words = REFUSED[line]
    assert words in text, text
    assert status == expected, text
    assert "Traceback" not in text
    assert text.splitlines()[-1] and sorted(folder.rglob("*")) == before

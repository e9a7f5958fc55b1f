"""``bench predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options.common import Device, RecordedRun, Within
from bench.cli.options.groups import FolderOptions

EXAMPLES = """
bench predict wnet:bce_ssim --in photos/ --bg empty_room.jpg --out predicted/
bench predict 8c45f3ffa9c4 --in bg_fg/ --bg bg/ --out predicted/ --npy
bench predict wnet:bce_ssim --in shots/ --files "bg={room}.jpg bg_fg={room}_{n}.jpg" --out predicted/ --side 64
"""


def predict(
    *,
    run: RecordedRun,
    given: Annotated[list[Path], typer.Option("--in", help="Image files, or folders, with those within; repeatable.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    bg: Annotated[
        Path | None,
        typer.Option(help="Background of all images, or a folder of backgrounds with the images' stems."),
    ] = None,
    files: Annotated[
        str, typer.Option(help="How names pair: bg={scene}.jpg bg_fg=shots/{scene}_{n}.jpg. Else a_bg with a_bg_fg.")
    ] = "",
    side: Annotated[
        int | None, typer.Option(min=8, help="Shrink to this shorter side for the network. Default: unchanged.")
    ] = None,
    tile: Annotated[
        int | None, typer.Option(min=8, help="Largest side given to the network at once; larger images are tiled.")
    ] = None,
    npy: Annotated[bool, typer.Option("--npy", help="Also write mask and depth as float32 arrays.")] = False,
    within: Within = "",
    device: Device = "auto",
    folders: FolderOptions,
) -> None:
    """Predict mask and depth for images of your own, of any size, with the weights of a recorded run.

    Writes NAME_mask.png, NAME_depth.png (16-bit millimetres where depth is metric) and NAME_overlay.jpg, in folders
    like those within --in. Files that cannot be used are named at the end, with exit 3; all others are predicted.
    """
    from bench.core import files as writing
    from bench.core.amount import amount
    from bench.core.errors import BadData, BenchError
    from bench.core.machine import pick_device
    from bench.data.stored.decoding.picture_doubt import doubt_photographs
    from bench.report.pictures.prediction_files import DepthScale, PredictionFiles
    from bench.report.terminal.console import plain_console
    from bench.report.terminal.progress_bar import Bar
    from bench.run.predict.picture_files import find_pictures
    from bench.run.predict.prediction import check_plate, predict_files
    from bench.run.trained import trained_run

    console = plain_console()
    if out.exists() and any(out.samefile(path if path.is_dir() else path.parent) for path in given if path.exists()):
        raise BenchError(f"--out: {out} holds the images: predictions there would be read as images next time")
    writing.check_folder(out, "--out")
    trained = trained_run(folders.results, folders.runs, run, pick_device(device), within)
    found = find_pictures(given, bg, files, trained.needs_background, out)
    if trained.needs_background:
        check_plate(bg)
    elif bg is not None or found.unread:
        console.print(f"{trained.label} looks at the picture alone: backgrounds are not read", soft_wrap=True)
    if not found.pictures and all(reason.startswith("no photograph") for _, reason in found.problems):
        raise BenchError(
            f"{trained.label} needs a background for each image, and none of {len(found.problems)} images has "
            "one: name it with --bg (a file for all, or a folder), or say how names pair with --files"
        )
    spec = trained.record.spec
    scale = DepthScale.of(str(spec.data.get("encoding", "")))
    console.print(f"{trained.label}, trained at {spec.protocol.size} px", soft_wrap=True)
    looked = doubt_photographs([picture.bg_fg for picture in found.pictures], Path.read_bytes)
    for doubt in filter(None, [trained.code_change, looked]):
        console.print(f"warning: {doubt}", soft_wrap=True)
    with Bar(console) as bar:
        write = PredictionFiles(out, scale, npy)
        problems = predict_files(trained, found.pictures, write, tile, side, bar)
    problems = [*found.problems, *problems]
    passed = f"; {amount(found.ignored, 'file')} of other suffixes passed over" if found.ignored else ""
    depth = f"; depth in {scale.unit}" if "depth" in trained.heads else ""
    done = len(found.pictures) + len(found.problems) - len(problems)
    console.print(f"{out}: {amount(done, 'picture')} predicted{depth}{passed}", soft_wrap=True)
    if problems:
        raise BadData(problems, "all others are predicted" if done else "")

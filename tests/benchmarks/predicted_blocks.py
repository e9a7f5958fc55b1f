"""A thousand pictures predicted, in blocks in turn with the slowest of the three parts alone; prints JSON.

``python -m tests.benchmarks.predicted_blocks MODEL FOLDER``: a program of its own, with the threads that
``bench predict`` has, as waiting of threads is settled once a process. The pictures are generated photographs, fifty
of them again and again.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.core.openmp import share_cores

share_cores()  # before torch

import torch  # noqa: E402

from bench.data.loading.ahead import prefetch  # noqa: E402
from bench.data.synthetic.source import Synthetic  # noqa: E402
from bench.profile.windows.rounds import TimedWindow, rounds  # noqa: E402
from bench.report.pictures.prediction_files import DepthScale, PredictionFiles  # noqa: E402
from bench.run.predict.networks import Networks  # noqa: E402
from bench.run.predict.picture_files import PictureFile  # noqa: E402
from bench.run.predict.prediction import Predicted, predict_files, predict_picture, read_picture  # noqa: E402
from bench.run.trained import trained_run  # noqa: E402
from tests.bench.run.trained_model import make  # noqa: E402
from tests.benchmarks.quartet_files import PIXELS, write  # noqa: E402

PICTURES, BLOCK = 1000, 50

Work = Callable[[Sequence[PictureFile]], object]


def main(model: str, folder: Path) -> dict[str, object]:
    """Milliseconds a picture of each part alone, and rounds of (whole, slowest part), seconds a picture."""
    source = Synthetic(camera="still")
    record = make(folder, source, model=model)
    run = trained_run(folder / "results", folder / "runs", record.id, torch.device("cpu"))
    for name in ("in", "out"):
        (folder / name).mkdir()
    write(folder / "in", source, BLOCK)
    pictures = [
        PictureFile(f"{i:04}", *(folder / f"in/{i % BLOCK:04}_{what}.jpg" for what in ("bg_fg", "bg")))
        for i in range(PICTURES)
    ]
    files = PredictionFiles(folder / "out", DepthScale.of(source.encoding))
    images = [read_picture(picture) for picture in pictures[:BLOCK]]
    made = [predict_picture(run, picture.name, *pair) for picture, pair in zip(pictures, images, strict=False)]

    networks = Networks(run)
    threads = networks.count + 1

    def network(number: int) -> Predicted:
        with networks.borrow(PIXELS * PIXELS) as lent:
            return predict_picture(lent, str(number), *images[number])

    parts: dict[str, Work] = {
        "reading": lambda block: list(prefetch(read_picture, block, 2 * threads, threads)),
        "network": lambda _: list(prefetch(network, range(BLOCK), 2 * threads, threads)),
        "writing": lambda _: list(prefetch(files, made, 2 * threads, threads)),
    }
    alone = {name: min(block_by_block(work, pictures)() for _ in range(2)) for name, work in parts.items()}
    slowest = max(alone, key=lambda name: alone[name])
    whole = block_by_block(lambda block: predict_files(run, block, files), pictures)
    pairs = rounds(whole, block_by_block(parts[slowest], pictures), 0.0, PICTURES // BLOCK // 2)
    assert len(list((folder / "out").iterdir())) == 3 * PICTURES
    return {"alone": {name: 1000 * pace for name, pace in alone.items()}, "slowest": slowest, "rounds": pairs}


def block_by_block(work: Work, pictures: Sequence[PictureFile]) -> TimedWindow:
    """Does a part of the pictures a window, each in turn."""
    starts = itertools.cycle(range(0, len(pictures), BLOCK))

    def window() -> float:
        block = pictures[(start := next(starts)) : start + BLOCK]
        began = time.perf_counter()
        work(block)
        return (time.perf_counter() - began) / BLOCK

    return window


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]))))

"""Makes one small experiment in processes of its own, each killed at a moment of its choice: a script for a test.

``python -m tests.bench.run.killed_runs FOLDER MOMENTS``: makes the experiment undisturbed, then once for each of so
many moments, killed there and continued, and prints as JSON, a line each, where it was killed and what differs from
the undisturbed one in the end. A moment is a training step, or a step of writing a file: its opening, its content half
written, its syncing, its renaming. All processes are forked from this one, which imports everything once.
"""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # the first optimizer of a process would import it: seconds

from bench.core import files
from bench.core.protocol import find_protocol
from bench.data.loading import packed_files
from bench.report.listeners.prediction_picture import PredictionPicture
from bench.report.pages import pages, refresh
from bench.results import store
from bench.results.store import records
from bench.run import experiment, runner
from bench.train import events
from bench.train.checkpoints import checkpoint, training_state
from tests.bench.rectangles import Rectangles

PARTS = ("last.", "best.", ".json", ".images.csv", ".md", ".packed", "window")
"""Parts of the names of moments; of each at least one is chosen."""

SMALL = {"size": 32, "batch": 8, "epochs": 2, "train_samples": 32, "val_samples": 8, "test_samples": 8}
TEMPORARY = {"fsync", "content"}


class Moments:
    """Counts the moments of this process, and ends it at one of them.

    Args:
        folder: what is written elsewhere does not count.
        last: the moment at which it ends, from 1; 0 for none.
    """

    def __init__(self, folder: Path, last: int) -> None:
        self.names: list[str] = []
        self._folder, self._last = str(folder), last
        self._save = torch.save
        self._fsync = os.fsync
        sys.addaudithook(self._audit)

    def at(self, name: str, before: Callable[[], object] = lambda: None) -> None:
        """A moment; ``before`` is done before the process ends in it."""
        self.names.append(name)
        if len(self.names) == self._last:
            before()
            os.kill(os.getpid(), signal.SIGKILL)

    def save(self, state: Any, path: Path) -> None:
        """In the place of `torch.save`: half of the file may be all that is written of it."""
        self._save(state, path)
        whole = path.read_bytes()
        self.at(f"content {path.name}", lambda: path.write_bytes(whole[: len(whole) // 2]))

    def fsync(self, handle: int) -> None:
        """In the place of `os.fsync`: as `save`, for what Python writes."""
        name = Path(f"/proc/self/fd/{handle}").readlink().name
        self.at(f"fsync {name}", lambda: os.ftruncate(handle, os.fstat(handle).st_size // 2))
        self._fsync(handle)

    def _audit(self, event: str, given: tuple[Any, ...]) -> None:
        if event in ("os.rename", "os.link", "os.remove") and str(given[0]).startswith(self._folder):
            self.at(f"{event} {Path(str(given[0 if event == 'os.remove' else 1])).name}")
        if event == "open" and str(given[0]).startswith(self._folder) and (given[2] or 0) & os.O_CREAT:
            self.at(f"open {Path(str(given[0])).name}")


class Windows(events.Listener):
    """Makes a moment of every window of training steps."""

    def __init__(self, moments: Moments) -> None:
        self._moments = moments

    def window(self, summary: events.WindowSummary) -> None:
        """A moment."""
        self._moments.at(f"window {summary.step}")


def make(folder: Path, last: int = 0) -> list[str]:
    """Make the experiment and its page in this process; the moments it had."""
    moments = Moments(folder, last)
    torch.save, os.fsync = moments.save, moments.fsync  # type: ignore[assignment]
    made = experiment.Experiment(
        models=["twin_unet[width=4]"],  # draws dropout
        loss="mask: bce, depth: l1",
        protocol=find_protocol("quick").override(**SMALL),
        seeds=[0],
        source=Rectangles(),
        device="cpu",
        baselines=False,
        results=folder / "results",
        runs=folder / "runs",
    )
    for _ in made.run(events.Listeners([Windows(moments), PredictionPicture()]), lambda words: None):
        pass
    refresh(pages(folder / "results", folder / "leaderboard.md", readme=False))
    return moments.names


def forked(folder: Path, last: int = 0) -> tuple[int, list[str]]:
    """Make it in a process of its own; its status, negative for a signal, and its moments, if it came to its end."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(read)
            os.write(write, json.dumps(make(folder, last)).encode())
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), json.loads(text or "[]")


def left(folder: Path) -> dict[str, Any]:
    """What an experiment leaves, without what differs between two of the same: times, and how often it was resumed."""
    [(name, record)] = store.read_all(folder / "results")
    [run] = [path for path in (folder / "runs").iterdir() if path.name != "packed"]
    best = checkpoint.load(run / "best.pt", torch.device("cpu"))
    return {
        "files": sorted(
            path.name.replace(name.removesuffix(".json"), "record")
            for path in folder.rglob("*")
            if path.is_file() and path.suffix != ".lock"
        ),
        "scores": {key: score.value for key, score in record.test.items()},
        "epochs": [epoch.model_dump(mode="json") for epoch in record.epochs],
        "images": (folder / "results" / name).with_suffix(store.IMAGES).read_text(),
        "weights": [tensor.double().sum().item() for tensor in best["model"].values()],
        "bits": [tensor.numpy().tobytes().hex() for tensor in best["model"].values()],
        "picture": (run / "predictions.png").read_bytes().hex(),
    }


def chosen(names: list[str], count: int, seed: int = 0) -> list[int]:
    """So many moments, from 1: of each of `PARTS` one, and others at random."""
    draw = random.Random(seed)
    targets = [name if name.split()[0] not in TEMPORARY else following(names, i) for i, name in enumerate(names)]
    some = [draw.choice([i for i, name in enumerate(targets) if part in name]) for part in PARTS]
    rest = draw.sample([i for i in range(len(names)) if i not in some], max(0, count - len(some)))
    return [i + 1 for i in (*some, *rest)][:count]


def following(names: list[str], at: int) -> str:
    """The name that a temporary file written at a moment is given afterwards."""
    return next((name for name in names[at:] if name.startswith(("os.rename", "os.link"))), names[at])


def results(folder: Path, count: int) -> Iterator[dict[str, Any]]:
    """Kill and continue, for so many moments; what became of each."""
    gc.freeze()  # what was imported is not looked through in every process
    training_state.EVERY = training_state.WITHIN = 0.0  # a checkpoint after every window
    files.STRAY_AGE = records.STRAY_AGE = packed_files._ABANDONED_SECONDS = -1.0  # as if the kill were hours ago
    experiment.audit = lambda *given, **named: []  # type: ignore[assignment] # writes nothing, and takes long
    runner.free_bytes = lambda device: 0  # type: ignore[assignment] # so that samples are packed into files
    status, names = forked(folder / "whole")
    assert status == 0, status
    expected = left(folder / "whole")
    for moment in chosen(names, count):
        place = folder / str(moment)
        killed, _ = forked(place, moment)
        continued, _ = forked(place)
        found = left(place) if not continued else {}
        differs = [key for key, value in expected.items() if found.get(key) != value]
        yield {"moment": names[moment - 1], "killed": killed, "continued": continued, "differs": differs}


if __name__ == "__main__":
    for result in results(Path(sys.argv[1]).absolute(), int(sys.argv[2])):
        print(json.dumps(result), flush=True)

"""`bench run` in processes of its own, each killed, or out of disk space, at a moment of its choice: for a test.

``python -m tests.bench.run.disturbed_runs kill|full FOLDER MOMENTS``: makes an experiment undisturbed, then once for
each of so many moments, disturbed there and then continued, and prints as JSON, a line each, how it was disturbed and
what differs from the undisturbed one in the end. A moment is a training step, or a step of writing a file: its opening,
its content half written, its syncing, its renaming. All processes are forked from this one, which imports everything
once.
"""

from __future__ import annotations

import gc
import json
import os
import random
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # the first optimizer of a process would import it: seconds
import torch.utils.tensorboard

from bench import cli
from bench.core import files
from bench.data.loading import packed_files
from bench.report.listeners import optional_listeners as made
from bench.report.listeners.optional_listeners import optional_listeners
from bench.results import store
from bench.results.store import records
from bench.run import experiment, shared_loaders
from bench.train.checkpoints import checkpoint, training_state
from bench.train.events import Listener, WindowSummary

PARTS = ("last.", "best.", ".json", ".images.csv", ".md", ".packed", "window")
"""Parts of the names of moments; of each at least one is chosen."""

COMMAND = (
    "run --model twin_unet[width=4] --data tests.bench.rectangles:Rectangles --no-baselines --precision float32 "
    "--size 32 --batch 8 --epochs 2 --train-samples 16 --val-samples 8 --test-samples 8 --device cpu"
)
"""The model draws dropout."""
TEMPORARY = {"fsync", "content"}


class Moments:
    """Counts the moments of this process, and does something at one of them.

    Args:
        folder: what is written elsewhere does not count.
        last: the moment at which something is done, from 1; 0 for none.
        what: ``kill`` ends the process; ``full``: from then on no file takes any content.
    """

    def __init__(self, folder: Path, last: int, what: str) -> None:
        self.names: list[str] = []
        self._folder, self._last, self._what = str(folder), last, what
        self._save, self._fsync = torch.save, os.fsync
        sys.addaudithook(self._audit)

    def at(self, name: str, before: Callable[[], object] = lambda: None) -> None:
        """A moment; ``before`` is done before the process ends in it."""
        self.names.append(name)
        if len(self.names) != self._last:
            return
        if self._what == "full":
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        else:
            before()
            os.kill(os.getpid(), signal.SIGKILL)

    def save(self, state: Any, path: Path) -> None:
        """In the place of `torch.save`: half of the file may be all that is written of it."""
        self.at(f"begin {path.name}")
        self._save(state, path)
        whole = path.read_bytes()
        self.at(f"content {path.name}", lambda: path.write_bytes(whole[: len(whole) // 2]))

    def fsync(self, handle: int) -> None:
        """In the place of `os.fsync`: as `save`, for what Python writes."""
        name = Path(f"/proc/self/fd/{handle}").readlink().name
        self.at(f"fsync {name}", lambda: os.ftruncate(handle, os.fstat(handle).st_size // 2))
        self._fsync(handle)

    def _audit(self, event: str, given: tuple[Any, ...]) -> None:
        if event in ("os.rename", "os.link", "os.remove") and self._is_own(given[0]):
            self.at(f"{event} {Path(str(given[0 if event == 'os.remove' else 1])).name}")
        if event == "open" and self._is_own(given[0]) and (given[2] or 0) & os.O_CREAT:
            self.at(f"open {Path(str(given[0])).name}")

    def _is_own(self, path: object) -> bool:
        return isinstance(path, str | Path) and os.path.abspath(path).startswith(self._folder)  # noqa: PTH100


class Windows(Listener):
    """Makes a moment of every window of training steps."""

    def __init__(self, moments: Moments) -> None:
        self._moments = moments

    def window(self, summary: WindowSummary) -> None:
        """A moment."""
        self._moments.at(f"window {summary.step}")


def make(folder: Path, last: int, what: str) -> Moments:
    """Give the command in this process and folder; the moments it had.

    Raises:
        SystemExit: the command did not end well.
    """
    folder.mkdir(exist_ok=True)
    os.chdir(folder)
    moments = Moments(folder, last, what)
    torch.save, os.fsync = moments.save, moments.fsync  # type: ignore[assignment]
    drawing = optional_listeners()
    made.optional_listeners = lambda: {"windows": Windows(moments), **drawing}  # type: ignore[assignment]
    sys.argv = ["bench", *COMMAND.split()]
    try:
        cli.main()
    except SystemExit as ended:
        if ended.code:
            raise
    return moments


def forked(folder: Path, last: int = 0, what: str = "kill") -> tuple[int, list[str], str]:
    """Make it in a process of its own: its status, negative for a signal; its moments, if it ended well; its output."""
    read, write = os.pipe()
    read_output, output = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            for number, name in ((1, "stdout"), (2, "stderr")):
                os.dup2(output, number)
                setattr(sys, name, os.fdopen(number, "w", closefd=False))
            os.write(write, json.dumps(make(folder, last, what).names).encode())
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    os.close(write)
    os.close(output)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    with os.fdopen(read_output, errors="replace") as pipe:
        words = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), json.loads(text or "[]"), words


def left(folder: Path) -> dict[str, Any]:
    """What an experiment leaves, without what differs between two of the same: times, and how often it was resumed."""
    [(name, record)] = store.read_all(folder / "results")
    [run] = [path for path in (folder / "runs").iterdir() if path.name != "packed"]
    best = checkpoint.load(run / "best.pt", torch.device("cpu"))
    return {
        "files": sorted(
            path.name.replace(name.removesuffix(".json"), "record")
            for path in folder.rglob("*")
            if path.is_file() and "tensorboard" not in path.parts  # event files bear the time
        ),
        "scores": {key: score.value for key, score in record.test.items()},
        "epochs": [epoch.model_dump(mode="json") for epoch in record.epochs],
        "images": (folder / "results" / name).with_suffix(store.IMAGES).read_text(),
        "weights": [tensor.double().sum().item() for tensor in best["model"].values()],
        "bits": [tensor.numpy().tobytes().hex() for tensor in best["model"].values()],
        "picture": (run / "predictions.png").read_bytes().hex() if (run / "predictions.png").exists() else "",
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


def results(folder: Path, what: str, count: int) -> Iterator[dict[str, Any]]:
    """Disturb and continue, at so many moments; what became of each."""
    gc.freeze()  # what was imported is not looked through in every process
    training_state.EVERY = training_state.WITHIN = 0.0  # a checkpoint after every window
    files.STRAY_AGE = records.STRAY_AGE = packed_files._ABANDONED_SECONDS = -1.0  # as if the kill were hours ago
    experiment.audit = lambda *given, **named: []  # type: ignore[assignment] # writes nothing, and takes long
    shared_loaders.free_bytes = lambda device: 0  # type: ignore[assignment] # so that samples are packed into files
    status, names, words = forked(folder / "whole")
    assert status == 0, words
    expected = left(folder / "whole")
    for moment in chosen(names, count):
        place = folder / str(moment)
        status, _, words = forked(place, moment, what)
        half = [path.name for path in place.rglob("*") if path.suffix in (".tmp", ".part")] if what == "full" else []
        continued, _, more = forked(place)
        found = left(place) if not continued else {"": more}
        drawn = {"files", "picture"} if status == 0 and "warning: no " in words else set()  # as it was said
        yield {
            "moment": names[moment - 1],
            "status": status,
            "words": words,
            "half": half,
            "continued": continued,
            "differs": [key for key, value in expected.items() if found.get(key) != value and key not in drawn],
        }


def main(what: str, folder: Path, count: int) -> None:
    """Print what became of each."""
    for result in results(folder.absolute(), what, count):
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))

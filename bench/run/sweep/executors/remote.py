"""What a Ray worker does with a task: trains in a folder of its node, and gives back files; imports no Ray."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.core.errors import BenchError, Interrupted
from bench.core.interruption import Interruption
from bench.results import store
from bench.run import folder as run_folder
from bench.run.sweep.task import Task, WorkerConfig
from bench.train.failures import describe, traceback_lines
from registry.errors import RegistryError

Files = dict[str, bytes]
"""Contents by path, below the folder of results or of runs."""

REFUSED = 2
"""Exit status of a task that could not begin."""


def node_folder() -> Path:
    """Where a node keeps rendered samples and unfinished runs, whichever sweep they are of."""
    return Path(tempfile.gettempdir()) / f"maskdepth-bench-{os.getuid()}"


def make(
    config: dict[str, Any], task: dict[str, Any], checkpoint: Files, tell: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Make a task in this process.

    Args:
        config, task: as JSON.
        checkpoint: what the run's folder holds to go on from.
        tell: sends an event to the driver.

    Returns:
        ``status`` as a process would exit with; ``results`` and ``runs``, the files that it has left.
    """
    import torch

    from bench.run.sweep.worker.worker import Worker  # with torch and all else

    sys.path.insert(0, "")
    todo, given = Task.model_validate(task), WorkerConfig.model_validate(config)
    torch.set_num_threads(given.threads)
    with tempfile.TemporaryDirectory(prefix="maskdepth-bench-") as place:
        results, runs = Path(place) / "results", node_folder() / "runs"
        folder = runs / todo.spec.id
        if checkpoint:
            write(runs, checkpoint)
        interruption = Interruption()
        interruption.install()
        status = 1
        try:
            worker = Worker(given.model_copy(update={"results": results, "runs": runs}))
            status = worker.make(todo, tell, interruption)
        except (Interrupted, KeyboardInterrupt) as stopped:
            status = getattr(stopped, "exit_code", 130)
        except (BenchError, RegistryError) as error:
            tell({"kind": "refused", "reason": str(error), "exception": type(error).__name__})
            status = REFUSED
        except Exception as error:
            lines = traceback_lines(error)
            tell({"kind": "refused", "reason": describe(error), "exception": type(error).__name__, "traceback": lines})
        return {"status": status, "results": read(results, results), "runs": read(runs, folder)}


def read(base: Path, folder: Path) -> Files:
    """Every file of a folder by its path below ``base``, but locks and schemas."""
    found = {}
    for path in sorted(folder.rglob("*")) if folder.exists() else ():
        if path.is_file() and path.name not in (run_folder.LOCK, store.SCHEMA):
            found[path.relative_to(base).as_posix()] = path.read_bytes()
    return found


def write(base: Path, files: Files) -> None:
    """Write files below a folder, each in one step."""
    from bench.core.files import replace

    for name, content in files.items():
        replace(base / name, content)


def collect(results: Path, files: Files) -> Path | None:
    """Put the files of one record into the folder of results, tables first; its own path there.

    A name that is taken by other content gets a number, as `bench.results.store.write` has it.
    """
    from bench.core.files import create

    records = [name for name in files if name.endswith(".json")]
    if not records:
        return None
    (name,) = records
    table = name.removesuffix(".json") + store.IMAGES
    for attempt in range(1000):
        suffix = f"-{attempt}" if attempt else ""
        path = (results / name).with_suffix("").with_name(f"{Path(name).stem}{suffix}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.read_bytes() == files[name]:
            return path
        if table in files and not create(path.with_suffix(store.IMAGES), files[table]):
            continue
        if create(path, files[name]):
            return path
    raise BenchError(f"a thousand records called {name} lie in {results} already")

"""Shows that a sweep ends with the same records however it was made: plainly, interrupted and continued, on a cluster.

``python -m bench.devtools.interrupted_sweeps FOLDER`` makes 4 models x 3 losses x 2 seeds on tiny budgets: plainly;
killed by SIGKILL, ended by SIGTERM and by SIGINT, and continued each time; and, with ``--ray``, on a Ray cluster of two
nodes of which one is removed without grace. It prints what differs; exit status 1 if anything does.
"""

from __future__ import annotations

import argparse
import hashlib
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.core.protocol import find_protocol
from bench.devtools.soak.commands import BASE
from bench.devtools.soak.process import finish, start, use_temporary_folder
from bench.results import store
from bench.run.sweep.grid.grid import Grid
from bench.run.sweep.listener import Kept, SweepListener
from bench.run.sweep.sweep import Sweep
from bench.run.sweep.task import DataChoice, Task
from bench.train.checkpoints.checkpoint import load

MODELS = ("unet[width=4]", "unet[width=2]", "twin_unet[width=4]", "masknet")
LOSSES = ("bce_ssim", "mask: bce, depth: l1", "mask: dice + bce, depth: 2*ssim")
SEEDS = 2
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
_HOURS = 4 * 3600.0
_NODE_LEAVES = 0.3
"""Share of the runs that have ended when a node is removed."""


def contents(folder: Path) -> dict[str, dict[str, Any]]:
    """By run everything that must not depend on how it was made: scores, history, per-image table, best weights."""
    import torch

    found = {}
    for name, record in store.read_all(folder / "results"):
        best = load(folder / "runs" / record.id / "best.pt", torch.device("cpu"))["model"]
        weights = hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in best.values()))
        found[record.id] = {
            "outcome": record.outcome,
            "test": {key: score.value for key, score in record.test.items()},
            "epochs": [epoch.model_dump(mode="json") for epoch in record.epochs],
            "images": (folder / "results" / name).with_suffix(store.IMAGES).read_text(),
            "weights": weights.hexdigest(),
        }
    return found


def differences(ours: Mapping[str, Any], others: Mapping[str, Any]) -> Iterator[str]:
    """What differs between two folders' contents, by run."""
    for run in sorted(ours.keys() | others.keys()):
        if run not in ours or run not in others:
            yield f"{run} has a record on one side alone"
        elif ours[run] != others[run]:
            yield f"{run} differs in {', '.join(key for key in ours[run] if ours[run][key] != others[run][key])}"


def words(models: Sequence[str], losses: Sequence[str], seeds: int) -> list[str]:
    """The sweep as a command."""
    grid = [word for model in models for word in ("--model", model)]
    grid += [word for loss in losses for word in ("--loss", loss)]
    options = [word for option in BASE.items() for word in option]
    return ["sweep", *grid, *options, "--seeds", str(seeds), "--threads", "1", "--no-baselines"]


def make(folder: Path, command: Sequence[str]) -> None:
    """Give the command and wait.

    Raises:
        RuntimeError: it did not end well.
    """
    folder.mkdir(parents=True, exist_ok=True)
    process = start(folder, command)
    process.longest = _HOURS
    finish([process])
    if process.status:
        raise RuntimeError(f"exit status {process.status}:\n{process.text}")


def make_interrupted(folder: Path, command: Sequence[str], runs: int) -> list[int]:
    """Give the command once for each of `SIGNALS`, which comes when some runs are recorded, and once more.

    Returns:
        The exit status of each that was interrupted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    statuses = []
    for place, number in enumerate(SIGNALS):
        recorded = runs * (place + 1) // (len(SIGNALS) + 1)
        process = start(folder, command)
        process.longest = _HOURS
        while process.status is None:
            process.step()
            if len([*(folder / "results").glob("*.json")]) > recorded and not process.signals:
                process.signals = [(time.monotonic() - process.began + 0.2, number)]
                finish([process])
            time.sleep(0.02)
        statuses.append(process.status)
    make(folder, command)
    return statuses


class _NodeLeaves(SweepListener):
    """Calls something once when so many runs have ended."""

    def __init__(self, count: int, act: Callable[[], object]) -> None:
        self._count, self._act = count, act

    def ended(self, task: Task, record: Kept, made: bool) -> None:
        self._count -= 1
        if self._count == 0:
            self._act()


def make_on_ray(folder: Path, models: Sequence[str], losses: Sequence[str], seeds: int) -> None:
    """The same on two nodes with a processor each, one of which is removed without grace in the middle."""
    import ray
    from ray.cluster_utils import Cluster

    from bench.run.sweep.executors.ray import RayExecutor

    sizes = {name[2:].replace("-", "_"): int(value) for name, value in BASE.items() if value.isdigit()}
    swept = Sweep(
        Grid(models, losses), DataChoice(), protocol=find_protocol("quick").override(**sizes), seeds=range(seeds),
        device="cpu", precision="float32", baselines=False, threads=1, results=folder / "results",
        runs=folder / "runs",
    )  # fmt: skip
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    node = cluster.add_node(num_cpus=1)
    try:
        ray.init(address=cluster.address, log_to_driver=False)
        count = max(1, int(_NODE_LEAVES * len(swept.plan.left)))
        leaving = _NodeLeaves(count, lambda: cluster.remove_node(node, allow_graceful=False))
        swept.run(leaving, RayExecutor(swept.worker_config(), cluster.address, cpus=1))
    finally:
        ray.shutdown()
        cluster.shutdown()


def compare(
    folder: Path, models: Sequence[str], losses: Sequence[str], seeds: int, on_ray: bool, tell: Callable[[str], object]
) -> list[str]:
    """Make the grid in every way; what differs from the plain one."""
    folder.mkdir(parents=True, exist_ok=True)
    use_temporary_folder(folder)
    command, runs = words(models, losses, seeds), len(models) * len(losses) * seeds
    make(folder / "plain", command)
    plain = contents(folder / "plain")
    tell(f"plain: {len(plain)} of {runs} runs")
    statuses = make_interrupted(folder / "interrupted", command, runs)
    found = [f"interrupted: {each}" for each in differences(plain, contents(folder / "interrupted"))]
    tell(f"interrupted, exit statuses {statuses}, and continued: {len(found)} differences")
    if on_ray:
        make_on_ray(folder / "ray", models, losses, seeds)
        more = [f"on Ray: {each}" for each in differences(plain, contents(folder / "ray"))]
        tell(f"on Ray with two nodes, one removed: {len(more)} differences")
        found += more
    return found + ([] if len(plain) == runs else [f"plain: {len(plain)} records of {runs} runs"])


def main() -> int:
    """Make the grid and print what differs."""
    parser = argparse.ArgumentParser(prog="python -m bench.devtools.interrupted_sweeps", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ray", action="store_true", help="also on a Ray cluster of two nodes on this machine")
    given = parser.parse_args()
    found = compare(given.folder.absolute(), MODELS, LOSSES, SEEDS, given.ray, lambda line: print(line, flush=True))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

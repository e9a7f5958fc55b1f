"""Ray: the same records as a plain sweep, on two nodes of which one is removed without grace in the middle."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.results import store
from bench.run.sweep.executors.remote import collect, read, write
from bench.run.sweep.listener import SweepListener
from tests.bench.run.sweep.made_up import small_sweep
from tests.bench.run.sweep.outcomes import outcomes

MODELS = ("unet[width=4]", "masknet")


class KillNode(SweepListener):
    """Removes a node once two runs have ended."""

    def __init__(self, cluster: Any, node: Any) -> None:
        self.cluster, self.node, self.ended_runs = cluster, node, 0

    def ended(self, task, record, made: bool) -> None:
        self.ended_runs += 1
        if self.ended_runs == 2 and self.node is not None:
            self.cluster.remove_node(self.node, allow_graceful=False)
            self.node = None


@pytest.mark.extra
@pytest.mark.timeout(900)
def test_two_nodes_and_one_removed_give_the_records_of_a_plain_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "600")  # a busy machine takes its time
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    from bench.run.sweep.executors.ray import RayExecutor

    changes = {"train_samples": 8 * 10}
    small_sweep(tmp_path / "plain", *MODELS, seeds=[0, 1, 2], changes=changes).run()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    second = cluster.add_node(num_cpus=1)
    try:
        ray.init(address=cluster.address, log_to_driver=False)
        swept = small_sweep(tmp_path / "ray", *MODELS, seeds=[0, 1, 2], changes=changes)
        listener = KillNode(cluster, second)
        scheduler = swept.run(listener, RayExecutor(swept.worker_config(), cluster.address, cpus=1))
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert listener.node is None
    assert [record.outcome for record in scheduler.records.values()] == ["finished"] * 6
    assert outcomes(tmp_path / "ray") == outcomes(tmp_path / "plain")
    assert len(store.read_all(tmp_path / "ray/results")) == 6
    for key in scheduler.records:
        assert (tmp_path / "ray/runs" / key / "best.pt").exists()


@pytest.mark.extra
@pytest.mark.timeout(900)
def test_the_command_starts_ray_on_this_machine_and_keeps_the_records_here(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    tiny = ["--epochs=1", "--train-samples=32", "--val-samples=8", "--test-samples=8", "--size=16", "--no-baselines"]
    words = ["sweep", "--engine=ray", "--cpus-per-run=1", "--model=masknet", "--loss=bce", "--seeds=2", "--device=cpu"]
    python = [sys.executable, "-m", "bench"]
    environment = {**os.environ, "RAY_raylet_start_wait_time_s": "600"}
    done = subprocess.run(
        [*python, *words, *tiny], cwd=tmp_path, capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kept = store.read_all(tmp_path / "results")
    assert sorted(record.spec.seed for _, record in kept) == [0, 1]
    again = subprocess.run([*python, *words, *tiny], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.returncode == 0
    assert "2 done already" in again.stdout


def test_files_go_there_and_back(tmp_path: Path) -> None:
    write(tmp_path / "a", {"x/best.pt": b"1", "x/deep/y.txt": b"2", "x/lock": b""})
    found = read(tmp_path / "a", tmp_path / "a/x")
    assert found == {"x/best.pt": b"1", "x/deep/y.txt": b"2"}


def test_a_record_that_is_there_already_is_not_kept_twice(tmp_path: Path) -> None:
    files = {"unet_s0.json": b"{}", "unet_s0.images.csv": b"a"}
    assert collect(tmp_path, files) == collect(tmp_path, files) == tmp_path / "unet_s0.json"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["unet_s0.images.csv", "unet_s0.json"]
    other = collect(tmp_path, {"unet_s0.json": b"{ }", "unet_s0.images.csv": b"b"})
    assert other == tmp_path / "unet_s0-1.json"
    assert other.with_suffix(store.IMAGES).read_bytes() == b"b"
    assert collect(tmp_path, {}) is None

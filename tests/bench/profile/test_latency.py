"""Latency at batch 1: measured in turn, kept by machine, model and size; a damaged file is measured anew."""

from pathlib import Path

import pytest
import torch

from bench.core.errors import BenchError
from bench.profile import latency
from bench.profile.latency import latencies
from tests.bench.records import record

CPU = torch.device("cpu")


def test_measured_once_and_kept(tmp_path: Path) -> None:
    specs = [record(model=model).spec for model in ("unet[width=4]", "unet[width=16]", "unet[width=4]")]
    small, large, again = latencies(specs, CPU, tmp_path, seconds=0.1)
    assert small == again
    assert 0 < small.low <= small.ms <= small.high
    assert large.peak_mib > small.peak_mib > 0
    assert len(list(tmp_path.glob("*.json"))) == 2
    assert latencies(specs, CPU, tmp_path) == [small, large, again]
    for path in tmp_path.glob("*.json"):
        path.write_text("{")
    assert latencies(specs[:1], CPU, tmp_path, seconds=0.1)[0].key == small.key


def test_memory_is_the_weights_the_pair_and_what_the_pass_holds(tmp_path: Path) -> None:
    (found,) = latencies([record(model="unet[width=4]").spec], CPU, tmp_path, seconds=0.1)
    from registry.models import models

    weights = sum(p.numel() * 4 for p in models.build("unet[width=4]").parameters()) / 2**20
    pair = 2 * 3 * 64 * 64 * 4 / 2**20
    assert weights + pair < found.peak_mib < 4 * (weights + pair) + 2


def test_another_size_is_another_measurement(tmp_path: Path) -> None:
    one = record(model="unet[width=4]").spec
    other = one.model_copy(update={"protocol": one.protocol.override(size=32)})
    found = latencies([one, other], CPU, tmp_path, seconds=0.1)
    assert found[0].key != found[1].key
    assert found[1].peak_mib < found[0].peak_mib == pytest.approx(found[0].peak_mib)


def test_a_folder_that_keeps_nothing_is_found_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = [record(model="unet[width=4]").spec]
    with monkeypatch.context() as patched:
        patched.setattr(latency, "_measure", lambda *given: pytest.fail("measured"))
        with pytest.raises(BenchError, match=r"--runs: cannot write /proc/nowhere: .* with --runs, or .* --no-measure"):
            latencies(specs, CPU, Path("/proc/nowhere"))
    known = latencies(specs, CPU, tmp_path, seconds=0.1)
    monkeypatch.setattr(latency.files, "check_folder", lambda *given: pytest.fail("nothing is to be kept"))
    assert latencies(specs, CPU, tmp_path) == known

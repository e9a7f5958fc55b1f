"""Fingerprints: of a CPU everything, of a GPU what decides its pace; devices have their number; precisions exist."""

import pytest
import torch

from bench.core.environment import Environment
from bench.core.errors import BenchError
from bench.core.machine import environment, pick_device, pick_precision

CARD = Environment(
    device="NVIDIA H200",
    processor="AMD EPYC",
    cores=16,
    threads=8,
    memory_gib=128,
    gpu_memory_gib=140,
    system="Linux x86_64",
    python="3.12.3",
    instructions="AVX512",
    cuda="13.0",
    packages={"torch": "2.11.0"},
    driver="580.159.04",
    cudnn="91300",
)


@pytest.mark.parametrize("change", [{"memory_gib": 64}, {"threads": 2}, {"cores": 4}, {"processor": "Intel Xeon"}])
def test_one_card_in_two_hosts_is_one_machine(change: dict[str, object]) -> None:
    assert CARD.model_copy(update=change).fingerprint == CARD.fingerprint


@pytest.mark.parametrize("change", [{"device": "NVIDIA H100"}, {"driver": "570.1"}, {"cudnn": "9"}, {"cuda": "12.8"}])
def test_another_card_or_its_software_is_another_machine(change: dict[str, object]) -> None:
    assert CARD.model_copy(update=change).fingerprint != CARD.fingerprint


def test_of_a_processor_threads_and_memory_count() -> None:
    here = environment(torch.device("cpu"))
    assert (here.driver, here.cudnn) == (None, None)
    assert here.model_copy(update={"threads": here.threads + 1}).fingerprint != here.fingerprint
    assert here.model_copy(update={"memory_gib": 1}).fingerprint != here.fingerprint


def test_a_device_without_a_number_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(torch, "empty", lambda *_, **__: None)
    assert pick_device("cuda") == pick_device("auto") == torch.device("cuda", 1)
    assert pick_device("cuda:3") == torch.device("cuda", 3)
    assert chosen == [torch.device("cuda", 1), torch.device("cuda", 1), torch.device("cuda", 3)]


def test_tf32_needs_tensor_cores() -> None:
    with pytest.raises(BenchError, match="tensor cores"):
        pick_precision(torch.device("cpu"), "tf32")
    with pytest.raises(BenchError, match="float32, bfloat16, tf32"):
        pick_precision(torch.device("cpu"), "float17")

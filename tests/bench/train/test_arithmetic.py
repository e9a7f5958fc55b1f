"""The digest of the arithmetic: the same for the same bits, another for other bits, and nothing is drawn or changed."""

import os
import subprocess
import sys

import pytest
import torch

from bench.core.machine import environment
from bench.train import arithmetic as arithmetic_module
from bench.train.arithmetic import _digest, arithmetic

CPU = torch.device("cpu")


def test_the_same_again_and_another_in_another_precision() -> None:
    first = arithmetic(CPU, "float32")
    _digest.cache_clear()
    assert arithmetic(CPU, "float32") == first
    assert arithmetic(CPU, "bfloat16") != first
    assert len(first) == 12


def test_it_leaves_the_random_state_and_grad_mode_alone() -> None:
    _digest.cache_clear()
    before = torch.get_rng_state()
    with torch.no_grad():
        arithmetic(CPU, "float32")
    assert torch.equal(torch.get_rng_state(), before)


def test_one_bit_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = arithmetic(CPU, "float32")
    monkeypatch.setattr(arithmetic_module, "_bits", lambda *_: [torch.zeros(1)])
    _digest.cache_clear()
    assert arithmetic(CPU, "float32") != before
    monkeypatch.undo()
    _digest.cache_clear()


@pytest.mark.skipif("AVX512" not in torch.backends.cpu.get_cpu_capability(), reason="needs two instruction sets")
def test_other_instructions_under_the_same_names_are_another_arithmetic() -> None:
    code = (
        "import torch; from bench.train.arithmetic import arithmetic; print(arithmetic(torch.device('cpu'), 'float32'))"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() != arithmetic(CPU, "float32")


def test_on_a_gpu_names_decide_as_its_bits_change_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """cuDNN's trials end otherwise in another process: seeds of a row would never come together."""
    facts = {"device": "NVIDIA H200", "cuda": "13.0", "cudnn": "91900"}
    here = environment(CPU)

    def digest(**changes: str) -> str:
        _digest.cache_clear()
        where = here.model_copy(update={**facts, **changes})
        monkeypatch.setattr(arithmetic_module, "environment", lambda device: where)
        return _digest(torch.device("cuda", 0), "bfloat16", 1)

    monkeypatch.setattr(arithmetic_module, "_bits", lambda *_: pytest.fail("bits of a GPU were looked at"))
    first = digest()
    assert digest() == first
    assert len({first, digest(device="NVIDIA H100"), digest(cuda="12.8"), digest(cudnn="91800")}) == 4
    _digest.cache_clear()

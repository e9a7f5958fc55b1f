"""The default precision and memory format: a rule, with oneDNN's own answer on a CPU."""

import os
import subprocess
import sys

import pytest
import torch

from bench.core import machine
from bench.core.errors import BenchError
from bench.core.machine import environment, pick_memory_format, pick_precision

CPU = torch.device("cpu")
VERBOSE = "onednn_verbose,v1,primitive,exec,cpu,convolution,{},forward_training,src:bf16::blocked:acdb::f0,1.5\n"


def in_a_process_of_its_own(**variables: str) -> str:
    code = "import torch; from bench.core.machine import pick_precision; print(pick_precision(torch.device('cpu')))"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **variables}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_without_avx512_in_onednn_it_is_float32() -> None:
    assert in_a_process_of_its_own(ONEDNN_MAX_CPU_ISA="AVX2") == "float32"


@pytest.mark.parametrize(
    ("implementation", "native"),
    [
        ("jit_bf16:avx512_core", False),  # by conversion to float32
        ("jit_bf16:avx512_core_bf16", True),
        ("brgconv:avx512_core_amx", True),
        ("brg_conv_fwd:avx10_1_512_amx", True),
        ("brgconv:avx2_vnni_2", True),
        ("gemm:jit", False),
    ],
)
def test_bfloat16_is_native_where_onednn_does_not_convert(
    monkeypatch: pytest.MonkeyPatch, implementation: str, native: bool
) -> None:
    monkeypatch.setattr(machine, "_verbose_convolution", lambda: VERBOSE.format(implementation))
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    monkeypatch.setattr(machine.platform, "machine", lambda: "x86_64")
    assert machine._onednn_has_bfloat16.__wrapped__() is native


def test_asking_onednn_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    machine._verbose_convolution()
    assert capfd.readouterr().out == ""


def test_what_is_asked_for_is_taken() -> None:
    assert [pick_precision(CPU, name) for name in ("float32", "bfloat16")] == ["float32", "bfloat16"]
    assert [pick_memory_format(name) for name in ("auto", "contiguous")] == ["channels_last", "contiguous"]


def test_names_that_do_not_exist() -> None:
    with pytest.raises(BenchError, match="auto, float32, bfloat16"):
        pick_precision(CPU, "float16")
    with pytest.raises(BenchError, match="channels_last or contiguous"):
        pick_memory_format("NHWC")


def test_the_environment_names_whatever_can_change_a_number() -> None:
    assert {"torch", "numpy", "pillow", "torchmetrics", "scipy", "timm"} <= set(environment(CPU).packages)

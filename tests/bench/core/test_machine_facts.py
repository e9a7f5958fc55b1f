"""What a machine is like: read from the system's own files where there are any, by stand-ins where it has none."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest
import torch

from bench.core import machine
from bench.core.errors import BenchError
from bench.core.float32 import choose_float32, float32_choices

CPU, CARD = torch.device("cpu"), torch.device("cuda", 0)


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Lets a test say what the system's files hold; what it does not say does not exist."""
    files: dict[str, str] = {}

    def place(name: str) -> Path:
        path = tmp_path / name.strip("/").replace("/", "_")
        if name in files:
            path.write_text(files[name])
        return path

    monkeypatch.setattr(machine, "Path", place)
    return files


@pytest.mark.parametrize(
    ("content", "free"),
    [
        ("MemTotal: 9 kB\nMemAvailable:    2048 kB\n", 2048 * 1024),
        ("MemAvailable: 99999999 kB\n", 4 * 2**30),
        ("MemFree: 77 kB\n", 2**30),
        ("", 2**30),
        (None, 2**30),
    ],
)
def test_free_memory_of_a_cpu_is_what_is_available_and_at_most_4_gib(
    system: dict[str, str], content: str | None, free: int
) -> None:
    if content is not None:
        system["/proc/meminfo"] = content
    assert machine.free_bytes(CPU) == free


def test_free_memory_of_a_card_counts_what_torch_holds_and_does_not_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 700)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 200)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 9000))
    assert machine.free_bytes(CARD) == 1500


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("processor\t: 0\nmodel name\t: AMD EPYC 9B14: 2.6 GHz\nmodel name\t: other\n", "AMD EPYC 9B14: 2.6 GHz"),
        ("processor: 0\n", "by its platform"),
        (None, "by its platform"),
    ],
)
def test_the_processors_name(
    system: dict[str, str], monkeypatch: pytest.MonkeyPatch, content: str | None, name: str
) -> None:
    if content is not None:
        system["/proc/cpuinfo"] = content
    monkeypatch.setattr(machine.platform, "processor", lambda: "by its platform")
    assert machine._processor.__wrapped__() == name
    monkeypatch.setattr(machine.platform, "processor", lambda: "")
    monkeypatch.setattr(machine.platform, "machine", lambda: "riscv64")
    assert machine._processor.__wrapped__() == (name if "EPYC" in name else "riscv64")


VERSION = "/proc/driver/nvidia/version"


@pytest.mark.parametrize(
    "line",
    [
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.159.04  Tue Mar 12 2:46:41 UTC 2026",
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build  (dvs@host)",
        "NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  580.159.04  Release Build",
    ],
)
def test_the_drivers_version_by_the_kernel_module(system: dict[str, str], line: str) -> None:
    """Not the 86 of x86_64, which stood for every driver of open kernel modules."""
    system[VERSION] = f"{line}\nGCC version:  gcc version 12.2.0 (Debian)\n"
    assert machine._driver() == "580.159.04"


@pytest.mark.parametrize(
    ("answer", "version"), [("570.1", "570.1"), (b"570.1", "570.1"), (RuntimeError("no NVML"), "unknown")]
)
def test_the_drivers_version_by_nvml(
    system: dict[str, str], monkeypatch: pytest.MonkeyPatch, answer: object, version: str
) -> None:
    def ask() -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    nvml = types.SimpleNamespace(nvmlInit=lambda: None, nvmlSystemGetDriverVersion=ask)
    monkeypatch.setattr(machine, "import_module", lambda name: nvml)
    assert machine._driver() == version


def test_without_nvml_nothing_is_known_of_the_driver(system: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert machine._driver() == "unknown"


@pytest.mark.parametrize("name", ["gpu", "mps", "cpus", "", "cuda0", "CPU"])
def test_devices_that_there_are_not(name: str) -> None:
    with pytest.raises(BenchError, match="choose auto, cpu, cuda, cuda:1"):
        machine.pick_device(name)


@pytest.mark.parametrize("name", ["cuda:99", "cuda:x", "cuda:"])
def test_a_card_that_torch_cannot_use_is_refused_with_the_way_out(name: str) -> None:
    with pytest.raises(BenchError, match=r"cannot be used here: [^\n]+; try --device cpu$"):
        machine.pick_device(name)


def test_auto_is_the_cpu_without_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert machine.pick_device() == machine.pick_device("auto") == CPU


@pytest.mark.parametrize(("capability", "has"), [((7, 5), False), ((8, 0), True), ((9, 0), True), ((12, 0), True)])
def test_tf32_is_for_tensor_cores(monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], has: bool) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    if has:
        assert machine.pick_precision(CARD, "tf32") == "tf32"
    else:
        with pytest.raises(BenchError, match="take float32"):
            machine.pick_precision(CARD, "tf32")


@pytest.mark.parametrize("native", [True, False])
def test_auto_precision_of_a_card_is_what_it_computes_in_without_emulation(
    monkeypatch: pytest.MonkeyPatch, native: bool
) -> None:
    def supported(including_emulation: bool) -> bool:
        assert not including_emulation
        return native

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert machine.pick_precision(CARD) == ("bfloat16" if native else "float32")


@pytest.fixture
def backends():
    """What is set here is what it was before, afterwards."""
    kept = torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    choices = float32_choices()
    yield torch.backends
    torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = kept
    choose_float32(choices)


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "tf32"])
def test_float32_means_float32_unless_it_is_tf32(backends, precision: str) -> None:
    machine.steady_arithmetic(precision)  # type: ignore[arg-type]
    assert backends.cudnn.allow_tf32 == backends.cuda.matmul.allow_tf32 == (precision == "tf32")
    assert backends.cudnn.benchmark


@pytest.mark.parametrize("choice", ["tf32", "ieee"])
@pytest.mark.parametrize("precision", ["float32", "tf32"])
def test_what_holds_for_all_libraries_is_no_precision_of_a_run(backends, precision: str, choice: str) -> None:
    backends.fp32_precision = choice
    machine.steady_arithmetic(precision)  # type: ignore[arg-type]
    found = dict(float32_choices())
    operations = [found["cuda", operation] for operation in ("conv", "rnn", "matmul")]
    assert operations == ["tf32" if precision == "tf32" else "ieee"] * 3


@pytest.mark.parametrize("before", [True, False])
def test_rare_shapes_are_not_tried_and_the_choice_is_restored(backends, before: bool) -> None:
    backends.cudnn.benchmark = before
    with pytest.raises(RuntimeError), machine.untried_shapes():
        assert not backends.cudnn.benchmark
        raise RuntimeError
    assert backends.cudnn.benchmark is before


@pytest.mark.parametrize(("here", "supported", "native"), [(False, True, False), (True, False, False)])
def test_without_onednn_there_is_no_native_bfloat16(
    monkeypatch: pytest.MonkeyPatch, here: bool, supported: bool, native: bool
) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: here)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: supported)
    assert machine._onednn_has_bfloat16.__wrapped__() is native


def test_on_other_processors_torchs_word_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    monkeypatch.setattr(machine.platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(machine, "_verbose_convolution", lambda: pytest.fail("asked"))
    assert machine._onednn_has_bfloat16.__wrapped__() is True


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "onednn_verbose,v1,info,oneDNN v3.7\n",
        "onednn_verbose,v1,primitive,exec,cpu,convolution,jit_bf16:avx512_core_bf16,x\n"
        "onednn_verbose,v1,primitive,exec,cpu,convolution,gemm:ref,x\n",
    ],
    ids=["silent", "no convolution", "one of two"],
)
def test_bfloat16_is_not_native_unless_every_convolution_says_so(monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    monkeypatch.setattr(machine.platform, "machine", lambda: "AMD64")
    monkeypatch.setattr(machine, "_verbose_convolution", lambda: lines)
    assert machine._onednn_has_bfloat16.__wrapped__() is False


def test_packages_that_are_not_installed_have_no_version() -> None:
    assert machine.package_version.__wrapped__("a-package-that-there-is-not") is None
    assert machine.package_version.__wrapped__("torch") == torch.__version__.partition("+")[0]

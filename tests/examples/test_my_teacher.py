"""The teacher of `examples/my_teacher.py`, with the library that it calls and without."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from bench.core.errors import BenchError
from bench.data.stored.teacher.teacher import load_teacher

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Where the network lies; the example is imported anew."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.delitem(sys.modules, "my_teacher", raising=False)
    monkeypatch.setenv("MY_TEACHER", str(tmp_path / "depth.onnx"))
    yield tmp_path / "depth.onnx"
    sys.modules.pop("my_teacher", None)


def test_it_is_a_teacher(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a library that answers the mean of the normalised channels."""

    class Session:
        def __init__(self, path: str, providers: list[str]) -> None:
            assert Path(path) == file

        def get_inputs(self) -> list[SimpleNamespace]:
            return [SimpleNamespace(name="pixels")]

        def run(self, outputs: None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
            assert inputs["pixels"].shape[1:] == (3, 256, 256)
            return [inputs["pixels"].mean(1, keepdims=True)]

    library = ModuleType("onnxruntime")
    library.InferenceSession = Session  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "onnxruntime", library)
    file.write_bytes(b"weights")
    teacher = load_teacher("my_teacher:depth")
    assert teacher.unit == "inverse"
    assert teacher.predict(torch.rand(2, 3, 64, 64)).shape == (2, 256, 256)
    file.write_bytes(b"others")
    assert load_teacher("my_teacher:depth").digest != teacher.digest


def test_without_its_file_it_is_refused(file: Path) -> None:
    with pytest.raises(BenchError, match=r"No such file .*depth.onnx"):
        load_teacher("my_teacher:depth")


@pytest.mark.extra
def test_a_network_in_the_format(file: Path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install '.[teacher]'")
    onnx = pytest.importorskip("onnx", reason="onnx, which writes the file, is not installed")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    shapes = ("x", ["b", 3, 256, 256]), ("y", ["b", 1, 256, 256])
    ends = [helper.make_tensor_value_info(name, kind, shape) for name, shape in shapes]
    axes = helper.make_tensor("axes", onnx.TensorProto.INT64, [1], [1])
    mean = helper.make_node("ReduceMean", ["x", "axes"], ["y"], keepdims=1)
    graph = helper.make_graph([mean], "mean", ends[:1], ends[1:], [axes])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), file)
    example = importlib.import_module("my_teacher")
    pictures = torch.rand(2, 3, 256, 256)
    mean, std = (torch.tensor(values)[:, None, None] for values in (example.MEAN, example.STD))
    assert torch.allclose(example.depth(pictures), ((pictures - mean) / std).mean(1), atol=1e-5)

"""Depth models as the real library saves them: small, randomly initialised, never downloaded."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from bench.core.errors import BenchError
from bench.data.stored.source import Stored
from bench.data.stored.teacher.teacher import load_teacher

pytestmark = pytest.mark.extra


@pytest.fixture
def transformers():
    return pytest.importorskip("transformers", reason="transformers is not installed: pip install '.[teacher]'")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given, **named):
        raise AssertionError("something is downloaded")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def saved(transformers, folder: Path, kind: str) -> Path:
    """A network of that kind with random weights, and its picture processor."""
    torch.manual_seed(0)
    if kind == "glpn":
        config = transformers.GLPNConfig(
            num_encoder_blocks=4,
            depths=[1] * 4,
            hidden_sizes=[8, 8, 16, 16],
            num_attention_heads=[1, 1, 2, 2],
            decoder_hidden_size=8,
        )
        network, processor = transformers.GLPNForDepthEstimation(config), transformers.GLPNImageProcessor()
    else:
        backbone = transformers.Dinov2Config(
            hidden_size=16,
            num_hidden_layers=4,
            num_attention_heads=2,
            image_size=56,
            patch_size=14,
            out_indices=[1, 2, 3, 4],
            reshape_hidden_states=False,
            apply_layernorm=True,
        )
        config = transformers.DepthAnythingConfig(
            backbone_config=backbone,
            reassemble_hidden_size=16,
            neck_hidden_sizes=[8, 8, 8, 8],
            fusion_hidden_size=8,
            patch_size=14,
            depth_estimation_type="metric" if kind == "metric" else "relative",
            max_depth=20 if kind == "metric" else 1,
        )
        network = transformers.DepthAnythingForDepthEstimation(config)
        processor = transformers.DPTImageProcessor(
            size={"height": 56, "width": 56}, ensure_multiple_of=14, keep_aspect_ratio=True
        )
    network.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("kind", "unit"), [("relative", "inverse"), ("metric", "m"), ("glpn", "m")])
def test_a_saved_network_predicts_what_the_library_says(transformers, tmp_path: Path, kind: str, unit: str) -> None:
    folder = saved(transformers, tmp_path / "model", kind)
    teacher = load_teacher(str(folder))
    assert teacher.unit == unit
    assert teacher.name == "model"
    pictures = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    found = teacher.predict(pictures)
    assert found.shape == (2, 64, 64)
    network = transformers.AutoModelForDepthEstimation.from_pretrained(folder, local_files_only=True).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True)
    images = [(image * 255).round().byte().permute(1, 2, 0).numpy() for image in pictures]
    with torch.no_grad():
        expected = network(**processor(images=images, return_tensors="pt")).predicted_depth
    expected = functional.interpolate(expected[:, None], (64, 64), mode="bicubic", align_corners=False)[:, 0]
    correlation = np.corrcoef(found.flatten(), expected.flatten())[0, 1]
    assert correlation > 0.98


def test_it_serves_a_set(transformers, folder, tmp_path: Path) -> None:
    model = saved(transformers, tmp_path / "model", "relative")
    options = {"split": "shared", "packed": tmp_path / "packed", "depth_model": str(model)}
    source = Stored(folder.root, **options)
    quartet = source.render("train", torch.arange(4), 64)
    quartet.check()
    flat = quartet.depth.flatten(1)
    assert torch.equal(flat.amax(1), torch.ones(4))
    assert torch.equal(flat.amin(1), torch.zeros(4))
    assert "inverse, per image from farthest to nearest, predicted by model" in source.encoding
    moved = tmp_path / "elsewhere/model"
    moved.parent.mkdir()
    model.rename(moved)
    assert Stored(folder.root, **{**options, "depth_model": str(moved)}).describe() == source.describe()
    saved(transformers, tmp_path / "other/model", "metric")
    other = Stored(folder.root, **{**options, "depth_model": str(tmp_path / "other/model")})
    assert other.describe()["teacher"]["digest"] != source.describe()["teacher"]["digest"]


@pytest.mark.parametrize("lacks", ["config.json", "model.safetensors", "preprocessor_config.json"])
def test_without_its_files_it_is_refused_and_nothing_downloaded(transformers, tmp_path: Path, lacks: str) -> None:
    folder = saved(transformers, tmp_path / "model", "relative")
    (folder / lacks).unlink()
    with pytest.raises(BenchError, match=r"no config.json|cannot be loaded: .*nothing is downloaded"):
        load_teacher(str(folder))

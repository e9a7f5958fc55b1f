"""The test class that every registered model passes, its variants and a sample of smp combinations too."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator
from contextlib import suppress

import pytest
import torch

from bench.audit.conformance import Check, NotApplicable
from bench.audit.conformance.model import CHECKS
from bench.audit.conformance.model_plugin import ModelPlugin, images
from registry.contract import Model
from registry.models import models

VARIANTS = [
    "ugent_unet[depth_channels=3,twin=true]",
    "custom_unet[depth_channels=3,twin=true]",
    "dilated_shuffle[fixed=true]",
    "depthmasknet[as_published=true]",
    "twin_unet[dropout=0,width=8]",
    "unet[width=8]",
]
SMP = [
    "smp/fpn/tu-mobilenetv3_small_100",
    "smp/pspnet/resnet18",
    "smp/segformer/mit_b0",
    "smp/upernet/tu-convnext_atto",
    "smp/deeplabv3plus/tu-resnet18",
]
KEYS = [*models.names(), *VARIANTS, *SMP]


@functools.cache
def plugin(key: str) -> ModelPlugin:
    return ModelPlugin(key, functools.partial(models.build, key))


def facts(key: str) -> dict[str, object]:
    return dict(models.resolve(key)[0].facts)


@pytest.fixture(scope="module", autouse=True)
def forget() -> Iterator[None]:
    yield
    plugin.cache_clear()


@pytest.mark.parametrize("key", KEYS)
class TestEveryModel:
    @pytest.mark.parametrize("check", [check for check in CHECKS if check.grade == "broken"], ids=lambda c: c.name)
    def test_conforms(self, key: str, check: Check[ModelPlugin]) -> None:
        with suppress(NotApplicable):
            check(plugin(key))

    def test_is_what_its_facts_say(self, key: str) -> None:
        model, known = plugin(key).model.eval(), facts(key)
        assert isinstance(model, Model)
        assert models.resolve(key)[0].summary.endswith(".")
        assert known["source"]
        assert known.get("stride", model.stride) == model.stride
        assert models.canonical(key) == key
        assert all(p.requires_grad for p in model.parameters())
        with torch.no_grad():
            prediction = model(*images(1, model.stride, model.stride))
        assert [name for name, _ in prediction.heads()] == list(known["heads"])
        if known.get("fitted"):
            assert model.blocks() == {}
            assert not list(model.parameters())

    def test_names_the_multiple_that_it_takes(self, key: str) -> None:
        model = plugin(key).model.eval()
        if model.stride > 1:
            with pytest.raises(ValueError, match=f"multiples of {model.stride}, not"):
                model(*images(1, model.stride, model.stride + 1))


PUBLISHED = [(key, count) for name in models.names() for key, count in facts(name).get("parameters", {}).items()]


def test_every_published_system_gives_its_count() -> None:
    assert {key.partition("[")[0] for key, _ in PUBLISHED} == {
        "unet_mask", "unet_depth", "wnet", "ugent_unet", "ugent_unet_wide", "carvana_unet", "custom_unet",
        "dilated_shuffle", "twin_unet", "masknet", "depthmasknet",
    }  # fmt: skip


@pytest.mark.parametrize(("key", "count"), PUBLISHED)
def test_published_count_is_met_exactly(key: str, count: int) -> None:
    with torch.device("meta"):
        model = models.build(key)
    assert sum(p.numel() for p in model.parameters()) == count


def test_index_names_what_the_modules_register() -> None:
    index = dict(models._modules)
    for module in set(index.values()):
        importlib.import_module(module)
    registered = {name: entry.build.__module__ for name, entry in models._entries.items() if name in models.names()}
    assert registered == index
    assert models.families() == ["smp/"]

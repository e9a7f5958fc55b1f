"""A model in a memory format gets its images in it, so that its convolutions run in it."""

import pytest
import torch
from torch import nn

from bench.core.spec import MemoryFormat
from bench.train.assemble import place
from registry.contract import Quartet
from registry.models import models

FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}


@pytest.mark.parametrize("memory_format", FORMATS)
def test_weights_and_activations_lie_as_asked(quartet: Quartet, memory_format: MemoryFormat) -> None:
    model = place(models.build("unet[width=4]"), memory_format, torch.device("cpu"))
    seen: list[torch.Tensor] = []
    convolution = next(one for one in model.modules() if isinstance(one, nn.Conv2d))
    convolution.register_forward_hook(lambda module, given, made: seen.append(made))
    model(*(image.contiguous(memory_format=torch.channels_last) for image in (quartet.bg, quartet.bg_fg)))
    other = FORMATS["contiguous" if memory_format == "channels_last" else "channels_last"]
    for tensor in (convolution.weight, *seen):
        assert tensor.is_contiguous(memory_format=FORMATS[memory_format])
        assert not tensor.is_contiguous(memory_format=other)


def test_the_state_is_the_models_own() -> None:
    model = place(models.build("unet[width=4]"), "contiguous", torch.device("cpu"))
    models.build("unet[width=4]").load_state_dict(model.state_dict())

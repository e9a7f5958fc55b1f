"""What torch's libraries make of float32: IEEE's, or shorter numbers that take less time, by library and operation."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import torch

_LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "generic": ("all",),
    "cuda": ("all", "conv", "rnn", "matmul"),
    "mkldnn": ("all", "conv", "rnn", "matmul"),
}
"""Of a library that nothing was said of, ``all`` counts; of ``all``, what ``generic`` says."""
_ON_CUDA = tuple(("cuda", operation) for operation in ("conv", "rnn", "matmul"))

Choice = tuple[tuple[str, str], str]
"""A library and its operation, and what it makes of float32."""


def float32_choices() -> tuple[Choice, ...]:
    """What holds now, the general first; nothing where torch has no such choice.

    The attributes ``fp32_precision`` of `torch.backends` read and set the same, but some of them a wider choice than
    their name says.
    """
    found = []
    with suppress(AttributeError, RuntimeError):
        for library, operations in _LIBRARIES.items():
            for operation in operations:
                found.append(((library, operation), torch._C._get_fp32_precision_getter(library, operation)))
    return tuple(found)


def choose_float32(choices: tuple[Choice, ...]) -> None:
    """Let these hold, in their order; to be called after what sets the same in torch's older way."""
    for (library, operation), choice in choices:
        with suppress(AttributeError, RuntimeError):
            torch._C._set_fp32_precision_setter(library, operation, choice)


def float32_on_cuda(choice: str) -> None:
    """``ieee`` or ``tf32`` for every operation of CUDA's libraries, whatever holds for all libraries."""
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = choice == "tf32"
    choose_float32(tuple((place, choice) for place in _ON_CUDA))

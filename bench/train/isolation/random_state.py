"""The global random states that a run, and what its plug-ins draw, depend on: torch's, numpy's and Python's own."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def seed_all(seed: int) -> None:
    """Seed torch on all devices, numpy's global generator and `random`."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def random_state(device: torch.device) -> dict[str, Any]:
    """All states as tensors and plain data, for a checkpoint."""
    kind, keys, position, has_gauss, gauss = np.random.get_state()
    version, words, spare = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        "numpy": [str(kind), torch.from_numpy(np.asarray(keys).astype(np.int64)), position, has_gauss, gauss],
        "python": [version, list(words), spare],
    }


def restore_random_state(state: dict[str, Any], device: torch.device) -> None:
    """Go on where `random_state` was taken.

    Raises:
        KeyError, TypeError, ValueError: it is no such state.
    """
    torch.set_rng_state(state["torch"].cpu())
    if state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"].cpu(), device)
    kind, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((kind, keys.cpu().numpy().astype(np.uint32), position, has_gauss, gauss))
    version, words, spare = state["python"]
    random.setstate((version, tuple(words), spare))


@contextmanager
def kept_random_state(device: torch.device) -> Iterator[None]:
    """Whatever is drawn within, draws outside go on as if it had not been."""
    before = random_state(device)
    try:
        yield
    finally:
        restore_random_state(before, device)


def reseeded_by(work: Callable[[], object], device: torch.device) -> list[str]:
    """Names of the generators that some work sets to a state of its own, whatever their state was before.

    Draws are no such thing: they go on from where a generator was, and two seeds stay two. The states are put back.
    """
    with kept_random_state(device):
        after = []
        for seed in (1, 2):
            seed_all(seed)
            work()
            after.append(random_state(device))
    generators = {"torch": ("torch", "cuda"), "numpy": ("numpy",), "random": ("python",)}
    return [
        name
        for name, parts in generators.items()
        if any(after[0][part] is not None and _same(after[0][part], after[1][part]) for part in parts)
    ]


def drawn_from(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Names of the generators on the CPU whose `random_state` is another than before."""
    parts = {"torch": "torch", "numpy": "numpy", "random": "python"}
    return [name for name, part in parts.items() if not _same(before[part], after[part])]


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, list):
        return len(first) == len(second) and all(map(_same, first, second))
    return bool(first == second)

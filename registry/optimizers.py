"""Optimizers by key, parameters in brackets: ``sgd[lr=0.1,momentum=0.9]``. Importing this does not import torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from registry.ranges import above, below, between
from registry.registry import Registry

if TYPE_CHECKING:
    from torch.nn import Parameter
    from torch.optim import Optimizer

MakeOptimizer = Callable[[Iterable["Parameter"]], "Optimizer"]
"""Parameters to their optimizer."""

optimizers: Registry[MakeOptimizer] = Registry(
    "optimizer",
    "bench list optimizers",
    "maskdepth_bench.optimizers",
    "registry.optimizers:optimizers",
    makes="collections.abc:Callable",
)

_RATE, _SHARE, _DECAY = above(0, 1000), below(1), between(0, 100)


@optimizers.register(ranges={"lr": _RATE, "weight_decay": _DECAY, "beta1": _SHARE, "beta2": _SHARE})
def adam(lr: float = 0.001, weight_decay: float = 0.0, beta1: float = 0.9, beta2: float = 0.999) -> MakeOptimizer:
    """Adam, fused."""
    from torch.optim import Adam

    return lambda params: Adam(params, lr=lr, weight_decay=weight_decay, betas=(beta1, beta2), fused=True)


@optimizers.register(ranges={"lr": _RATE, "momentum": _SHARE, "weight_decay": _DECAY})
def sgd(lr: float = 0.01, momentum: float = 0.9, weight_decay: float = 0.0) -> MakeOptimizer:
    """Stochastic gradient descent with momentum, fused."""
    from torch import zeros_like
    from torch.optim import SGD

    def add_moments(optimizer: Optimizer) -> None:
        """Moments of 0 where there are none: torch's fused step fails where a parameter has its first gradient late."""
        for group in optimizer.param_groups if momentum else []:
            for parameter in group["params"]:
                if optimizer.state[parameter].get("momentum_buffer") is None:
                    optimizer.state[parameter]["momentum_buffer"] = zeros_like(parameter)

    def make(params: Iterable[Parameter]) -> Optimizer:
        """With moments from the start, and where a checkpoint of older code lacks some."""
        optimizer = SGD(params, lr=lr, momentum=momentum, weight_decay=weight_decay, fused=True)
        add_moments(optimizer)
        optimizer.register_load_state_dict_post_hook(add_moments)
        return optimizer

    return make


@optimizers.register(ranges={"lr": _RATE, "alpha": _SHARE, "momentum": _SHARE, "weight_decay": _DECAY})
def rmsprop(lr: float = 0.001, alpha: float = 0.99, momentum: float = 0.0, weight_decay: float = 0.0) -> MakeOptimizer:
    """RMSprop, multi-tensor."""
    from torch.optim import RMSprop

    return lambda params: RMSprop(
        params, lr=lr, alpha=alpha, momentum=momentum, weight_decay=weight_decay, foreach=True
    )

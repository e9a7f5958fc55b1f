"""What a foreign network does when it runs: which modules are called, in which order, and which weights it uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

T = TypeVar("T")
_Shape = tuple[int, int, int, int]

_LARGEST_REAL_RUN = 2**18


@dataclass(frozen=True)
class Trace:
    """One run of a network.

    Attributes:
        called: paths of the modules that were called, in the order of their first call.
        used: names of the parameters that the output depends on.
    """

    called: tuple[str, ...]
    used: frozenset[str]

    def uses(self, path: str) -> bool:
        """Whether the output depends on any parameter of the module at ``path``."""
        return any(name.startswith(f"{path}.") for name in self.used)


def takes(net: nn.Module, shape: _Shape) -> bool:
    """Whether ``net`` takes images of ``shape`` (B, C, H, W) and returns maps of their height and width.

    It runs in evaluation mode on the meta device, without memory or arithmetic, and for real only if that fails
    and the images are small. Weights, buffers, gradients and the random state stay as they were.
    """
    return _attempt(net, shape, _forward) is not None


def trace(net: nn.Module, shape: _Shape) -> Trace | None:
    """Run ``net`` as `takes` does, backward too.

    Returns:
        What happened; None if the network refuses that size or returns another.
    """
    return _attempt(net, shape, _trace)


def drop_unused(net: nn.Module, run: Trace) -> int:
    """Take out of ``net``, in place, the modules whose weights a run neither called nor used.

    What is called all the same, for nothing, stays and is frozen: it has no gradient to train by.

    Returns:
        How many weights were taken out.
    """
    before, called = _size(net), set(run.called)

    def visit(parent: nn.Module, prefix: str) -> None:
        """Cut the unused modules below a module."""
        for name, child in parent.named_children():
            path = f"{prefix}{name}"
            dead = path not in called and not run.uses(path) and not any(c.startswith(f"{path}.") for c in called)
            if dead and any(True for _ in child.parameters()):
                setattr(parent, name, nn.Identity())
            else:
                visit(child, f"{path}.")

    visit(net, "")
    for name, parameter in net.named_parameters():
        if name not in run.used:
            parameter.requires_grad_(False)
    return before - _size(net)


def stages(net: nn.Module, part: str, run: Trace, at_most: int) -> dict[str, list[str]]:
    """Divide the module ``part`` of ``net`` into at most ``at_most`` named groups of modules that are called.

    Called children are taken for stages; if these are fewer than three, the largest is divided in turn.
    Leaves (a convolution, its norm) belong to the stage before them, the first leaves make up the ``stem``.

    Returns:
        Group name to the paths of its modules, in the order in which they run; together they hold every
        parameter of ``part`` that is used, each once.
    """
    order = {path: position for position, path in enumerate(run.called)}
    units, base = [part], part
    while len(_groups(net, units)) < 3:
        by_size = sorted(units, key=lambda path: -_size(net.get_submodule(path)))
        divided = next(((path, parts) for path in by_size if (parts := _divide(net, path, run))), None)
        if divided is None:
            break
        path, parts = divided
        units = sorted([u for u in units if u != path] + parts, key=order.__getitem__)
        base = units[0] if len(units) == 1 else base
    groups = _groups(net, units)
    chunks: dict[int, list[list[str]]] = {}
    for position, group in enumerate(groups):
        chunks.setdefault(position * min(at_most, len(groups)) // len(groups), []).append(group)
    return {_name(net, part, base, chunk): [path for group in chunk for path in group] for chunk in chunks.values()}


def _attempt(net: nn.Module, shape: _Shape, run: Callable[[nn.Module, _Shape, torch.device], T]) -> T | None:
    training = net.training
    net.eval()
    try:
        for device in ("meta", "cpu") if shape[2] * shape[3] <= _LARGEST_REAL_RUN else ("meta",):
            try:
                return run(net, shape, torch.device(device))
            except Exception:  # foreign code refuses a size with any exception it likes
                continue
        return None
    finally:
        net.train(training)


def _forward(net: nn.Module, shape: _Shape, device: torch.device) -> Tensor:
    parameters = {name: parameter.detach().to(device) for name, parameter in net.named_parameters()}
    return _call(net, shape, device, parameters)


def _trace(net: nn.Module, shape: _Shape, device: torch.device) -> Trace:
    called: dict[str, None] = {}
    hooks = [
        module.register_forward_pre_hook(lambda _module, _inputs, path=path: called.setdefault(path))
        for path, module in net.named_modules()
        if path
    ]
    parameters = {name: p.detach().to(device).requires_grad_() for name, p in net.named_parameters()}
    try:
        # The caller may be under no_grad; which weights are used is read off the gradients.
        with torch.enable_grad():
            _call(net, shape, device, parameters).sum().backward()  # type: ignore[no-untyped-call]
    finally:
        for hook in hooks:
            hook.remove()
    return Trace(tuple(called), frozenset(name for name, p in parameters.items() if p.grad is not None))


def _call(net: nn.Module, shape: _Shape, device: torch.device, parameters: dict[str, Tensor]) -> Tensor:
    """The network's output with other parameters than its own; an output of another size is an error."""
    buffers = {name: buffer.detach().to(device) for name, buffer in net.named_buffers()}
    output: Tensor = functional_call(net, {**parameters, **buffers}, (torch.zeros(shape, device=device),))
    if output.shape[-2:] != shape[-2:]:
        raise ValueError(f"returned {tuple(output.shape)} for {shape}")
    return output


def _divide(net: nn.Module, path: str, run: Trace) -> list[str]:
    """The called modules below ``path`` that hold all the parameters it uses; empty if they do not."""
    found: list[str] = []
    module = net.get_submodule(path)
    if any(f"{path}.{name}" in run.used for name, _ in module.named_parameters(recurse=False)):
        return []
    for name, child in module.named_children():
        below = f"{path}.{name}"
        if below in run.called:
            found += [] if isinstance(child, nn.Identity) else [below]
            continue
        parts = _divide(net, below, run)
        if not parts and run.uses(below):
            return []
        found += parts
    return found


def _groups(net: nn.Module, units: list[str]) -> list[list[str]]:
    """Units as stages: a leaf joins the stage before it, unless all units are leaves."""
    leaf = [not any(True for _ in net.get_submodule(path).children()) for path in units]
    if all(leaf):
        return [[path] for path in units]
    groups: list[list[str]] = []
    for path, is_leaf in zip(units, leaf, strict=True):
        if is_leaf and groups:
            groups[-1].append(path)
        else:
            groups.append([path])
    return groups


def _name(net: nn.Module, part: str, base: str, chunk: list[list[str]]) -> str:
    first, last = (group[0].removeprefix(base).removeprefix(".") for group in (chunk[0], chunk[-1]))
    if not first:
        return part
    is_leaf = not any(True for _ in net.get_submodule(chunk[0][0]).children())
    if len(chunk) == 1:
        return f"{part}.stem" if is_leaf and len(chunk[0]) > 1 else f"{part}.{first}"
    parent, _, tail = last.rpartition(".")
    return f"{part}.{first}..{tail if first.startswith(f'{parent}.') else last}"


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())

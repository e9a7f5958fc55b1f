"""A model's layers in the order in which they run, grouped by block, for ``bench show``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from rich.console import Group
from rich.text import Text
from torch import Tensor, nn

from bench.core.amount import amount
from bench.core.errors import BenchError
from bench.report.terminal.figure_table import FigureTable
from bench.timing.work import blocks_of, gmacs, meta_copy, parameter_count
from registry.contract import check_prediction


@dataclass(frozen=True)
class Layer:
    """A call of a module without children: its block, path, kind, output shape, and parameters (0 when repeated)."""

    block: str
    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int


def layers(model: nn.Module, size: int, batch: int = 1) -> list[Layer]:
    """All calls of leaf modules in a forward pass on the meta device.

    Raises:
        BenchError: the model does not take that size, or cannot run on the meta device.
        ContractError: it returns no `Prediction` of the right shapes.
    """
    twin = meta_copy(model)
    blocks = blocks_of(twin)
    owner = {id(leaf): name for name, parts in blocks.items() for part in parts for leaf in part.modules()}
    rows: list[Layer] = []
    counted: set[int] = set()

    def note(name: str) -> Callable[[nn.Module, Any, Any], None]:
        """A hook for the layer of a name."""

        def hook(module: nn.Module, _: Any, output: Any) -> None:
            """Keep the layer's row; a shared parameter counts where it is first."""
            new = [p for p in module.parameters() if id(p) not in counted]
            counted.update(map(id, new))
            shape = tuple(output.shape) if isinstance(output, Tensor) else ()
            count = sum(p.numel() for p in new)
            rows.append(Layer(owner.get(id(module), ""), name, type(module).__name__, shape, count))

        return hook

    for name, module in twin.named_modules():
        # What a parametrisation (weight norm, spectral norm) holds counts as the layer's own.
        children = [child for child, _ in module.named_children() if child != "parametrizations"]
        if not children and ".parametrizations" not in f".{name}":
            module.register_forward_hook(note(name))
    images = torch.empty(batch, 3, size, size, device="meta")
    try:
        with torch.no_grad():
            check_prediction(twin(images, images), images, type(model).__name__)
    except (ValueError, RuntimeError, NotImplementedError) as error:
        raise BenchError(f"cannot trace {type(model).__name__} at {size}x{size}: {error}") from error
    return rows


def activation_mib(rows: list[Layer]) -> float:
    """Memory of all layers' outputs in float32, MiB: about what training keeps for the backward pass."""
    return sum(4 * torch.Size(row.shape).numel() for row in rows if row.shape) / 2**20


def layer_table(model: nn.Module, key: str, size: int, batch: int) -> Group:
    """A table with a row per layer, totals per block, and the totals of the model."""
    rows = layers(model, size, batch)
    total = parameter_count(model)
    table = FigureTable(("block", "layer", "output"), ("parameters",))
    block = None
    for row in rows:
        if row.block != block:
            count = sum(other.parameters for other in rows if other.block == row.block)
            table.add(row.block or "(none)", "", "", f"{count:,}", style="bold")
            block = row.block
        shape = "x".join(map(str, row.shape[1:]))
        layer = Text.assemble(row.name, " ", (row.kind, "dim"))
        table.add("", layer, shape, f"{row.parameters:,}" if row.parameters else "")
    weights = 4 * total / 2**20
    activations = activation_mib(rows)
    facts = (
        f"{total:,} parameters ({weights:.1f} MiB), {gmacs(model, size) or 0:.3f} GMACs a pair of images\n"
        f"training on {amount(batch, 'pair')} in float32 keeps about {activations:.0f} MiB of activations "
        f"and {4 * weights:.0f} MiB of weights, gradients and Adam's moments"
    )
    title = Text(f"{key} at {size}x{size}", style="italic")
    return Group(title, table, Text(""), Text("\n".join([facts, *getattr(model, "notes", ())])))

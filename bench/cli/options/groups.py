"""Groups of options: budget, machine, folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from bench.cli.options.common import Device, Results, Runs

if TYPE_CHECKING:
    from bench.core.protocol import Protocol


@dataclass(frozen=True)
class BudgetOptions:
    """A protocol and overrides of its values."""

    panel: ClassVar[str] = "Budget"

    protocol: Annotated[str, typer.Option(help="The same budget for every model (bench list protocols).")] = "quick"
    epochs: Annotated[int | None, typer.Option(min=1, help="Override: epochs per stage.")] = None
    batch: Annotated[int | None, typer.Option(min=1, help="Override: images per step.")] = None
    size: Annotated[int | None, typer.Option(min=8, help="Override: image side, pixels.")] = None
    train_samples: Annotated[int | None, typer.Option(min=1, help="Override: training samples per epoch.")] = None
    val_samples: Annotated[int | None, typer.Option(min=1, help="Override: validation samples.")] = None
    test_samples: Annotated[int | None, typer.Option(min=1, help="Override: test samples.")] = None
    optimizer: Annotated[str | None, typer.Option(help="Override: such as sgd[lr=0.1,momentum=0.9].")] = None
    schedule: Annotated[str | None, typer.Option(help="Override: such as plateau[patience=3].")] = None
    augmentation: Annotated[
        str | None,
        typer.Option(help="Override: such as flip + rotate (bench list augmentations)."),
    ] = None
    normalize: Annotated[
        str | None,
        typer.Option(help="Override: of a network's input images: none, data (the training split's), or imagenet."),
    ] = None
    patience: Annotated[
        int | None,
        typer.Option(min=0, help="Override: training ends after so many epochs without a better validation loss."),
    ] = None

    def resolve(self) -> Protocol:
        """The protocol that the options describe.

        Raises:
            UnknownName: no protocol has that name; BenchError: a value that no protocol can have.
        """
        from bench.core.protocol import find_protocol

        protocol = find_protocol(self.protocol)
        changes = {name: value for name, value in vars(self).items() if name != "protocol"}
        if self.augmentation is not None or protocol.base is not None:
            # Imports torch, which a registered protocol can do without.
            from bench.data.augment.pipeline import canonical_protocol, parse_augmentation

            protocol = canonical_protocol(protocol)
            changes["augmentation"] = (
                parse_augmentation(self.augmentation).text if self.augmentation is not None else None
            )
        return protocol.override(**changes)


@dataclass(frozen=True)
class MachineOptions:
    """Device, precision and memory format of a run."""

    panel: ClassVar[str] = "Machine"

    device: Device = "auto"
    precision: Annotated[
        str, typer.Option(help="float32, bfloat16, tf32 (GPUs), or auto: bfloat16 where it is native, else float32.")
    ] = "auto"
    memory_format: Annotated[str, typer.Option(help="channels_last (auto) or contiguous.")] = "auto"


@dataclass(frozen=True)
class FolderOptions:
    """Folders of records, and of checkpoints and pictures."""

    panel: ClassVar[str] = "Files"

    results: Results = Path("results")
    runs: Runs = Path("runs")

"""What a published system is, as data: what it trained, for how long, and the figures that its authors quoted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.protocol import Protocol, Stage
from bench.reproduce.measures import Seen, value_is_target

Measure = Callable[[Seen], float]


@dataclass(frozen=True)
class Form:
    """One way to train: as published, or put right.

    Attributes:
        model, recipe, optimizer, schedule: keys and names as on the command line.
        augmentation: a level of `bench.data.augment`.
        turned: inputs turned and mirrored without their targets, see `AsPublished`.
    """

    model: str
    recipe: str
    optimizer: str
    schedule: str
    augmentation: str = "none"
    turned: bool = False


@dataclass(frozen=True)
class Budget:
    """How much training: stages one after another, and composites a pass."""

    stages: tuple[Stage, ...]
    samples: int


@dataclass(frozen=True)
class Figure:
    """A number that the authors quoted, or would have seen.

    Attributes:
        name: what it is.
        quoted: what they reported.
        published: how they computed it.
        corrected: how it is to be computed for the corrected form.
    """

    name: str
    quoted: str
    published: Measure
    corrected: Measure


@dataclass(frozen=True)
class Experiment:
    """One training in both forms, with its figures.

    Attributes:
        title: in a few words.
        fault: what went wrong and how it is put right, in two sentences.
        published, corrected: the two forms; both get the same budget.
        figures: in the order they are shown.
        perfect: the prediction that is perfect by the published form's own lights.
    """

    title: str
    fault: str
    published: Form
    corrected: Form
    figures: tuple[Figure, ...]
    perfect: Callable[[Seen], Seen] = value_is_target


@dataclass(frozen=True)
class System:
    """A published system.

    Attributes:
        key: ``000`` to ``004``.
        title: its name and what it is.
        stretched: whether depth was stretched to 0 .. 1 image by image.
        small: what a CPU does in a minute or so; resolutions and batches are scaled down with the samples.
        full: the budget of the original.
        experiments: what is run.
    """

    key: str
    title: str
    stretched: bool
    small: Budget
    full: Budget
    experiments: tuple[Experiment, ...]

    def protocol(self, form: Form, name: str, full: bool, samples: int | None) -> Protocol:
        """The budget of one form as a protocol; as many validation and test samples as a quarter of the training's.

        Args:
            form: whose optimizer and schedule.
            name: of the form, for the protocol's name.
            full: the original's budget.
            samples: other than the budget's.
        """
        budget = self.full if full else self.small
        count = samples or budget.samples
        # A pass must hold a batch.
        stages = tuple(stage.model_copy(update={"batch": min(stage.batch, count)}) for stage in budget.stages)
        held_out = min(2000, max(32, count // 4))
        return Protocol(
            name=f"reproduce {self.key} {name}, {count} samples{' in full' if full else ''}",
            version=1,
            summary=f"system {self.key} {name}",
            stages=stages,
            train_samples=count,
            val_samples=held_out,
            test_samples=held_out,
            optimizer=form.optimizer,
            schedule=form.schedule,
            augmentation=form.augmentation,
        )

"""What a published system is, as data: what it trained, for how long, and the figures that its authors quoted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.core.protocol import Protocol, Stage
from bench.reproduce.measures import Outputs, value_is_target

Measure = Callable[[Outputs], float]


@dataclass(frozen=True)
class TrialForm:
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
    """How much training: stages in turn, and composites a pass."""

    stages: tuple[Stage, ...]
    samples: int


@dataclass(frozen=True)
class QuotedFigure:
    """A number that the authors quoted, or would have got.

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
class Trial:
    """One training in both forms, with its figures.

    Attributes:
        title: in a few words.
        fault: what went wrong and how it is put right, in two sentences.
        published, corrected: the two forms; both get the same budget.
        figures: in the order they are shown.
        small: what a CPU does in a minute; resolutions, batches and passes are scaled down with the samples.
        full: the budget of the original.
        perfect: the prediction that is perfect by the published form's own lights.
    """

    title: str
    fault: str
    published: TrialForm
    corrected: TrialForm
    figures: tuple[QuotedFigure, ...]
    small: Budget
    full: Budget
    perfect: Callable[[Outputs], Outputs] = value_is_target

    @property
    def forms(self) -> dict[str, TrialForm]:
        """Both forms by name."""
        return {"published": self.published, "corrected": self.corrected}

    def protocol(self, form: str, name: str, full: bool = False, samples: int | None = None) -> Protocol:
        """The budget and a form's optimizer and schedule as a protocol.

        A quarter as many samples, at least 32 and at most 2,000, are for validation, and as many for the test.

        Args:
            form: ``published`` or ``corrected``.
            name: what the protocol is called.
            full: the original's budget.
            samples: training samples, other than the budget's; batches shrink to fit.
        """
        budget, chosen = self.full if full else self.small, self.forms[form]
        count = samples or budget.samples
        held_out = min(2000, max(32, count // 4))
        return Protocol(
            name=f"{name} {form}",
            version=1,
            stages=tuple(stage.model_copy(update={"batch": min(stage.batch, count)}) for stage in budget.stages),
            train_samples=count,
            val_samples=held_out,
            test_samples=held_out,
            optimizer=chosen.optimizer,
            schedule=chosen.schedule,
            augmentation=chosen.augmentation,
        )


@dataclass(frozen=True)
class System:
    """A published system.

    Attributes:
        key: ``000`` to ``004``.
        title: its name.
        stretched: whether depth was stretched to 0 .. 1 image by image.
        trials: what is run.
    """

    key: str
    title: str
    stretched: bool
    trials: tuple[Trial, ...]

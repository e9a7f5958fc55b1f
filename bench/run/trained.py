"""`TrainedRun`: a recorded run with its weights, for predictions on new images."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from bench.core.code import own_code
from bench.core.errors import BenchError
from bench.core.record import Record
from bench.results import store
from bench.results.board import Named, rows
from bench.results.find import check_finished, pick_alike
from bench.results.metric_facts import facts_in
from bench.results.record_file import record_file
from bench.train.assemble import autocast_of, build_model
from bench.train.checkpoints import checkpoint
from bench.train.checkpoints.training_state import BEST
from bench.train.initial_weights import InitialWeights
from registry.contract import Prediction, Quartet, check_prediction
from registry.losses import parse

Predict = Callable[[Quartet], Prediction]
"""From the images of a batch to logits; what the batch has besides is not looked at."""

_KNOWN = ("registry", "segmentation_models_pytorch", "timm", "torch", "torchvision")
"""Packages whose modules keep to themselves what they keep of a forward pass."""

_ID = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True)
class TrainedRun:
    """A network as a recorded run left it: the weights of its best epoch, in evaluation mode.

    Attributes:
        name: of the record's file.
        record: what is known of the run.
        model: on ``device``.
        heads: those that were trained; what another head says is no result.
        device: where it computes.
        folder: its own, with its weights.
    """

    name: str
    record: Record
    model: nn.Module
    heads: tuple[str, ...]
    device: torch.device
    folder: Path

    @property
    def stride(self) -> int:
        """Sides of images must be multiples of it."""
        return int(getattr(self.model, "stride", 1))

    @property
    def needs_background(self) -> bool:
        """Whether it was trained on both photographs."""
        return self.record.spec.inputs == "pair"

    @property
    def label(self) -> str:
        """The run in a few words."""
        return _label(self.record)

    @property
    def code_change(self) -> str:
        """That a user's own model is of other code than when it was trained; empty if it is not, or nobody knows."""
        return _code_change(self.record)

    def copies(self, count: int) -> list[TrainedRun]:
        """As many more of it, with the same weights in modules of their own; none if they may share anything else.

        A model of a user's own may keep something of a forward pass where no copy has its own: in a variable of its
        module, in the closure of a hook.
        """
        modules = list(self.model.modules())
        if not all(_is_known(module) for module in modules):
            return []
        shared = {id(weights): weights for weights in self.model.parameters()}
        try:
            return [replace(self, model=deepcopy(self.model, dict(shared))) for _ in range(count)]
        except RuntimeError:  # torch copies no tensor that has a graph
            return []

    @torch.no_grad()
    def predict(self, quartet: Quartet) -> Prediction:
        """Its answer in the precision that it was trained in; the background is withheld if it was so in training.

        Args:
            quartet: images (B, 3, H, W), sides multiples of `stride`, on any device.
        """
        given = quartet if self.needs_background else replace(quartet, bg=None)
        usual = self.record.spec.memory_format == "channels_last"
        form = torch.channels_last if usual else torch.contiguous_format
        images = [image.to(self.device).clone(memory_format=form) for image in given.inputs]
        with autocast_of(self.record.spec, self.device):
            prediction = self.model(*images)
        return check_prediction(prediction, images[1], self.record.spec.model).only(self.heads)


def trained_run(results: Path, runs: Path, text: str, device: torch.device, within: str = "") -> TrainedRun:
    """The run that a text names, with its weights.

    Args:
        results: folder of records.
        runs: folder of weights.
        text: a record's file, a run's id, or ``model:loss`` as a leaderboard has it: the first of its seeds that left
            weights.
        device: where to compute.
        within: part of a leaderboard's heading, where several boards have that cell.

    Raises:
        UnknownName, BenchError: no run has this name, several have it, or its weights are missing.
        BadData: its record or its weights are damaged.
    """
    name, record = _with_weights(results, runs, text, within)
    return load_run(runs, name, record, device)


def initial_weights(results: Path, runs: Path, text: str) -> InitialWeights:
    """The weights of the run that a text names, for others to start from; texts and errors as of `trained_run`."""
    _, record = _with_weights(results, runs, text, within=None)
    return InitialWeights(runs / record.id / BEST, record.id, _label(record), _code_change(record))


def _code_change(record: Record) -> str:
    model, trained = record.spec.model, record.facts.get("own_code")
    if trained is None or trained == own_code(model):
        return ""
    return (
        f"the code of {model} has changed since it was trained; its weights are used as they are, and bench run "
        "trains it anew"
    )


def _is_known(module: nn.Module) -> bool:
    """Whether a module is of this project, or of the libraries that its models come from, as it is defined there."""
    changed = module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module)
    return not changed and type(module).__module__.partition(".")[0] in _KNOWN


def _with_weights(results: Path, runs: Path, text: str, within: str | None) -> Named:
    """The likeliest record that a text may mean and whose weights exist; ``within`` None where no board can be said.

    Raises:
        BenchError: none has left weights.
    """
    candidates = _candidates(results, text, within)
    for name, record in candidates:
        if (runs / record.id / BEST).exists():
            return name, record
    name, record = candidates[0]
    if not record.spec.recipe:
        raise BenchError(f"{record.spec.model} learns nothing and leaves no weights: name a run that was trained")
    raise BenchError(
        f"{runs / record.id} holds no weights of {record.spec.model}:{record.recipe_name} ({BEST}): name the folder "
        "with --runs, or make the run once more (bench run ... --again)"
    )


def load_run(runs: Path, name: str, record: Record, device: torch.device) -> TrainedRun:
    """A recorded run with the weights in its folder.

    Raises:
        BadData: they are damaged.
        BenchError: they do not fit the model as it is built today.
    """
    path = runs / record.id / BEST
    weights = checkpoint.load_weights(path, device)
    model = build_model(record.spec, device)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        why = "; ".join(filter(None, [_code_change(record), str(error)]))
        raise BenchError(f"{path} does not fit {record.spec.model} as this version builds it: {why}") from error
    return TrainedRun(name, record, model.eval(), _trained_heads(record), device, path.parent)


def _trained_heads(record: Record) -> tuple[str, ...]:
    """The recipe's heads that the model has: of a model with a single head, a joint recipe trains that one alone."""
    facts = facts_in([record])
    tested = {facts[metric].head for metric, score in record.test.items() if score.images and metric in facts}
    heads = tuple(parse(record.spec.recipe).heads)
    return tuple(head for head in heads if head in tested) or heads


def _label(record: Record) -> str:
    return f"{record.spec.model}:{record.recipe_name}, seed {record.spec.seed} ({record.id})"


def _candidates(results: Path, text: str, within: str | None) -> list[Named]:
    """The records that a text may mean, the first the likeliest."""
    path = record_file(results, text)
    if path is not None:
        return [(path.name, store.read(path))]
    if not results.is_dir():
        raise BenchError(f"there is no folder {results}; bench run makes it, or name another with --results")
    records = store.read_all(results)
    check_finished(records)
    if _ID.fullmatch(text):
        found = [(name, record) for name, record in records if record.id == text and record.outcome == "finished"]
        if not found:
            raise BenchError(f"no finished run {text} is recorded in {results}")
        return sorted(found, key=lambda named: named[1].finished, reverse=True)
    alike = pick_alike(rows(records), text, within or "", by_board=within is not None, results=results)
    return [named for row in alike for _, named in sorted(row.records.items())]

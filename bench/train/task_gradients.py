"""The gradient that each loss term sends into the shared trunk, measured every `EVERY` steps: do the tasks conflict?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from bench.core.machine import untried_shapes
from bench.train.isolation.untouched import untouched
from registry.contract import Quartet
from registry.losses.objective import Objective
from registry.losses.recipe import HeadPart, Recipe

EVERY = 256
"""Steps between two measurements.

One takes up to two small steps (of 8 images at 64 px, by the networks of most weights): more often, it would be felt.
"""

IMAGES = 4
"""Images of the batch it is made on: a whole batch would cost as much as several steps."""

COSINE = "cosine"


class TaskGradients:
    """Measures gradients beside training, which it does not change.

    The trunk is every parameter that gradient reaches from each of the heads; with a single head, all that it reaches.
    A forward pass of its own is made on the first images of the batch, in training mode; batch-norm statistics and
    the random state are put back afterwards. Figures stay on the device until `means`.

    Args:
        model: in training.
        objective: what is minimised.
        heads: those that are trained, as given to the objective.
        autocast: the precision that training runs in.
        steps: of the whole run. It is measured in the middle of every `EVERY`; a shorter one once, in its middle.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        heads: Sequence[str],
        autocast: torch.autocast,
        steps: int,
    ) -> None:
        self._model, self._objective, self._autocast = model, objective, autocast
        self._every = min(EVERY, steps)
        self._parts = {part.head: _single_terms(part) for part in objective.recipe.parts if part.head in heads}
        self._trunk: list[nn.Parameter] | None = None
        self._measured: list[dict[str, Tensor]] = []

    def __call__(self, step: int, quartet: Quartet) -> None:
        """Measure, if it is time.

        Args:
            step: counted from 0 over the whole run.
            quartet: the batch that is about to be trained on.
        """
        if step % self._every != self._every // 2:
            return
        few = quartet.map(lambda tensor: tensor[:IMAGES].clone())  # a model may alter its inputs in place
        # Four images now and then are no shape to choose kernels for.
        with untouched(self._model, quartet.bg_fg.device), untried_shapes():
            self._measured.append(self._measure(few))

    def means(self) -> dict[str, float] | None:
        """Mean of each figure since the last call; None where nothing was measured.

        ``mask`` and ``depth``: norm of the head's gradient on the trunk; ``mask.bce``: of one term's; both weighted as
        in the total. ``cosine``: between the two heads' gradients, -1 to 1; below 0 the tasks are in conflict.
        """
        measured, self._measured = self._measured, []
        if not measured or not measured[0]:
            return None
        table = torch.stack([torch.stack(list(figures.values())) for figures in measured]).float().mean(0).tolist()
        return {name: value for name, value in zip(measured[0], table, strict=True) if math.isfinite(value)}

    def state(self) -> list[dict[str, Tensor]]:
        """What was measured since the last call of `means`, for a checkpoint."""
        return self._measured

    def load_state(self, state: Sequence[Mapping[str, Tensor]]) -> None:
        """Go on with what a checkpoint has."""
        self._measured = [dict(figures) for figures in state]

    def _measure(self, quartet: Quartet) -> dict[str, Tensor]:
        with self._autocast:
            prediction = self._model(*quartet.inputs)
        if self._trunk is None:
            self._trunk = self._shared([head.logits for name, head in prediction.heads() if name in self._parts])
        if not self._trunk:
            return {}
        losses = {
            head: {name: objective(prediction, quartet).total for name, objective in terms.items()}
            for head, terms in self._parts.items()
        }
        # How much a head's loss weighs in the total, where recipes learn or adapt that.
        sums = torch.stack([torch.stack(list(terms.values())).sum() for terms in losses.values()])
        sums = sums.detach().requires_grad_()
        (weights,) = torch.autograd.grad(self._objective.weighting(sums), sums)
        figures: dict[str, Tensor] = {}
        pulls: list[_Pull] = []
        for weight, (head, terms) in zip(weights.abs(), losses.items(), strict=True):
            pull = _Pull(self._trunk, pulls[0].sent if pulls else {})
            norms = {name: weight * pull.send(loss, last=name == [*terms][-1]) for name, loss in terms.items()}
            figures |= {head: weight * _length(pull.lengths), **norms}
            pulls.append(pull)
        if len(pulls) == 2:
            product = (weights[0] * weights[1]).sign() * torch.stack(pulls[1].products).sum()
            length = _length(pulls[0].lengths) * _length(pulls[1].lengths)
            figures[COSINE] = product / length.clamp(min=1e-20)
        return figures

    def _shared(self, logits: Sequence[Tensor]) -> list[nn.Parameter]:
        reached = [_leaves(output) for output in logits]
        return [
            parameter
            for parameter in self._model.parameters()
            if parameter.requires_grad and all(parameter in leaves for leaves in reached)
        ]


def _leaves(output: Tensor) -> set[Tensor]:
    """The tensors that the gradient of ``output`` reaches, found in its graph without computing any."""
    found: set[Tensor] = set()
    nodes, visited = [output.grad_fn], {output.grad_fn}
    while nodes:
        node = nodes.pop()
        if node is None:
            continue
        if hasattr(node, "variable"):  # what accumulates a leaf's gradient
            found.add(node.variable)
        following = {function for function, _ in node.next_functions} - visited
        visited |= following
        nodes += following
    return found


def _single_terms(part: HeadPart) -> dict[str, Objective]:
    """One objective for each weighted term of a head."""
    return {
        f"{part.head}.{term.key}": Objective(Recipe((HeadPart(part.head, (term,), part.mean, part.std),)))
        for term in part.terms
    }


def _length(parts: Sequence[Tensor]) -> Tensor:
    """The norm of a vector by those of its parts."""
    length: Tensor = torch.linalg.vector_norm(torch.stack([*parts]))
    return length


class _Pull:
    """What the terms of a head send into the trunk, parameter by parameter.

    So of the second head, if it has a single term, only a single parameter's gradient is held at a time.

    Args:
        trunk: the parameters.
        against: what another head sent into each.

    Attributes:
        sent: into each parameter, by all terms; of a head with ``against`` nothing is kept in the end.
        lengths: norm of that by parameter.
        products: with what ``against`` has for the same parameter.
    """

    def __init__(self, trunk: Sequence[nn.Parameter], against: Mapping[Tensor, Tensor]) -> None:
        self._trunk, self._against = trunk, against
        self.sent: dict[Tensor, Tensor] = {}
        self.lengths: list[Tensor] = []
        self.products: list[Tensor] = []

    def send(self, loss: Tensor, last: bool) -> Tensor:
        """Send a term's gradient into the trunk; returns its norm. ``last``: no other term follows."""
        lengths: list[Tensor] = []

        def collect(parameter: Tensor) -> None:
            gradient, parameter.grad = parameter.grad, None
            assert gradient is not None
            lengths.append(torch.linalg.vector_norm(gradient))
            if parameter in self.sent:
                gradient = gradient + self.sent.pop(parameter)  # in place would change what others still read
            if last:
                self.lengths.append(torch.linalg.vector_norm(gradient))
            if last and self._against:
                self.products.append((gradient * self._against[parameter]).sum())
            else:
                self.sent[parameter] = gradient

        before = [parameter.grad for parameter in self._trunk]
        for parameter in self._trunk:
            parameter.grad = None
        hooks = [parameter.register_post_accumulate_grad_hook(collect) for parameter in self._trunk]  # type: ignore[no-untyped-call]
        try:
            loss.backward(inputs=self._trunk, retain_graph=True)  # type: ignore[no-untyped-call]
        finally:
            for hook, parameter, gradient in zip(hooks, self._trunk, before, strict=True):
                hook.remove()
                parameter.grad = gradient
        return _length(lengths)

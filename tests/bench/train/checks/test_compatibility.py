"""A model that does not keep the contract is told so before it is trained."""

import pytest
from torch import nn

from bench.core.errors import BenchError
from bench.data.loading.loader import Loader
from bench.train.checks.compatibility import common_heads
from registry.contract import Prediction
from registry.errors import ContractError
from registry.losses import parse
from tests.bench.rectangles import Rectangles


class Answers(nn.Module):
    def __init__(self, answer) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, bg, bg_fg):
        return self.answer(bg)


def heads(answer, recipe: str = "mask: bce, depth: l1", size: int = 32) -> tuple[str, ...]:
    source = Rectangles()
    return common_heads("mine:Net", parse(recipe), Answers(answer), Loader(source, "val", 4, size, 4, 2**30))


def test_the_heads_that_are_there() -> None:
    assert heads(lambda bg: Prediction(bg[:, :1], bg[:, 1:2])) == ("mask", "depth")
    assert heads(lambda bg: Prediction(bg[:, :1])) == ("mask",)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            lambda bg: Prediction(bg[:, 0], bg[:, 0]),
            r"shape \(2, 32, 32\) .* as mask_logits, not a float tensor of \(2, 1, 32, 32\)",
        ),
        (lambda bg: Prediction(bg[:, :1], bg[:, :1, ::2, ::2]), r"as depth_logits, not"),
        (lambda bg: (bg[:, :1], bg[:, :1]), "returned an object of type tuple"),
        (lambda bg: Prediction(), "without mask_logits and depth_logits"),
    ],
)
def test_wrong_answers_are_named(answer, says: str) -> None:
    with pytest.raises(ContractError, match=says):
        heads(answer)


def test_a_recipe_that_does_not_work_at_the_size() -> None:
    with pytest.raises(BenchError, match="does not work at 8 px"):
        heads(lambda bg: Prediction(bg[:, :1], bg[:, 1:2]), "mask: bce, depth: ssim", size=8)

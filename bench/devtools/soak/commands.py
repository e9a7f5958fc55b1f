"""Random commands: small runs that are valid, runs that fail, and requests that are refused."""

from __future__ import annotations

import random
from collections.abc import Mapping

BASE = {
    "--device": "cpu", "--precision": "float32", "--size": "32", "--batch": "8", "--epochs": "1",
    "--train-samples": "32", "--val-samples": "8", "--test-samples": "8", "--out": "page.md",
}  # fmt: skip
MODELS = ("unet[width=4]", "twin_unet[width=4]", "masknet", "unet[width=2]")
LOSSES = ("bce_ssim", "bce", "mask: bce + dice, depth: 2*ssim", "mask: bce, depth: l1")
EXTRAS: tuple[dict[str, str], ...] = (
    {},
    {"--epochs": "2"},
    {"--augmentation": "flip"},
    {"--optimizer": "sgd[lr=0.1,momentum=0.9]"},
    {"--schedule": "constant"},
    {"--metric": "mask_hd95"},
    {"--camera": "still"},
    {"--batch": "4"},
)
_FAULTY = "bench.devtools.soak.faulty:faulty"
FAILING = tuple({"--model": f"{_FAULTY}[does={act}]"} for act in ("raise", "exit", "nan", "memory"))
INVALID: tuple[dict[str, str], ...] = (
    {"--model": "unnet"},
    {"--model": "unet[width=-3]"},
    {"--model": "unet[width=a]"},
    {"--model": "unet[wide=4]"},
    {"--model": "no.such.module:net"},
    {"--loss": "mask: bce + nothing"},
    {"--loss": "mask: bce,"},
    {"--loss": "bce_sim"},
    {"--optimizer": "adam[lr=-1]"},
    {"--optimizer": "adamm"},
    {"--schedule": "cosine[warmup=x]"},
    {"--size": "33"},
    {"--size": "1"},
    {"--batch": "0"},
    {"--batch": "64"},
    {"--epochs": "many"},
    {"--precision": "int8"},
    {"--device": "cuda:99"},
    {"--protocol": "quickly"},
    {"--metric": "nothing_of_the_kind"},
    {"--augmentation": "flop"},
    {"--data": "compose"},
    {"--data": "stored", "--path": "nowhere"},
    {"--init": "nobody"},
    {"--no-such-option": "1"},
    {"--out": "/proc/page.md"},
    {"--results": "/dev/null/results"},
)
"""Each makes a valid command a request that is refused, with exit status 2 or 3 and before anything is written."""


def valid(draw: random.Random) -> list[str]:
    """A small run of a random model, loss and option."""
    model, loss = draw.choice(MODELS), draw.choice(LOSSES)
    return words("run", {"--model": model, "--loss": loss, **BASE, **draw.choice(EXTRAS)})


def words(command: str, options: Mapping[str, str]) -> list[str]:
    """A command with options, without the baselines."""
    return [command, *(word for option in options.items() for word in option), "--no-baselines"]


def failing(draw: random.Random) -> list[str]:
    """A run that fails by its model's fault."""
    return words("run", {"--loss": "bce", **BASE, **draw.choice(FAILING)})


def invalid(draw: random.Random) -> list[str]:
    """A request that is refused."""
    model, loss = draw.choice(MODELS), draw.choice(LOSSES)
    options = {"--model": model, "--loss": loss, **BASE, **draw.choice(INVALID)}
    return words(draw.choice(("run", "sweep")), options)


def swept(draw: random.Random, share: int) -> list[str]:
    """A grid of two models and two seeds."""
    first, second = draw.sample(MODELS, 2)
    more = {"--seeds": "2", "--share": str(share), "--threads": "1"}
    return [*words("sweep", {"--model": first, "--loss": draw.choice(LOSSES), **BASE, **more}), "--model", second]

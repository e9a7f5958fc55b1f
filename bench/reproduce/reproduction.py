"""`Reproduction`: what a system's trials gave, as data; written beside their records and read back for the page."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.core import files
from bench.core.errors import BadData
from bench.core.record import Outcome

FIGURES = "figures"
"""The folder of reproductions within that of the trials' records."""


class FigureRow(BaseModel):
    """A figure; None where a run did not finish, or the figure is infinite.

    Attributes:
        figure, quoted: its name and what the authors reported.
        published, corrected: what came out of the two forms.
        truth: what the published computation says of a perfect prediction.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    figure: str
    quoted: str
    published: float | None
    corrected: float | None
    truth: float | None


class TrialResult(BaseModel):
    """One trial: its figures, how its two runs ended, and the files of their records."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    samples: int
    stages: str
    rows: list[FigureRow]
    outcomes: dict[str, Outcome]
    records: dict[str, str]


class Reproduction(BaseModel):
    """One system.

    Attributes:
        format: raised when this shape changes.
        system: ``000`` to ``004``.
        full: whether at the original's scale.
        data: description of the source.
        made: UTC, ISO 8601.
        code: hash over the source of this project.
        machine: in words.
        seconds: that it took.
        trials: the published experiment's, in order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    system: str
    full: bool
    data: dict[str, Any]
    made: str
    code: str
    machine: str
    seconds: float
    trials: list[TrialResult]


def write(folder: Path, reproduction: Reproduction) -> Path:
    """Keep a reproduction in a folder of records, whole or not at all.

    Raises:
        BenchError: the folder cannot be written to.
    """
    stamp = "".join(letter for letter in reproduction.made if letter.isdigit())[:14]
    scale = "full" if reproduction.full else "small"
    path = folder / FIGURES / f"{reproduction.system}_{scale}_{stamp}.json"
    files.replace(path, reproduction.model_dump_json(indent=1) + "\n")
    return path


def latest(folder: Path) -> list[Reproduction]:
    """The latest reproduction of each system and scale, by system, small before full.

    Raises:
        BadData: files that are no reproductions, all of them named.
    """
    found, bad = [], []
    for path in sorted((folder / FIGURES).glob("*.json")):
        try:
            found.append(Reproduction.model_validate_json(path.read_text()))
        except ValidationError as error:
            bad.append((path.name, str(error).splitlines()[0]))
    if bad:
        raise BadData(bad, f"these are no reproductions; move them out of {folder / FIGURES}")
    return list(_newest(found))


def _newest(found: Iterable[Reproduction]) -> Iterable[Reproduction]:
    newest = {(each.system, each.full): each for each in sorted(found, key=lambda each: each.made)}
    return (latest_made for _, latest_made in sorted(newest.items()))

"""What may be chosen, what is preferred, and what a person reads of it."""

import pytest
import torch

from bench.core.choice import Candidate, Choice
from bench.core.errors import BenchError
from bench.core.machine import native_precisions, pick_precision
from bench.run.choice import candidates, default, fastest

CPU = torch.device("cpu")
PLAIN, TURNED = Candidate("float32", "channels_last"), Candidate("float32", "contiguous")
HALF, HALF_TURNED = Candidate("bfloat16", "channels_last"), Candidate("bfloat16", "contiguous")
ALL = [PLAIN, TURNED, HALF, HALF_TURNED]


@pytest.mark.parametrize(
    ("rates", "chosen"),
    [
        ((100, 90, 171, 160), HALF),
        ((100, 90, 104.9, 90), PLAIN),  # not worth another precision
        ((100, 90, 105.1, 90), HALF),
        ((100, 107, 90, 90), TURNED),
        ((100, 100, 200, 205), HALF),
        ((100, 100, 200, 211), HALF_TURNED),
        ((100, 102, 90, 106), TURNED),  # within the margin of the fastest, in the preferred precision
    ],
)
def test_what_is_preferred_gives_way_only_to_what_is_clearly_faster(
    rates: tuple[float, ...], chosen: Candidate
) -> None:
    assert fastest(dict(zip(ALL, rates, strict=True))) == chosen


def test_every_precision_that_the_device_has_in_both_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.core.machine._cpu_has_bfloat16", lambda: True)
    assert candidates(CPU) == ALL
    assert candidates(CPU, "bfloat16") == [HALF, HALF_TURNED]
    assert candidates(CPU, layout="contiguous") == [TURNED, HALF_TURNED]
    assert default(CPU, ALL) == HALF
    assert default(CPU, [PLAIN, TURNED]) == PLAIN
    assert native_precisions(CPU) == ("float32", "bfloat16")
    monkeypatch.setattr("bench.core.machine._cpu_has_bfloat16", lambda: False)
    assert candidates(CPU) == [PLAIN, TURNED]
    assert candidates(CPU, "bfloat16", "contiguous") == [HALF_TURNED]  # by name, whatever it costs
    assert (default(CPU, candidates(CPU)), pick_precision(CPU)) == (PLAIN, "float32")


@pytest.mark.parametrize(("names", "says"), [(("int4", "auto"), "int4"), (("auto", "NHWC"), "contiguous")])
def test_unknown_names(names: tuple[str, str], says: str) -> None:
    with pytest.raises(BenchError, match=says):
        candidates(CPU, *names)


def test_it_is_said_in_words() -> None:
    rates = {str(one): rate for one, rate in zip(ALL, (80.0, 100.0, 120.0, 131.0), strict=True)}
    won = Choice(precision="bfloat16", layout="contiguous", origin="measured", rates=rates)
    assert won.words == "precision: bfloat16, contiguous, 1.31 times float32's rate, measured here"
    assert won.gain == pytest.approx(1.31)
    plain = Choice(precision="float32", layout="channels_last", origin="measured", rates=rates)
    assert plain.gain is None
    assert plain.words.startswith("precision: float32, measured here (images/s: float32 channels_last 80,")
    agreed = Choice(precision="bfloat16", layout="channels_last", origin="records")
    assert agreed.words == "precision: bfloat16, as in the records of this leaderboard row"
    assert (agreed.gain, agreed.candidate) == (None, HALF)
    assert "without measuring" in Choice(precision="float32", layout="channels_last", origin="default").words

"""One precision and one memory format a machine and model, the same for all runs of a leaderboard row."""

from collections.abc import Sequence
from pathlib import Path
from threading import Thread

import pytest
import torch

from bench.core.choice import Candidate, Choice
from bench.core.errors import BenchError
from bench.core.machine import environment
from bench.core.protocol import find_protocol
from bench.core.spec import RunSpec
from bench.results import store
from bench.run.chooser import Chooser
from bench.run.experiment import Experiment
from bench.train.events import Listener
from tests.bench.records import ENVIRONMENT, record
from tests.bench.rectangles import Rectangles
from tests.bench.run.test_choice import ALL, HALF, HALF_TURNED, PLAIN, TURNED

CPU = torch.device("cpu")
TINY = find_protocol("quick").override(
    epochs=1, size=16, batch=2, train_samples=32, val_samples=4, test_samples=4, optimizer="adam"
)


@pytest.fixture(autouse=True)
def has_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.core.machine._cpu_has_bfloat16", lambda: True)


class Bench:
    """A chooser whose measurements are given, and counted."""

    def __init__(self, folder: Path, *rates: float, **asked: str) -> None:
        self.rates, self.measured, self.lines = rates or (100.0, 90.0, 171.0, 160.0), 0, list[str]()
        self.chooser = Chooser(
            Rectangles(), CPU, folder / "runs", folder / "results", **asked, announce=self.lines.append, measure=self
        )

    def __call__(self, spec: RunSpec, among: Sequence[Candidate], *_: object) -> dict[Candidate, float]:
        self.measured += 1
        return dict(zip(among, self.rates, strict=False))

    def choice(self, **facts: object) -> Choice:
        spec, choice = self.chooser.settle(record(**facts).spec)
        assert choice is not None
        assert choice.candidate == Candidate.of(spec)
        return choice


def keep(folder: Path, candidate: Candidate, here: bool = True, choice: Choice | None = None, **facts: object) -> None:
    """Put a finished record of ``unet`` into the results, made here or on another machine."""
    machine = environment(CPU) if here else ENVIRONMENT
    made = record(**facts)
    spec = made.spec.model_copy(update=candidate._asdict())
    said = {"spec": spec, "id": spec.id, "cell": spec.cell, "choice": choice}
    place = {"environment": machine, "fingerprint": machine.fingerprint}
    store.write(folder / "results", made.model_copy(update={**said, **place}), {})


def test_it_is_measured_once_for_all_losses_and_seeds(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    first = bench.choice()
    assert (first.candidate, first.origin) == (HALF, "measured")
    assert first.rates == {str(one): rate for one, rate in zip(ALL, (100, 90, 171, 160), strict=True)}
    assert bench.lines[-1] == "unet: precision: bfloat16, 1.71 times float32's rate, measured here"
    assert bench.choice(seed=1) == bench.choice(recipe="mask: bce") == first
    later = Bench(tmp_path, 200, 1, 1, 1)  # would choose otherwise, were it asked
    assert later.choice(seed=2) == first
    assert (bench.measured, later.measured) == (1, 0)
    assert later.choice(model="wnet").candidate == PLAIN
    assert later.measured == 1


def test_of_two_at_once_one_measures_and_both_agree(tmp_path: Path) -> None:
    second, found = Bench(tmp_path, 200, 1, 1, 1), list[Choice]()
    thread = Thread(target=lambda: found.append(second.choice()))

    def measure(spec: RunSpec, among: Sequence[Candidate], *_: object) -> dict[Candidate, float]:
        thread.start()
        thread.join(0.2)  # long enough for it to measure too, if nothing held it back
        return dict(zip(among, (100, 90, 171, 160), strict=True))

    first = Bench(tmp_path)
    first.chooser.measure = measure
    assert first.choice().candidate == HALF
    thread.join()
    assert (found, second.measured) == ([first.choice()], 0)


def test_another_machine_measures_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Bench(tmp_path).choice().candidate == HALF
    monkeypatch.setattr("bench.run.chooser.environment", lambda device: ENVIRONMENT)
    assert Bench(tmp_path, 100, 110, 90, 90).choice().candidate == TURNED


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"machine": "another"}', "\udcff"])
def test_a_damaged_cache_is_measured_anew(tmp_path: Path, damage: str) -> None:
    Bench(tmp_path).choice()
    (path,) = (tmp_path / "runs" / "fastest").glob("*.json")
    whole = path.read_text()
    path.write_bytes(damage.encode(errors="surrogateescape"))
    bench = Bench(tmp_path)
    assert (bench.choice().candidate, bench.measured) == (HALF, 1)
    assert path.read_text() == whole


def test_the_cache_of_another_model_is_not_believed(tmp_path: Path) -> None:
    Bench(tmp_path).choice()
    (path,) = (tmp_path / "runs" / "fastest").glob("*.json")
    path.write_text(path.read_text().replace('"unet"', '"wnet"'))
    bench = Bench(tmp_path, 200, 1, 1, 1)
    assert (bench.choice().candidate, bench.measured) == (PLAIN, 1)


def test_an_edited_model_of_ones_own_is_measured_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = tmp_path / "mine_to_choose.py"
    monkeypatch.syspath_prepend(tmp_path)
    measured = []
    for text, rates in (("def net(): ...", (100.0, 1, 1, 1)), ("def net(): 1", (1, 100.0, 1, 1))):
        code.write_text(text)
        for _ in range(2):
            bench = Bench(tmp_path, *rates)
            assert bench.choice(model="mine_to_choose:net").candidate == (PLAIN if rates[0] > 1 else TURNED)
            measured.append(bench.measured)
    assert measured == [1, 0, 1, 0]


def test_a_row_keeps_what_its_records_have(tmp_path: Path) -> None:
    keep(tmp_path, TURNED, seed=3)
    bench = Bench(tmp_path)
    choice = bench.choice()
    assert (choice.candidate, choice.origin, bench.measured) == (TURNED, "records", 0)
    assert bench.lines == ["unet: precision: float32, contiguous, as in the records of this leaderboard row"]
    for other in ({"model": "wnet"}, {"recipe": "mask: bce"}, {"data": {"kind": "composed"}}):
        assert bench.choice(**other).candidate == HALF


def test_this_machines_records_go_before_others_and_the_earliest_decides(tmp_path: Path) -> None:
    keep(tmp_path, HALF_TURNED, here=False, started="2026-01-01T00:00:00+00:00")
    assert Bench(tmp_path).choice().candidate == HALF_TURNED
    keep(tmp_path, TURNED, started="2026-01-02T00:00:00+00:00")
    keep(tmp_path, PLAIN, started="2026-01-03T00:00:00+00:00", seed=1)
    assert Bench(tmp_path).choice().candidate == TURNED


def test_failed_and_damaged_records_decide_nothing(tmp_path: Path) -> None:
    keep(tmp_path, TURNED, outcome="diverged")
    (tmp_path / "results" / "torn.json").write_bytes(b"{\xff")
    assert Bench(tmp_path).choice().candidate == HALF


def test_an_earlier_choice_of_this_machine_comes_with_its_rates(tmp_path: Path) -> None:
    earlier = Bench(tmp_path / "elsewhere").choice()
    keep(tmp_path, HALF, choice=earlier)
    bench = Bench(tmp_path)
    assert (bench.choice(seed=1), bench.measured) == (earlier, 0)


def test_what_this_device_lacks_makes_another_row_and_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path, HALF, here=False)
    monkeypatch.setattr("bench.core.machine._cpu_has_bfloat16", lambda: False)
    bench = Bench(tmp_path)
    assert (bench.choice().candidate, bench.measured) == (PLAIN, 1)
    assert "its records are bfloat16" in bench.lines[0]
    assert "another row" in bench.lines[0]


def test_what_is_asked_for_is_done(tmp_path: Path) -> None:
    keep(tmp_path, HALF)
    given = Bench(tmp_path, precision="float32", layout="contiguous")
    spec, choice = given.chooser.settle(record().spec)
    assert (Candidate.of(spec), choice, given.lines) == (TURNED, None, [])
    half = Bench(tmp_path, 100, 110, precision="float32")
    assert half.choice().candidate == TURNED
    assert half.measured == 1


def test_what_learns_nothing_stays_in_float32(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    blank = record("constant", recipe="").spec
    assert bench.chooser.settle(blank) == (blank, None)
    assert (bench.measured, bench.lines) == (0, [])


def test_a_short_run_is_not_measured_but_takes_what_is_known(tmp_path: Path) -> None:
    short = record().spec.protocol.override(train_samples=8 * 49)
    bench = Bench(tmp_path, 100, 90, 50, 50)
    spec, choice = bench.chooser.settle(record().spec.model_copy(update={"protocol": short}))
    assert choice is not None
    assert (Candidate.of(spec), choice.origin, bench.measured) == (HALF, "default", 0)
    assert bench.choice().candidate == PLAIN
    _, choice = Bench(tmp_path).chooser.settle(record().spec.model_copy(update={"protocol": short}))
    assert choice is not None
    assert (choice.candidate, choice.origin) == (PLAIN, "measured")


def test_where_nothing_can_be_trained_the_run_itself_says_why(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.chooser.measure = lambda *_: {}
    assert bench.choice().origin == "default"
    assert list((tmp_path / "runs" / "fastest").glob("*.json")) == []


def experiment(folder: Path, **more: object) -> Experiment:
    asked = {"device": "cpu", "baselines": False, "results": folder / "results", "runs": folder / "runs", **more}
    return Experiment(["unet[width=4]"], "mask: bce, depth: l1", TINY, [0, 1], Rectangles(), **asked)


def test_from_measuring_to_the_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.run.chooser.WORTH_MEASURING", 1)
    monkeypatch.setattr("bench.run.fastest.race", lambda windows, tell: dict.fromkeys(windows, 1.0) | {HALF: 0.5})
    lines: list[str] = []
    made = [one for one, _, _ in experiment(tmp_path).run(Listener(), lines.append)]
    assert [Candidate.of(one.spec) for one in made] == [HALF, HALF]
    assert [one.choice.gain for one in made if one.choice] == [2, 2]
    assert [one for _, one in store.read_all(tmp_path / "results")] == made
    assert sum("2.00 times float32's rate" in line for line in lines) == 1
    monkeypatch.setattr("bench.run.fastest.race", lambda windows, tell: pytest.fail("measured again"))
    again = [new for _, _, new in experiment(tmp_path).run(Listener(), lines.append)]
    assert again == [False, False]
    (plain, _, _), _ = experiment(tmp_path, precision="float32", layout="channels_last").run(Listener(), lines.append)
    assert (Candidate.of(plain.spec), plain.choice) == (PLAIN, None)
    assert plain.cell != made[0].cell


def test_mistakes_in_names_show_before_anything_is_run(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="NHWC"):
        experiment(tmp_path, layout="NHWC")
    assert list(tmp_path.iterdir()) == []

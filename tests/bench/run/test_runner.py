"""The runner: one maker a run, and what is known of machine, model and data is recorded."""

import errno
import fcntl
import signal
from pathlib import Path

import pytest
from torch import nn

from bench.core.errors import BenchError, Interrupted
from bench.core.protocol import find_protocol
from bench.core.spec import RunSpec
from bench.run import folder as run_folder
from bench.run.run_record import load_of
from bench.timing.window import Window
from bench.train import loop
from bench.train.checks.compatibility import check_sizes
from bench.train.events import Listener, WindowSummary
from registry.models import models
from tests.bench.rectangles import Rectangles
from tests.bench.run.small_runs import small_run, small_runner


def test_one_run_has_one_maker(tmp_path: Path) -> None:
    run = small_run(Rectangles())
    with run_folder.locked(tmp_path / "runs" / run.spec.id), pytest.raises(BenchError, match="another process"):
        small_runner(tmp_path, Rectangles()).run(run)
    assert small_runner(tmp_path, Rectangles()).run(run)[0].outcome == "finished"


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def flock(*_: object) -> None:
        raise OSError(code, "no locks")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(BenchError, match=r"has no locks: .* --runs"):
        small_runner(tmp_path, Rectangles()).run(small_run(Rectangles()))


def window(others: float | None, disturbed: str | None) -> Window:
    return Window(4, 32, 0.5, None, others=others, disturbed=disturbed)


def test_the_load_of_the_machine_is_recorded(tmp_path: Path) -> None:
    assert load_of([]) is None
    load = load_of([window(0.1, None), window(0.5, "load of other processes"), window(0.2, None)])
    assert (load.windows, load.disturbed, load.others, load.marked) == (3, 1, 0.2, False)
    assert load_of([window(0.5, "steal")]).marked
    assert load_of([window(None, None)]).unknown is not None
    record, _ = small_runner(tmp_path, Rectangles()).run(small_run(Rectangles()))
    assert record.load.windows > 0
    assert record.arithmetic is not None
    assert record.peak_of in ("growth", "process")


def test_sizes_name_a_multiple() -> None:
    model = nn.Module()
    model.stride = 32
    protocol = find_protocol("standard")
    with pytest.raises(BenchError, match=r"multiples of 32, not 112 .* --size 192"):
        check_sizes(RunSpec(model="m", recipe="mask: bce", protocol=protocol, data={}), model)


class Noted(Rectangles):
    """A source that decided something by itself and doubts something."""

    notes = ("numbered files are one group",)
    warnings = ("depth is likely in another unit",)


def test_what_model_and_data_say_of_themselves_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def noted(key: str) -> nn.Module:
        model = find_model("unet[width=4]")
        model.notes = ("encoder weights come from elsewhere",)
        return model

    find_model = models.build
    monkeypatch.setattr(models, "build", noted)
    source = Noted()
    record, _ = small_runner(tmp_path, source).run(small_run(source))
    assert record.facts == {
        "model": ["encoder weights come from elsewhere"],
        "data": {"notes": list(Noted.notes), "warnings": list(Noted.warnings)},
        "seen": {"groups": "trained on", "passed_over": 0},
    }
    monkeypatch.undo()
    assert small_runner(tmp_path, Rectangles()).run(small_run(Rectangles()))[0].facts.keys() == {"seen"}


def test_a_run_that_went_on_from_other_code_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stops(Listener):
        def window(self, summary: WindowSummary) -> None:
            runner.interruption.handle(signal.SIGTERM)

    source, run = Rectangles(), small_run(Rectangles(), epochs=2)
    runner = small_runner(tmp_path, source, Stops())
    with pytest.raises(Interrupted):
        runner.run(run)
    monkeypatch.setattr(loop, "code_version", lambda *names: "another")
    record, _ = small_runner(tmp_path, source, resume_anyway=True).run(run)
    assert [*record.facts["resumed_from"]] == ["code"]
    assert record.resumed == 1
    folder = tmp_path / "runs" / run.spec.id
    assert {path.name for path in folder.iterdir()} == {"best.pt", "spec.json", "lock"}

"""Early stopping: after so many epochs of a stage without a better validation loss, and the same after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.core.protocol import Protocol, find_protocol
from bench.core.record import Epoch
from bench.train.checkpoints import training_state
from bench.train.events import Listener
from bench.train.patience import out_of_patience, stopped_early
from tests.bench.rectangles import Rectangles
from tests.bench.train.runs import StopAfter, run, same, spec


def history(*losses: float, sizes: tuple[int, ...] = ()) -> list[Epoch]:
    return [
        Epoch(
            epoch=i + 1,
            size=sizes[i] if sizes else 32,
            learning_rate=0.1,
            train_loss={},
            val_loss={"mask": loss, "total": 9.0},
            val_metrics={},
        )
        for i, loss in enumerate(losses)
    ]


def patient(patience: int) -> Protocol:
    return find_protocol("quick").override(patience=patience)


@pytest.mark.parametrize(
    ("patience", "losses", "ends"),
    [
        (0, (1.0, 2.0, 3.0, 4.0), False),
        (2, (), False),
        (2, (1.0, 2.0), False),
        (2, (1.0, 2.0, 3.0), True),
        (2, (1.0, 2.0, 0.9), False),
        (2, (1.0, 2.0, 0.9, 0.95, 1.0), True),
        (1, (1.0, 1.0), True),
        (3, (3.0, 2.0, 1.0), False),
    ],
)
def test_when_it_ends(patience: int, losses: tuple[float, ...], ends: bool) -> None:
    assert out_of_patience(patient(patience), history(*losses)) is ends


def test_a_new_stage_begins_with_all_its_patience() -> None:
    """Validation is at the last stage's size throughout; a larger size may be worse at first."""
    assert not out_of_patience(patient(2), history(1.0, 2.0, 3.0, sizes=(64, 64, 112)))
    assert out_of_patience(patient(2), history(1.0, 2.0, 3.0, sizes=(64, 112, 112)))


def test_the_words_name_what_was_never_trained() -> None:
    progressive = find_protocol("standard").override(epochs=6, patience=1)
    words = stopped_early(progressive, 2)
    assert words.startswith("stopped early after epoch 2 of 18: 1 epoch without a better validation loss")
    assert words.endswith("never trained at 112 px and 192 px, and is tested at 192 px")
    assert stopped_early(progressive, 7).endswith("never trained at 192 px, and is tested at 192 px")
    assert stopped_early(progressive, 13).endswith("loss")
    assert stopped_early(progressive, 6).count("px") == 3, "the first stage is over: no other has begun"


def test_a_run_ends_early_says_so_and_goes_on_to_the_same_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_state, "EVERY", 0.0)
    source = Rectangles()
    hopeless = spec(source, "masknet", "mask: bce", epochs=9, patience=2, optimizer="sgd[lr=1e-30]")  # nothing changes
    notices: list[str] = []

    class Told(Listener):
        def notice(self, words: str) -> None:
            notices.append(words)

    whole = run(hopeless, source, tmp_path / "a", Told())
    assert notices == [f"masknet, seed 0: {stopped_early(hopeless.protocol, len(whole.history))}"]
    assert whole.facts["stopped_early"] == len(whole.history) < 9
    with pytest.raises(KeyboardInterrupt):
        run(hopeless, source, tmp_path / "b", StopAfter(1))
    again = run(hopeless, source, tmp_path / "b")
    assert again.resumed == 1
    assert again.history == whole.history
    assert again.best_epoch == whole.best_epoch
    assert same(again, whole)
    assert "stopped_early" not in run(spec(source, patience=5), source, tmp_path / "c").facts

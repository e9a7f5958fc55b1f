"""Further seeds: what is announced comes true as often as it says, and what seeds cannot settle is told so."""

import numpy as np
import pytest

from bench.results.stats.components import Components
from bench.results.stats.more_seeds import CANDIDATES, TARGET, MoreSeeds


def parts(mean: float, seeds: float, images: float, interaction: float = 0.0, freedom: int = 2) -> Components:
    return Components(*(np.array(float(x)) for x in (mean, seeds, images, interaction, freedom)), 50)


def test_a_clear_effect_of_noisy_seeds_needs_some() -> None:
    more = MoreSeeds.of(parts(0.05, 0.02**2, 0.005**2), 3, 0.01)
    assert more.count in CANDIDATES
    assert more.chance >= TARGET
    assert not more.images_instead


def test_noisier_seeds_need_more() -> None:
    counts = [MoreSeeds.of(parts(0.05, sd**2, 0.005**2), 3, 0.01).count for sd in (0.018, 0.025, 0.035)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_no_number_of_seeds_helps_against_few_images() -> None:
    more = MoreSeeds.of(parts(0.02, 0.005**2, 0.03**2), 3, 0.01)
    assert more.count is None
    assert more.images_instead


def test_no_difference_is_settled_as_equal() -> None:
    more = MoreSeeds.of(parts(0.0, 0.01**2, 0.001**2, freedom=4), 5, 0.015)
    assert more.count is not None


def test_the_same_records_give_the_same_answer_from_either_side() -> None:
    forth, back = (MoreSeeds.of(parts(mean, 0.02**2, 0.01**2), 3, 0.01) for mean in (0.04, -0.04))
    assert forth == MoreSeeds.of(parts(0.04, 0.02**2, 0.01**2), 3, 0.01)
    assert forth.chance == pytest.approx(back.chance, abs=0.1)

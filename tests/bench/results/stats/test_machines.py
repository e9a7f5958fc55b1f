"""Machines as a random level: verdicts between cells that do not differ err as seldom as between seeds."""

import numpy as np
import pytest

from bench.devtools.calibration.simulate import pooled
from bench.results.stats.machines import machine_means
from bench.results.stats.scored import Scored

DRAWS = 400
LUCK = 3 * np.sqrt(0.06 * 0.94 / DRAWS)


@pytest.mark.parametrize("machine", [0.0, 0.02, 0.06])
@pytest.mark.parametrize("seeds", [(3, 3), (5, 1), (3, 1, 1), (2, 2, 2, 2)])
def test_verdicts_do_not_err_whatever_machines_do(seeds: tuple[int, ...], machine: float) -> None:
    assert pooled(seeds, machine, DRAWS).apart <= 0.06 + LUCK


def test_seeds_of_several_machines_taken_for_one_machines_err() -> None:
    assert pooled((3, 3), 0.06, DRAWS, as_seeds=True).apart > 0.1


def test_a_machine_is_the_mean_of_its_seeds() -> None:
    values = np.array([[1.0, np.nan, 3.0], [3.0, np.nan, np.nan]])
    found = machine_means([Scored(values), Scored(values[:1] + 1)])
    np.testing.assert_array_equal(found.values, [[2, np.nan, 3], [2, np.nan, 4]])
    assert found.weights is None


def test_weights_are_the_means_of_the_seeds_weights() -> None:
    values = np.ones((2, 3))
    found = machine_means([Scored(values, 2 * values, 2), Scored(values, 4 * values, 2)])
    np.testing.assert_array_equal(found.weights, [[2] * 3, [4] * 3])
    assert found.power == 2

"""Small sizes and few rounds: under three minutes on two cores, but for what must be large: the thousand pictures of
`test_predict`, the ten thousand quartets of `test_stored`.
"""

import pytest
import torch

from bench.timing import memory

SIZE = 64

memory.keep_freed(torch.device("cpu"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.benchmark(max_time=0.25, min_rounds=3, warmup="on", warmup_iterations=1))


@pytest.fixture(autouse=True)
def one_thread():
    """One thread: what is compared is work, not scheduling."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)

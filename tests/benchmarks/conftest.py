"""Small sizes and few rounds: under three minutes on two cores, but for what must be large: the thousand pictures of
`test_predict`, the ten thousand quartets of `test_stored`.
"""

import os

import pytest
import torch

from bench.timing import memory
from tests.benchmarks.ratios import Say

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


@pytest.fixture
def all_cores() -> None:
    """As many threads as there are cores; `one_thread` takes them back."""
    torch.set_num_threads(os.cpu_count() or 1)


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Print a line that is seen whatever is captured."""

    def line(text: str) -> None:
        with capsys.disabled():
            print(f"\n  {text}", end="", flush=True)

    return line

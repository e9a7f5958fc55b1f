"""A bar moves when it is called, leaves nothing behind, and has no thread."""

import io

import pytest
from rich.console import Console

from bench.core.errors import BenchError
from bench.report.terminal import progress_bar
from bench.report.terminal.progress_bar import Bar
from tests.bench.threads import Threads

GONE = "\r\x1b[2K\x1b[?25h\r"
"""The line is wiped out and the cursor shown again."""


def test_it_draws_what_it_is_told_and_is_gone_afterwards() -> None:
    screen = io.StringIO()
    threads = Threads()
    with Bar(Console(file=screen, force_terminal=True, width=100)) as bar:
        bar("sitting 1 of 4 [brackets]", 0, 5)
        assert "0/5  sitting 1 of 4 [brackets]" in screen.getvalue()
        bar("sitting 2 of 4", 1, 5)
        assert "1/5  sitting 2 of 4" in screen.getvalue()
        assert not threads.begun()
    assert screen.getvalue().endswith(GONE)


def test_nothing_is_drawn_where_nobody_looks() -> None:
    file = io.StringIO()
    with Bar(Console(file=file)) as bar:
        bar("sitting 1 of 4", 0, 5)
    assert file.getvalue() == ""


def test_an_error_passes_and_takes_the_bar_away() -> None:
    screen = io.StringIO()
    with pytest.raises(BenchError), Bar(Console(file=screen, force_terminal=True)) as bar:
        bar("sitting 1 of 4", 0, 5)
        raise BenchError("no")
    assert screen.getvalue().endswith(GONE)


def test_work_that_is_soon_over_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 1.9, 2.1, 2.2])
    monkeypatch.setattr(progress_bar.time, "monotonic", lambda: next(clock))
    screen = io.StringIO()
    with Bar(Console(file=screen, force_terminal=True, width=100), after=2.0) as bar:
        bar("listing files", 1000, 1000)
        bar("listing files", 2000, 2000)
        assert screen.getvalue() == ""
        bar("checking files", 3, 7)
        assert "3/7  checking files" in screen.getvalue()
    assert screen.getvalue().endswith(GONE)

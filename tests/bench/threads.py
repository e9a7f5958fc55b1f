"""Threads that a test starts, told from those that another test left to end by themselves."""

from __future__ import annotations

import threading


class Threads:
    """Watches which threads begin after it was made."""

    def __init__(self) -> None:
        self._before = {*threading.enumerate()}

    def begun(self) -> list[threading.Thread]:
        """Those that began since and have not ended."""
        return [thread for thread in threading.enumerate() if thread not in self._before]

"""Whether code of a plug-in altered settings of the whole process: found, put back, and named."""

from __future__ import annotations

import concurrent.futures.thread
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bench.train.isolation.settings import SETTINGS, Alteration
from bench.train.isolation.streams import StandardStreams
from registry.errors import ContractError

_POOL_THREAD = getattr(concurrent.futures.thread, "_worker", None)
"""What threads of a pool run; they end when the program does."""


class ProcessState:
    """The settings of this process as they were when this was made."""

    def __init__(self) -> None:
        self._before = {setting: setting.get() for setting in SETTINGS}
        self._output = StandardStreams()
        self._threads = set(threading.enumerate())

    def put_back(self) -> list[Alteration]:
        """Put back whatever was altered; what it was, the decisive first."""
        found = self._output.put_back()
        for setting, before in self._before.items():
            after = setting.get()
            if after != before and after is not None:
                found.append(Alteration(setting, before, after))
                with suppress(OSError, ValueError, RuntimeError):  # a folder that is gone; a signal, in a thread
                    setting.set(before)
        return sorted(found, key=lambda altered: not altered.setting.decides)

    def new_threads(self) -> list[str]:
        """Names of threads that were started since, go on, and will keep the program from ending; pools do not."""
        since = [thread for thread in threading.enumerate() if thread not in self._threads and not thread.daemon]
        return [thread.name for thread in since if getattr(thread, "_target", None) is not _POOL_THREAD]


@contextmanager
def settings_kept(whose: str) -> Iterator[None]:
    """Around a call of a plug-in's code; afterwards the settings of the process are as before.

    Args:
        whose: names the plug-in, for the message.

    Raises:
        ContractError: it altered a setting that decides outcomes; in the place of whatever else it raised.
    """
    state = ProcessState()
    try:
        yield
    except (Exception, SystemExit) as error:
        check_unaltered(whose, state.put_back(), error)
        raise
    except BaseException:
        state.put_back()
        raise
    check_unaltered(whose, state.put_back())


def check_unaltered(whose: str, found: list[Alteration], cause: BaseException | None = None) -> None:
    """Refuse alterations of what decides outcomes.

    Raises:
        ContractError: at least one of them decides outcomes.
    """
    decisive = [str(altered) for altered in found if altered.setting.decides]
    if decisive:
        raise ContractError(
            f"{whose} alters {'; '.join(decisive)}: that is the whole process's, and other runs would have it too; "
            "leave it as it is, or alter it within a context that puts it back"
        ) from cause

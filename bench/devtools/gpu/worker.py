"""The process that measures: ``python -m bench.devtools.gpu.worker``, started by `bench.devtools.gpu.__main__`.

It says ``BEGIN part`` and ``DONE part`` on its standard output, and ends early when the device no longer answers.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from bench.core.machine import pick_device
from bench.devtools.gpu.journal import Journal
from bench.devtools.gpu.plan import TINY, Scale, parts

SPOILT = 3
"""Exit code of a process whose device context is broken."""


@dataclass(frozen=True)
class Setting:
    """What a part measures on, how large, and where its lines go."""

    device: torch.device
    scale: Scale
    journal: Journal
    scratch: Path

    @property
    def cuda(self) -> bool:
        """Whether a GPU is used."""
        return self.device.type == "cuda"

    def synchronise(self) -> None:
        """Wait for the device."""
        if self.cuda:
            torch.cuda.synchronize(self.device)


def main() -> int:
    """Measure the parts that are named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="+")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scratch", type=Path, required=True, help="a folder that whoever started this removes")
    parser.add_argument("--tiny", action="store_true")
    arguments = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))  # held back while this was started
    faulthandler.enable()  # a crash in a library says on the terminal which line of Python it happened in
    scale = TINY if arguments.tiny else Scale()
    setting = Setting(pick_device(arguments.device), scale, Journal(arguments.out), arguments.scratch)
    for name in arguments.parts:
        print(f"BEGIN {name}", flush=True)
        spoilt = run_part(name, setting)
        print(f"DONE {name}", flush=True)
        if spoilt:
            return SPOILT
    return 0


def run_part(name: str, setting: Setting) -> bool:
    """Measure a part, and write down what stopped it if anything did; returns whether the device is spoilt."""
    began = time.monotonic()
    try:
        _function(parts()[name].function)(setting)
    except Exception as error:
        text = "".join(traceback.format_exception(error))[-1500:]
        setting.journal.line(name, error=f"{type(error).__name__}: {error}"[:500], traceback=text)
    try:
        setting.synchronise()
        if setting.cuda:
            torch.cuda.empty_cache()
    except Exception as error:
        setting.journal.line(name, error=f"the device no longer answers: {error}"[:500])
        return True
    setting.journal.line("time", of=name, seconds=time.monotonic() - began)
    return False


def _function(path: str) -> Callable[[Setting], None]:
    module, _, name = path.partition(":")
    found: Callable[[Setting], None] = getattr(importlib.import_module(f"bench.devtools.gpu.{module}"), name)
    return found


if __name__ == "__main__":
    sys.exit(main())

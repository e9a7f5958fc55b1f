"""`Environment`: what machine and software a run had, as data; nothing in it names a person, a host or a path."""

from __future__ import annotations

import hashlib
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from bench.core.amount import amount
from bench.core.files import canonical_json


class Environment(BaseModel):
    """A machine fingerprint: only timings of the same fingerprint are compared.

    Attributes:
        device: what the run computed on, by its maker's name.
        processor: the CPU, by its maker's name; the device of a run on a CPU.
        cores, threads: processor cores of the machine, and threads torch uses.
        memory_gib, gpu_memory_gib: main memory, and the GPU's; None on a CPU.
        system: name of the operating system, and the processor's architecture.
        python: version of the interpreter.
        packages: versions.
        instructions: the widest vector instructions torch found.
        cuda: version that torch was built for; None on a CPU.
        driver, cudnn: versions; None on a CPU, and in records of before they were written down.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    _HOST_ONLY: ClassVar[set[str]] = {"processor", "cores", "threads", "memory_gib", "instructions", "python"}

    device: str
    processor: str
    cores: int
    threads: int
    memory_gib: int
    gpu_memory_gib: int | None
    system: str
    python: str
    instructions: str
    cuda: str | None
    packages: dict[str, str]
    driver: str | None = None
    cudnn: str | None = None

    @property
    def fingerprint(self) -> str:
        """Eight hex digits: of a CPU over all of it, of a GPU over what decides its pace and its numbers."""
        facts = self.model_dump(exclude={"driver", "cudnn"} if self.driver is None else self._HOST_ONLY)
        return hashlib.sha256(canonical_json(facts).encode()).hexdigest()[:8]

    @property
    def label(self) -> str:
        """A line for people."""
        where = f"{self.device}, {amount(self.threads, 'thread')}" if self.cuda is None else self.device
        return f"{where}, torch {self.packages['torch']}"

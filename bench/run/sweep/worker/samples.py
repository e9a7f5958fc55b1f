"""Samples that every process of a sweep needs: rendered by the first, read from a file by the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from bench.data.loading.loader import Loader, Progress
from bench.data.loading.packed_files import PackedFiles

_ROWS_AT_ONCE = 4096


def ready_samples(folder: Path) -> type[Loader]:
    """Loaders of samples that lie packed in a folder once any process of this machine has rendered them.

    On a GPU samples are rendered there, faster than a file is read.

    Args:
        folder: of the packed samples.
    """

    class ReadyLoader(Loader):
        """Reads rows from files that runs share, if there is room for them."""

        def _rows(self, progress: Progress) -> Iterator[Tensor]:
            files, rendered = PackedFiles(folder), super()._rows(progress)
            size = self.count * self._form.bytes
            if self.source.device.type == "cuda" or self.source.own_pack(self.size) != "none" or size > files.budget():
                return rendered
            rows = files.get(self._key(), self.count, self._form.bytes, rendered)
            return iter(torch.split(rows, _ROWS_AT_ONCE))

    return ReadyLoader

"""`Batch`: some samples, on the device or on their way to it."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from registry.contract import Quartet


class Batch:
    """Some samples, on the device or on their way to it.

    Args:
        ids: of the samples, (B,) int64 on the CPU.
        device_ids: the same on the device.
        quartet: the samples on the device, or a function that waits for them and returns them.
        copy_ms: see below.

    Attributes:
        copy_ms: returns the milliseconds that the copy took on its own stream, None without a copy; to be
            called after a synchronisation, and may be kept until then, as it does not keep the samples.
    """

    def __init__(
        self,
        ids: Tensor,
        device_ids: Tensor,
        quartet: Quartet | Callable[[], Quartet],
        copy_ms: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.ids, self._device_ids, self._quartet, self.copy_ms = ids, device_ids, quartet, copy_ms

    def arrive(self) -> Quartet:
        """The samples on the device; the current stream waits for a copy that is not done, the host does not."""
        if not isinstance(self._quartet, Quartet):
            self._quartet = self._quartet()
        return self._quartet

    @property
    def quartet(self) -> Quartet:
        """What arrived."""
        return self.arrive()

    @property
    def device_ids(self) -> Tensor:
        """The samples' ids on the device, (B,) int64."""
        self.arrive()
        return self._device_ids

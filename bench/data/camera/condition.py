"""What the camera does between the photograph of the background and that of the scene.

A still camera makes the task nearly trivial, so a hand-held camera is the default: it moved
a little, exposed differently, and adds noise and compression of its own to each photograph.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from bench.core.errors import BenchError
from bench.data.camera import cameras
from bench.data.counter_random import normal, quantiles, stream_key, uniform, whole_numbers
from bench.data.images.jpeg import compress_in_place, compress_jpeg
from bench.data.kernels.available import fused
from registry.contract import Quartet
from registry.ranges import between


@dataclass(frozen=True)
class Camera:
    """A camera condition; all zero is a camera on a tripod.

    Attributes:
        shift: largest displacement of bg against bg_fg along each axis, as a fraction of the width.
        gain: largest relative change of exposure of bg against bg_fg, per channel.
        noise: standard deviation of the sensor noise, on both photographs independently.
        jpeg: probability that a photograph is compressed, for each independently.
        quality: lowest and highest JPEG quality drawn.
    """

    shift: float = 0.0
    gain: float = 0.0
    noise: float = 0.0
    jpeg: float = 0.0
    quality: tuple[int, int] = (40, 90)

    @property
    def is_still(self) -> bool:
        """Whether the photographs pass through unchanged."""
        return not (self.shift or self.gain or self.noise or self.jpeg)

    def draws(self, seed: int, stream: str, ids: Tensor) -> dict[str, Tensor]:
        """What this camera drew for each sample.

        Returns:
            ``shift`` (B, 2) in fractions of the width, right and down; ``gain`` (B, 3); ``noise`` (B,) standard
            deviation; ``jpeg_bg`` and ``jpeg_bg_fg`` (B,) quality, 0 where not compressed.
        """
        if self.is_still:
            return {}
        u = uniform(seed, f"{stream}/camera", ids, 9)
        quality = whole_numbers(u[:, 7:9], *self.quality)
        jpeg = torch.where(u[:, 5:7] < self.jpeg, quality, torch.zeros_like(quality))
        return {
            "shift": (u[:, 0:2] * 2 - 1) * self.shift,
            "gain": 1 + (u[:, 2:5] * 2 - 1) * self.gain,
            "noise": torch.full_like(u[:, 0], self.noise),
            "jpeg_bg": jpeg[:, 0],
            "jpeg_bg_fg": jpeg[:, 1],
        }

    def shoot(self, scenes: Quartet, seed: int, stream: str, ids: Tensor) -> Quartet:
        """The photographs as this camera takes them, in [0, 1]; targets stay, as they belong to bg_fg, which stays put.

        Args:
            scenes: what a perfect camera would see.
            seed, stream, ids: what the draws depend on, see `draws`.
        """
        if self.is_still:
            return scenes
        drawn = self.draws(seed, stream, ids)
        photographs = {"bg_fg": scenes.bg_fg}
        if scenes.bg is not None:
            photographs["bg"] = scenes.bg
        for name, image in photographs.items():
            moved = (drawn["shift"], drawn["gain"]) if name == "bg" else None
            noisy = self._expose(image, seed, f"{stream}/noise/{name}", ids, moved)
            photographs[name] = compress_some(noisy, drawn[f"jpeg_{name}"])
        return Quartet.of({**dict(scenes.tensors()), **photographs})

    def _expose(
        self, image: Tensor, seed: int, stream: str, ids: Tensor, moved: tuple[Tensor, Tensor] | None
    ) -> Tensor:
        """Images, moved and multiplied if so wanted, with noise."""
        with fused(image, "exposure") as by_kernel:
            if by_kernel:
                from bench.data.kernels.exposure import expose

                return expose(image, ids, stream_key(seed, stream), quantiles(ids.device), float(self.noise), moved)
        if moved is not None:
            shift, gain = moved
            image = translate(image, shift).mul_(gain[:, :, None, None])
        noise = normal(seed, stream, ids, image[0].numel()).view_as(image)
        return noise.mul_(self.noise).add_(image).clamp_(0, 1)


@cameras.register(
    ranges={
        "shift": between(0, 0.5),
        "gain": between(0, 0.9),
        "noise": between(0, 1),
        "jpeg": between(0, 1),
        "lowest": between(1, 100),
        "highest": between(1, 100),
    }
)
def handheld(
    shift: float = 0.03, gain: float = 0.12, noise: float = 0.02, jpeg: float = 0.3, lowest: int = 40, highest: int = 90
) -> Camera:
    """Moved a little between the photographs, exposed anew, with noise, and compressed now and then."""
    if lowest > highest:
        raise BenchError(f"camera 'handheld': the lowest quality, {lowest}, is above the highest, {highest}")
    return Camera(shift, gain, noise, jpeg, (lowest, highest))


@cameras.register()
def still() -> Camera:
    """On a tripod, without noise: as the published systems had it."""
    return Camera()


@lru_cache(maxsize=64)
def find_camera(key: str) -> Camera:
    """The camera condition of a key.

    Raises:
        UnknownName: no camera of that name; the message names the nearest.
        BadParameter: a parameter it does not take, or outside its range.
    """
    return cameras.build(key)


def translate(images: Tensor, shift: Tensor) -> Tensor:
    """Move (B, C, H, W) right and down by ``shift`` (B, 2) fractions of the width, bilinear, rim reflected."""
    height, width = images.shape[-2:]
    x = torch.arange(width, device=images.device) - shift[:, :1] * width
    y = torch.arange(height, device=images.device) - shift[:, 1:] * width
    grid = torch.empty(len(images), height, width, 2, device=images.device)
    grid[..., 0] = ((x + 0.5) * (2 / width) - 1)[:, None, :]
    grid[..., 1] = ((y + 0.5) * (2 / height) - 1)[:, :, None]
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def compress_some(images: Tensor, quality: Tensor) -> Tensor:
    """`compress_jpeg` on those of (B, 3, H, W) whose ``quality`` (B,) is above 0; may change ``images``.

    Without kernels, picking them out makes the host wait for a GPU, once, and spares it most of the work.
    """
    with fused(images, "jpeg") as by_kernel:
        if by_kernel and images.shape[-2] % 8 == images.shape[-1] % 8 == 0:
            return compress_in_place(images.float().contiguous(), quality)
    chosen = quality.nonzero()[:, 0]
    if len(chosen) == 0:
        return images
    compressed = compress_jpeg(images.index_select(0, chosen), quality.index_select(0, chosen))
    return images.index_copy_(0, chosen, compressed)

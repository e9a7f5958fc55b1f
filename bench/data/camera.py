"""What the camera does between the photograph of the background and that of the scene.

A still camera makes the task nearly trivial, so a hand-held one is the default: it moved
a little, exposed differently, and adds noise and compression of its own to each photograph.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from bench.core.errors import BenchError
from bench.data.counter_random import normal, uniform
from registry.contract import Quartet

# The tables of ITU-T T.81 annex K, which libjpeg scales by quality.
_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
# Of whole numbers many coefficients lie halfway between two levels, where the sum's last bit must not decide.
_AWAY_FROM_ZERO = 1e-4


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
        low, high = self.quality
        quality = (low + u[:, 7:9] * (high - low + 1)).floor()
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
            photographs["bg"] = translate(scenes.bg, drawn["shift"]).mul_(drawn["gain"][:, :, None, None])
        for name, image in photographs.items():
            noise = normal(seed, f"{stream}/noise/{name}", ids, image[0].numel()).view_as(image)
            noisy = noise.mul_(self.noise).add_(image).clamp_(0, 1)
            photographs[name] = _compress_some(noisy, drawn[f"jpeg_{name}"])
        return Quartet.of({**dict(scenes.tensors()), **photographs})


CAMERAS: dict[str, Camera] = {
    "handheld": Camera(shift=0.03, gain=0.12, noise=0.02, jpeg=0.3),
    "still": Camera(),
}


def camera_named(name: str) -> Camera:
    """The camera condition of that name.

    Raises:
        BenchError: no such camera; the message names them all.
    """
    if name not in CAMERAS:
        raise BenchError(f"unknown camera {name!r}; there are: {', '.join(sorted(CAMERAS))}")
    return CAMERAS[name]


def translate(images: Tensor, shift: Tensor) -> Tensor:
    """Move (B, C, H, W) right and down by ``shift`` (B, 2) fractions of the width, bilinear, rim reflected."""
    height, width = images.shape[-2:]
    x = torch.arange(width, device=images.device) - shift[:, :1] * width
    y = torch.arange(height, device=images.device) - shift[:, 1:] * width
    grid = torch.empty(len(images), height, width, 2, device=images.device)
    grid[..., 0] = ((x + 0.5) * (2 / width) - 1)[:, None, :]
    grid[..., 1] = ((y + 0.5) * (2 / height) - 1)[:, :, None]
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _compress_some(images: Tensor, quality: Tensor) -> Tensor:
    """`jpeg` on those images whose quality is above 0; may change ``images``."""
    if images.device.type == "cpu":
        chosen = quality.nonzero()[:, 0]
        return images.index_copy_(0, chosen, jpeg(images[chosen], quality[chosen])) if len(chosen) else images
    # Picking them out would make the host wait for the device; compressing all is cheaper there.
    return torch.where((quality > 0)[:, None, None, None], jpeg(images, quality.clamp(min=1)), images)


@lru_cache(maxsize=8)
def _transform(device: torch.device) -> Tensor:
    """The orthonormal two-dimensional 8x8 DCT as a (64, 64) matrix on row-major blocks."""
    k, n = torch.arange(8.0, dtype=torch.float64)[:, None], torch.arange(8.0, dtype=torch.float64)[None, :]
    rows = torch.cos(math.pi * (2 * n + 1) * k / 16) / 2
    rows[0] /= math.sqrt(2)
    return torch.kron(rows, rows).float().to(device)


@lru_cache(maxsize=8)
def _tables(device: torch.device) -> Tensor:
    """Luma, chroma, chroma quantisation at quality 50, (3, 64)."""
    return torch.tensor([_LUMA, _CHROMA, _CHROMA], dtype=torch.float32, device=device).view(3, 64)


def _quantisation(quality: Tensor) -> Tensor:
    """libjpeg's step sizes for qualities 1 to 100, (B,) to (B, 3, 1, 64)."""
    scale = torch.where(quality < 50, torch.floor(5000 / quality), 200 - 2 * quality)
    steps = torch.floor((_tables(quality.device) * scale[:, None, None] + 50) / 100)
    return steps.clamp(1, 255)[:, :, None, :]


def jpeg(images: Tensor, quality: Tensor) -> Tensor:
    """What baseline JPEG without chroma subsampling makes of images.

    Args:
        images: (B, 3, H, W) in [0, 1], any size; rims are continued to whole blocks.
        quality: (B,) whole numbers from 1 to 100, libjpeg's scale.

    Returns:
        (B, 3, H, W) on the 256 levels of an 8-bit file.
    """
    height, width = images.shape[-2:]
    pixels = (images * 255).round_()
    if height % 8 or width % 8:
        pixels = functional.pad(pixels, (0, -width % 8, 0, -height % 8), mode="replicate")
    down, across = pixels.shape[-2] // 8, pixels.shape[-1] // 8
    r, g, b = pixels.unbind(1)
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    planes = torch.stack([luma, (b - luma) / 1.772 + 128, (r - luma) / 1.402 + 128], dim=1)
    planes.round_().sub_(128)
    blocks = planes.view(-1, 3, down, 8, across, 8).transpose(3, 4).reshape(-1, 3, down * across, 64)
    steps, transform = _quantisation(quality), _transform(images.device)
    levels = (blocks @ transform.T).div_(steps)
    levels = levels.add_(levels.sign().mul_(_AWAY_FROM_ZERO)).round_()
    planes = levels.mul_(steps) @ transform
    planes = planes.view(-1, 3, down, across, 8, 8).transpose(3, 4).reshape(-1, 3, 8 * down, 8 * across)
    luma, blue, red = planes.round_().add_(128).clamp_(0, 255)[..., :height, :width].unbind(1)
    blue, red = blue - 128, red - 128
    rgb = torch.stack([luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue], dim=1)
    return rgb.round_().clamp_(0, 255).div_(255)

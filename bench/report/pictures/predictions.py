"""Pictures of scenes and predictions, a row per scene."""

from __future__ import annotations

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from registry.contract import Prediction, Quartet

_SIDE = 128
_GAP = 4
_CAPTION = 18
_NAN = (70, 70, 70)
# Black, violet, orange, yellow: dark is near. Evenly spaced stops of the "inferno" map.
_STOPS = torch.tensor([[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]], dtype=torch.float32)


def prediction_picture(quartet: Quartet, prediction: Prediction) -> Image.Image:
    """Columns bg, bg_fg, mask, predicted mask, depth, predicted depth, as far as they exist.

    Each row has its own depth scale, from the least to the greatest known true depth; unknown depth is grey.
    """
    columns: dict[str, list[Image.Image]] = _scene_columns(quartet)
    low, high = _range(quartet, prediction)
    if prediction.mask is not None:
        columns["predicted mask"] = [_grey(mask) for mask in prediction.mask.value]
    if prediction.depth is not None:
        depths = prediction.depth.value
        columns["predicted depth"] = [_heat(d, low[i], high[i], None) for i, d in enumerate(depths)]
    order = ["bg", "bg_fg", "mask", "predicted mask", "depth", "predicted depth"]
    return _sheet({name: columns[name] for name in order if name in columns})


def _scene_columns(quartet: Quartet) -> dict[str, list[Image.Image]]:
    columns = {} if quartet.bg is None else {"bg": [_photo(x) for x in quartet.bg]}
    columns["bg_fg"] = [_photo(x) for x in quartet.bg_fg]
    if quartet.mask is not None:
        columns["mask"] = [_grey(x) for x in quartet.mask]
    if quartet.depth is not None and quartet.valid is not None:
        low, high = _range(quartet, Prediction())
        rows = zip(quartet.depth, low, high, quartet.valid, strict=True)
        columns["depth"] = [_heat(d, lo, hi, v) for d, lo, hi, v in rows]
    return columns


def _range(quartet: Quartet, prediction: Prediction) -> tuple[Tensor, Tensor]:
    """Least and greatest depth to draw, (B,) each."""
    if quartet.depth is not None and quartet.valid is not None:
        known = quartet.valid > 0
        low = torch.where(known, quartet.depth, torch.inf).amin((1, 2, 3))
        high = torch.where(known, quartet.depth, -torch.inf).amax((1, 2, 3))
        some = known.any(1).any(1).any(1)  # where nothing is known, the whole range
        low, high = torch.where(some, low, 0.0), torch.where(some, high, 1.0)
        return low, torch.maximum(high, low + 1e-3)
    depths = prediction.depth.value if prediction.depth is not None else torch.zeros(len(quartet), 1, 1, 1)
    return depths.amin((1, 2, 3)), depths.amax((1, 2, 3)) + 1e-3


def _photo(image: Tensor) -> Image.Image:
    return _image(image.permute(1, 2, 0))


def _grey(image: Tensor) -> Image.Image:
    return _image(image[0, :, :, None].expand(-1, -1, 3))


def _heat(depth: Tensor, low: Tensor, high: Tensor, valid: Tensor | None) -> Image.Image:
    known = ~depth[0].isnan() if valid is None else valid[0] > 0
    grey = torch.tensor(_NAN, device=depth.device) / 255.0
    return _image(torch.where(known[..., None], heat_colours((depth[0].float() - low) / (high - low)), grey))


def heat_colours(at: Tensor) -> Tensor:
    """Colours (..., 3) in [0, 1] for values in [0, 1], dark for 0; values outside are clamped."""
    stops = (_STOPS / 255.0).to(at.device)
    place = at.nan_to_num().clamp(0, 1) * (len(stops) - 1)
    below = place.floor().clamp(max=len(stops) - 2).long()
    part = (place - below)[..., None]
    return stops[below] * (1 - part) + stops[below + 1] * part


def _image(pixels: Tensor) -> Image.Image:
    values = (pixels.float() * 255).round().clamp(0, 255).to(torch.uint8).cpu().contiguous().numpy()
    picture = Image.fromarray(values)
    sampling = Image.Resampling.NEAREST if picture.height <= _SIDE else Image.Resampling.BILINEAR
    return picture.resize((_SIDE * picture.width // picture.height, _SIDE), sampling)


def _sheet(columns: dict[str, list[Image.Image]]) -> Image.Image:
    rows = len(next(iter(columns.values())))
    width = next(iter(columns.values()))[0].width
    size = (len(columns) * (width + _GAP) + _GAP, rows * (_SIDE + _GAP) + _GAP + _CAPTION)
    sheet = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=13)
    for column, (name, pictures) in enumerate(columns.items()):
        left = _GAP + column * (width + _GAP)
        pen.text((left + width / 2, _CAPTION / 2 + 1), name, fill="black", anchor="mm", font=font)
        for row, picture in enumerate(pictures):
            sheet.paste(picture, (left, _CAPTION + _GAP + row * (_SIDE + _GAP)))
    return sheet

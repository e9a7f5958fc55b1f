from __future__ import annotations

import numpy as np
import pytest
import torch

from bench.data.synthetic import source as synthetic
from bench.data.synthetic.families import FAMILIES, PARTS, ROUND
from bench.data.synthetic.figures import make_figures
from bench.data.synthetic.raycast import FAR, cast_figure, cast_room, part_code, surface_code
from bench.data.synthetic.rooms import SHELL, make_rooms
from bench.data.synthetic.scene import place_scenes
from bench.data.synthetic.source import Synthetic
from bench.data.synthetic.textures import PATTERNS, atlas


@pytest.fixture(scope="module")
def still() -> Synthetic:
    return Synthetic(camera="still")


@pytest.fixture(scope="module")
def handheld() -> Synthetic:
    return Synthetic()


def stage_of(source: Synthetic, count: int):
    ids = torch.arange(count)
    rooms, figures = source.groups("train", ids)
    scenes = place_scenes(source._rooms.rows(rooms), source._figures.rows(figures), source.seed, "s", ids)
    x = torch.linspace(-0.97, 0.98, 23, dtype=torch.float64).expand(count, 23)
    y = torch.linspace(0.96, -0.98, 19, dtype=torch.float64).expand(count, 19)
    return scenes, x, y


def world_rays(scenes, x, y) -> np.ndarray:
    view = scenes.view
    rays = view.forward[:, None, None] + view.right[:, None, None] * x[:, None, :, None]
    return (rays + view.up[:, None, None] * y[:, :, None, None]).numpy()


def test_rooms_against_marching_along_the_ray(still: Synthetic) -> None:
    scenes, x, y = stage_of(still, 12)
    depth = cast_room(scenes.view, scenes.rooms, scenes.view.rays(x, y))
    surface, axis = (code.numpy() for code in surface_code(depth))
    depth = depth.numpy()
    rays, eye = world_rays(scenes, x, y), scenes.view.eye.numpy()
    low, high = (np.stack(corner.numpy()) for corner in scenes.rooms.corners())
    for sample in range(12):
        boxes = list(zip(scenes.rooms.low[sample].numpy(), scenes.rooms.high[sample].numpy(), strict=True))
        free = np.ones(depth[sample].shape, dtype=bool)
        for t in np.arange(0.05, 14, 0.01):
            point = eye[sample] + t * rays[sample]
            solid = ((point < low[sample]) | (point > high[sample])).any(-1)
            for lower, upper in boxes:
                solid |= ((point > lower) & (point < upper)).all(-1)
            # Nothing may be solid clearly before the depth found, and what was found must be solid just after it
            # (but for corners that a step jumps over).
            assert not (solid & (t < depth[sample] - 1e-3)).any()
            free &= ~(solid & (t < depth[sample] + 0.03))
        assert free.mean() < 0.02
    assert ((surface >= 0) & (surface < SHELL + 7)).all()
    assert (axis[surface < SHELL] == surface[surface < SHELL] // 2).all()
    assert (surface >= SHELL).mean() > 0.03, "furniture is visible"


def test_figures_against_marching_along_the_ray(still: Synthetic) -> None:
    count = 2 * len(FAMILIES)
    scenes, x, y = stage_of(still, count)
    # A finer grid around the figure.
    x = scenes.middle[:, :1] + 0.4 * x
    y = scenes.middle[:, 1:] + 0.75 * y
    depth = cast_figure(scenes.solids, x, y)
    parts, depth = part_code(depth).numpy(), depth.numpy()
    solids = {name: getattr(scenes.solids, name).numpy() for name in ("eye", "forward", "right", "up", "profile")}
    agree = hits = close = same = 0
    for sample in range(count):
        first = np.full(depth[sample].shape, np.inf)
        part = np.zeros(depth[sample].shape, dtype=int)
        for p in range(PARTS):
            if solids["profile"][sample, p, 0] < 0:
                continue
            columns = x[sample].numpy()[None, :, None] * solids["right"][sample, p]
            ray = solids["forward"][sample, p] + columns + y[sample].numpy()[:, None, None] * solids["up"][sample, p]
            for t in np.arange(0.8, 8.5, 0.008):
                a, b, c = np.moveaxis(solids["eye"][sample, p] + t * ray, -1, 0)
                k0, k1, k2 = solids["profile"][sample, p]
                within = a * a + c * c <= k0 + k1 * b + k2 * b * b if p < ROUND else (abs(a) <= 1) & (abs(c) <= 1)
                nearer = within & (abs(b) <= 1) & (t < first)
                part[nearer] = p
                first[nearer] = t
        hit, expected = depth[sample] < FAR / 2, np.isfinite(first)
        agree += (hit == expected).sum()
        both = hit & expected
        hits += both.sum()
        # But for rays that graze.
        close += (np.abs(depth[sample][both] - first[both]) < 0.009).sum()
        same += (parts[sample][both] == part[both]).sum()
    assert hits > 1000
    assert close / hits > 0.99
    assert same / hits > 0.97
    assert agree / depth.size > 0.995


def test_only_the_contact_shadow_differs_outside_the_mask(still: Synthetic) -> None:
    quartet = still.render("train", torch.arange(100), 64)
    outside = quartet.mask == 0
    change = (quartet.bg_fg - quartet.bg) * outside
    assert change.max() <= 1e-6, "a shadow darkens"
    assert change.min() > -0.5
    share = ((change.abs().amax(1) > 1e-6).float().sum((1, 2)) / outside.sum((1, 2, 3))).mean()
    assert 0.01 < share < 0.25


def test_the_figure_stands_before_what_it_covers(still: Synthetic) -> None:
    ids = torch.arange(100)
    quartet = still.render("train", ids, 64)
    rooms, figures = still.groups("train", ids)
    scenes = place_scenes(still._rooms.rows(rooms), still._figures.rows(figures), 0, still.stream("train"), ids)
    # The room alone, by the rays of each element's first quarter.
    centre = ((torch.arange(0, 128, 2, dtype=torch.float64) + 0.5) / 64 - 1).expand(100, 64)
    room = (cast_room(scenes.view, scenes.rooms, scenes.view.rays(centre, -centre))[:, None] / 10).clamp(0, 1)
    inside = quartet.mask >= 0.5
    assert (quartet.depth[inside] <= room[inside]).all()
    assert (quartet.depth[inside] < room[inside] - 0.002).float().mean() > 0.97
    torch.testing.assert_close(quartet.depth[~inside], room[~inside])
    # Most of the figure is as far away as its foot.
    away = ((scenes.foot - scenes.view.eye) * scenes.view.forward).sum(1).float() / 10
    middle = torch.stack([quartet.depth[i][inside[i]].median() for i in range(100)])
    assert ((middle - away).abs() < 0.06).float().mean() > 0.95


def test_the_window_cuts_nothing_off(still: Synthetic, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = torch.arange(300)
    windowed = still.render("train", ids, 32)
    monkeypatch.setattr(synthetic, "_WINDOW", (1.0, 1.0))
    whole = still.render("train", ids, 32)
    cut = (windowed.mask != whole.mask).flatten(1).any(1).float().mean()
    assert cut <= 0.01


def test_statistics(still: Synthetic) -> None:
    quartet = still.render("train", torch.arange(300), 64)
    area = quartet.mask.mean((1, 2, 3))
    assert 0.05 < area.mean() < 0.08
    assert area.min() > 0.005
    assert (area > 0.2).float().mean() < 0.02
    assert quartet.valid.min() == 1
    assert 0.2 < quartet.depth.mean() < 0.45
    assert quartet.depth.flatten(1).std(1).min() > 0.02
    assert 0.3 < quartet.bg.mean() < 0.65
    assert len({tuple(image.flatten().tolist()) for image in quartet.bg}) == 300


def test_resolutions_show_the_same_scene(still: Synthetic) -> None:
    ids = torch.arange(20)
    small, large = still.render("train", ids, 32), still.render("train", ids, 96)
    pooled = {name: torch.nn.functional.avg_pool2d(tensor, 3) for name, tensor in large.tensors()}
    assert (pooled["mask"] - small.mask).abs().mean() < 0.005
    assert (pooled["depth"] - small.depth).abs().mean() < 0.01
    assert (pooled["bg"] - small.bg).abs().mean() < 0.04


def threshold_dice(source: Synthetic) -> float:
    """Best mean Dice over thresholds of the largest channel difference."""
    quartet = source.render("train", torch.arange(200), 64)
    difference = (quartet.bg_fg - quartet.bg).abs().amax(1, keepdim=True)
    truth = (quartet.mask >= 0.5).float()
    scores = []
    for threshold in (0.08, 0.12, 0.16, 0.2, 0.25, 0.3, 0.35):
        guess = (difference > threshold).float()
        both = (guess * truth).sum((1, 2, 3))
        scores.append((2 * both / (guess + truth).sum((1, 2, 3)).clamp(min=1)).mean().item())
    return max(scores)


def test_it_is_harder_under_a_handheld_camera(still: Synthetic, handheld: Synthetic) -> None:
    assert threshold_dice(still) > 0.7
    assert 0.3 < threshold_dice(handheld) < 0.55


def test_identities() -> None:
    figures, rooms = make_figures(0, 64), make_rooms(0, 64)
    assert len({tuple(row.tolist()) for row in figures.colour.flatten(1)}) == 64
    assert len({tuple(row.tolist()) for row in rooms.paint.flatten(1)}) == 64
    first = figures.colour[..., :3]
    assert first.min() >= 0
    assert (first + figures.colour[..., 3:]).max() <= 1
    assert torch.equal(figures.matrix[:8], make_figures(0, 8).matrix), "more figures do not change the first"
    assert torch.equal(rooms.paint[:8], make_rooms(0, 8).paint)
    assert not torch.equal(rooms.paint, make_rooms(1, 64).paint)
    assert (rooms.low <= rooms.high).all()


def test_tiles_repeat_without_a_seam() -> None:
    tiles = atlas(0)[:, : 128 * 128].view(len(PATTERNS), -1, 128, 128)
    for name, of_pattern in zip(PATTERNS, tiles, strict=True):
        assert 0 <= of_pattern.min() and of_pattern.max() <= 1
        assert of_pattern.std() > 0.02, name
    smooth = tiles[list(PATTERNS).index("plain")]
    seam = (smooth[..., 0] - smooth[..., -1]).abs().mean()
    inner = (smooth[..., 1] - smooth[..., 0]).abs().mean()
    assert seam < 3 * inner

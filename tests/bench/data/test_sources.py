"""What every source must do, whatever it shows."""

from __future__ import annotations

import copy
import importlib
import inspect
import json
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.audit.conformance import Check, NotApplicable
from bench.audit.conformance.source import CHECKS, SourcePlugin
from bench.core.errors import BenchError
from bench.data.camera import cameras
from bench.data.options import REQUIRED
from bench.data.source import Source
from bench.data.sources import BUILT_IN, declared, open_source, options_of, sources
from bench.data.split import FRACTIONS
from bench.data.stored.source import Stored
from registry.errors import UnknownName
from tests.bench.data.stored.conftest import Folder
from tests.bench.rectangles import Rectangles

KINDS = ("synthetic", "composed", "composed without depth")


def class_of(kind: str) -> type[Source]:
    """The class in a built-in source's module whose kind that is."""
    module = importlib.import_module(f"{BUILT_IN[kind]}.source")
    found = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Source)]
    return next(value for value in found if getattr(value, "kind", None) == kind)


def make(kind: str, pictures, **parameters) -> Source:
    kind, _, without_depth = kind.partition(" ")
    files = {}
    if kind == "composed":
        files = {"bg": pictures.bg, "fg": pictures.fg, "bg_depth": None if without_depth else pictures.depth}
        parameters.setdefault("resolution", 64)
    else:
        parameters.setdefault("rooms", 20)
        parameters.setdefault("figures", 32)
    return open_source(kind, **files, **parameters)


@pytest.fixture(scope="module", params=[(kind, camera) for kind in KINDS for camera in cameras.names()], ids="-".join)
def source(request, shared_pictures) -> Source:
    kind, camera = request.param
    return make(kind, shared_pictures, camera=camera)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_conforms(source: Source, check: Check[SourcePlugin], shared_pictures, request) -> None:
    kind, camera = request.node.callspec.params["source"]
    plugin = SourcePlugin(kind, partial(make, kind, shared_pictures, camera=camera))
    plugin.__dict__["source"] = source  # opened once for all checks
    with suppress(NotApplicable):
        check(plugin)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ids=st.lists(st.integers(0, 10**12), min_size=1, max_size=6),
    part=st.sampled_from(list(FRACTIONS)),
    size=st.sampled_from([16, 24, 64, 104]),
)
def test_a_sample_is_a_function_of_its_id_alone(source: Source, ids: list[int], part, size: int) -> None:
    batch = source.render(part, torch.tensor(ids), size).check()
    assert batch.bg.shape == (len(ids), 3, size, size)
    assert (batch.depth is not None) == source.has_depth
    for i, identity in enumerate(ids):
        alone = source.render(part, torch.tensor([identity]), size)
        for name, tensor in alone.tensors():
            assert tensor.dtype == torch.float32
            assert torch.equal(tensor[0], getattr(batch, name)[i]), name


@pytest.mark.parametrize("text", ["handheld[noise=2e-2, shift=.050]", " handheld[ shift = 0.05 ]"])
@pytest.mark.parametrize("kind", ["synthetic", "composed", "stored"])
def test_a_camera_is_described_in_one_spelling(kind: str, text: str, shared_pictures, tmp_path) -> None:
    if kind == "stored":
        options = {"root": Folder(tmp_path / "quartets").root, "packed": tmp_path / "packed"}
        plain, other = (open_source(kind, camera=camera, **options) for camera in ("handheld[shift=0.05]", text))
    else:
        plain, other = (make(kind, shared_pictures, camera=camera) for camera in ("handheld[shift=0.05]", text))
    assert plain.describe()["camera"] == "handheld[shift=0.05]"
    assert other.describe() == plain.describe()


def test_chunks_do_not_show(source: Source) -> None:
    # At this size 128 samples take several chunks.
    ids = torch.arange(128)
    whole = source.render("train", ids, 64)
    for name, tensor in source.render("train", ids.flip(0)[:7], 64).tensors():
        assert torch.equal(tensor, getattr(whole, name).flip(0)[:7])


def test_samples_parts_and_seeds_differ(source: Source, shared_pictures, request) -> None:
    ids = torch.arange(12)
    train = source.render("train", ids, 32)
    assert len({tuple(image.flatten().tolist()) for image in train.bg_fg}) == 12
    assert not torch.equal(train.bg_fg, source.render("test", ids, 32).bg_fg)
    kind, camera = request.node.callspec.params["source"]
    other = make(kind, shared_pictures, camera=camera, seed=1)
    assert not torch.equal(train.bg_fg, other.render("train", ids, 32).bg_fg)


def test_parts_share_no_background_and_no_object(source: Source) -> None:
    found = [source.groups(part, torch.arange(600)) for part in FRACTIONS]
    for which in (0, 1):
        sets = [set(groups[which].tolist()) for groups in found]
        assert not (sets[0] & sets[1] or sets[0] & sets[2] or sets[1] & sets[2])
        assert all(sets)
    assert source.describe()["leaks"] is False


def test_backgrounds_of_one_group_are_one_picture(shared_pictures) -> None:
    source = make("composed", shared_pictures, camera="still")
    ids = torch.arange(300)
    background, _ = source.groups("train", ids)
    shown = source.scenes("train", ids, 32)
    assert len(background) > len(background.unique()) > 1
    for group in background.unique():
        same = shown.bg[background == group]
        assert (same == same[0]).all()


@pytest.mark.parametrize(("which", "pool"), [(0, "_rooms"), (1, "_figures")])
def test_another_room_or_figure_changes_the_samples_of_its_group_alone(which: int, pool: str) -> None:
    source, ids = make("synthetic", None, camera="still"), torch.arange(40)
    groups = source.groups("val", ids)[which]
    group, other = int(groups[0]), int(source.groups("train", ids)[which][0])
    exchanged = copy.copy(source)
    rows = torch.arange(20 if pool == "_rooms" else 32)
    rows[group] = other
    setattr(exchanged, pool, getattr(source, pool).rows(rows))
    before, after = source.scenes("val", ids, 32).bg_fg, exchanged.scenes("val", ids, 32).bg_fg
    changed = (before != after).flatten(1).any(1)
    assert 0 < int(changed.sum()) < len(ids)
    assert torch.equal(changed, groups == group)


@pytest.mark.parametrize("kind", KINDS)
def test_a_shared_split_leaks_and_says_so(kind: str, shared_pictures) -> None:
    source = make(kind, shared_pictures, split="shared")
    assert source.describe()["leaks"] is True
    groups = [set(source.groups(part, torch.arange(900))[0].tolist()) for part in FRACTIONS]
    assert groups[0] == groups[1] == groups[2]


def test_the_object_is_there(source: Source) -> None:
    area = source.render("train", torch.arange(100), 64).mask.mean((1, 2, 3))
    assert area.min() > 0.005
    assert area.max() < 0.35
    assert 0.03 < area.mean() < 0.12


def test_the_description_is_json_and_decides(source: Source, shared_pictures, request) -> None:
    kind, camera = request.node.callspec.params["source"]
    description = json.dumps(source.describe(), sort_keys=True)
    assert json.dumps(make(kind, shared_pictures, camera=camera).describe(), sort_keys=True) == description
    assert str(shared_pictures.bg.parent) not in description
    for change in ({"seed": 3}, {"split": "shared"}, {"camera": "still" if camera == "handheld" else "handheld"}):
        changed = make(kind, shared_pictures, **{"camera": camera, **change})
        assert json.dumps(changed.describe(), sort_keys=True) != description


@pytest.mark.parametrize("kind", KINDS)
def test_some_samples_have_no_object(kind: str, shared_pictures) -> None:
    ids = torch.arange(300)
    plain, sparse = (make(kind, shared_pictures, camera="still", empty_share=share) for share in (0, 0.3))
    full, some = (source.render("train", ids, 32) for source in (plain, sparse))
    empty = some.mask.amax((1, 2, 3)) == 0
    assert torch.equal(empty, sparse.empty("train", ids))
    assert 0.2 < empty.float().mean() < 0.4
    assert torch.equal(some.bg_fg[empty], some.bg[empty])
    for name, tensor in some.tensors():
        assert torch.equal(tensor[~empty], getattr(full, name)[~empty]), name
    if some.depth is not None:
        where = (full.mask < 0.5) & (full.mask == 0)
        assert torch.equal(some.depth[where], full.depth[where])
    assert sparse.describe()["empty_share"] == 0.3
    assert "empty_share" not in plain.describe(), "descriptions of old records stay as they are"
    alone = sparse.render("train", ids[empty][:1], 32)
    assert torch.equal(alone.bg_fg[0], some.bg_fg[empty][0])


def test_camera_draws_are_recorded(source: Source) -> None:
    drawn = source.camera_draws("val", torch.arange(5))
    assert (drawn == {}) == (source.camera == "still")
    assert all(len(values) == 5 for values in drawn.values())


def test_a_still_camera_changes_nothing_and_the_other_leaves_targets(shared_pictures) -> None:
    for kind in KINDS:
        still, handheld = (make(kind, shared_pictures, camera=camera) for camera in ("still", "handheld"))
        ids = torch.arange(10)
        a, b = still.render("train", ids, 32), handheld.render("train", ids, 32)
        for name in ("mask", "depth", "valid"):
            assert getattr(a, name) is None or torch.equal(getattr(a, name), getattr(b, name))
        assert not torch.equal(a.bg, b.bg)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("kind", KINDS)
def test_a_gpu_shows_the_same(kind: str, shared_pictures) -> None:
    source = make(kind, shared_pictures, camera="still")
    on_cpu, on_cuda = (at.render("train", torch.arange(64), 64) for at in (source, source.to("cuda")))
    for name, tensor in on_cpu.tensors():
        difference = (tensor - getattr(on_cuda, name).cpu()).abs()
        assert difference.mean() < 1e-4, name
        assert (difference > 0.02).float().mean() < 1e-3, name


def test_sizes_and_parts_that_do_not_exist(source: Source) -> None:
    for size in (0, 63, -8):
        with pytest.raises(BenchError, match="multiples of 8"):
            source.render("train", torch.arange(2), size)
    with pytest.raises(BenchError, match="train, val, test"):
        source.render("tests", torch.arange(2), 32)  # type: ignore[arg-type]


def test_what_open_source_refuses() -> None:
    with pytest.raises(UnknownName, match="synthetic"):
        open_source("synthetics")
    with pytest.raises(BenchError, match="colour"):
        open_source("synthetic", colour=3)
    with pytest.raises(UnknownName, match="bench list cameras"):
        open_source("synthetic", camera="drone")
    assert {"synthetic", "composed"} <= set(sources.names())
    with pytest.raises(BenchError, match="needs --bg and --fg"):
        open_source("composed")
    with pytest.raises(BenchError, match="--rooms must be from 3"):
        open_source("synthetic", rooms=1)
    with pytest.raises(BenchError, match="--data-seed must be a whole number"):
        open_source("synthetic", seed="x")


@pytest.mark.parametrize("kind", BUILT_IN)
def test_what_a_source_declares_is_what_its_class_takes(kind: str) -> None:
    entry = sources.get(kind)
    taken = inspect.signature(class_of(kind)).parameters
    assert {option.name: option.default for option in options_of(entry)} == {
        name: REQUIRED if parameter.default is parameter.empty else parameter.default
        for name, parameter in taken.items()
        if name != "progress"
    }
    assert declared(kind) == options_of(entry)
    assert all(option.help for option in declared(kind))


class Grey(Rectangles):
    """A source of a user's own, with options in its signature."""

    def __init__(self, root: str, level: float = 0.5, count: int = 3, deep: bool = True) -> None:
        super().__init__(has_depth=deep)
        self.given = (root, level, count, deep)


def test_a_source_of_ones_own_by_module_and_name() -> None:
    made = open_source(f"{__name__}:Grey", root="here", level="1", deep="no")
    assert isinstance(made, Grey)
    assert made.given == ("here", 1.0, 3, False)
    assert open_source(f"{__name__}:Grey[count=7]", root="x").given[2] == 7  # type: ignore[attr-defined]
    with pytest.raises(BenchError, match="needs --root"):
        open_source(f"{__name__}:Grey")
    with pytest.raises(BenchError, match="deep must be true or false"):
        open_source(f"{__name__}:Grey", root="x", deep="perhaps")
    with pytest.raises(BenchError, match=r"takes no option 'rooms'.*root, level, count, deep"):
        open_source(f"{__name__}:Grey", root="x", rooms=3)


def test_the_index_needs_no_torch() -> None:
    code = "import sys, bench.data.sources as s; [s.declared(k) for k in s.BUILT_IN]; print('torch' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"


def test_a_source_that_takes_long_says_how_far_it_is(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "data")
    steps: list[tuple[str, int, int]] = []
    opened = open_source(
        "stored", lambda *step: steps.append(step), root=folder.root, split="shared", packed=tmp_path / "packed"
    )
    assert ("checking files", 16, 16) in steps
    assert any(what == "sorting files" for what, _, _ in steps)
    assert opened.describe() == Stored(folder.root, split="shared").describe()
    open_source("synthetic", lambda *step: pytest.fail("nothing to wait for"))

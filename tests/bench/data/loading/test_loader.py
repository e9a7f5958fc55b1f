"""The loader: every sample once, the same order for the same seed, the same numbers in every tier."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from bench.data.loading.batch import Batch
from bench.data.loading.loader import Loader
from bench.data.loading.packed_files import PackedFiles
from bench.data.source import Source
from bench.data.sources import open_source
from registry.contract import Quartet
from tests.bench.rectangles import Rectangles
from tests.bench.threads import Threads

TIERS = ("resident", "streamed", "live")


def loader(tier: str, folder: Path, source: Source | None = None, count: int = 21) -> Loader:
    budget = 2**30 if tier == "resident" else 0
    packed_files = None if tier == "live" else PackedFiles(folder)
    return Loader(source or Rectangles(), "train", count, 16, 4, budget, packed_files=packed_files)


@pytest.mark.parametrize("tier", TIERS)
def test_every_sample_once(tier: str, tmp_path: Path) -> None:
    first = loader(tier, tmp_path)
    assert first.tier == tier
    assert len(first) == 5
    ids = torch.cat([batch.ids for batch in first.epoch(0, 1)])
    assert len(ids) == len(ids.unique()) == 20  # the incomplete batch is left out of training
    assert torch.cat([batch.ids for batch in first.in_order()]).tolist() == list(range(21))


def assert_same(first: Loader, other: Loader) -> None:
    for a, b in zip(first.epoch(3, 2), other.epoch(3, 2), strict=True):
        assert torch.equal(a.ids, b.ids)
        assert torch.equal(a.device_ids, b.device_ids)
        for (name, x), (_, y) in zip(a.arrive().tensors(), b.arrive().tensors(), strict=True):
            assert torch.equal(x, y), name
            assert x.stride() == y.stride(), name


@pytest.mark.parametrize("tier", ["streamed", "live"])
@pytest.mark.parametrize("has_depth", [True, False])
def test_all_tiers_hand_out_the_same(tier: str, has_depth: bool, tmp_path: Path) -> None:
    assert_same(*(loader(kind, tmp_path, Rectangles(has_depth)) for kind in ("resident", tier)))


@pytest.mark.parametrize("tier", ["streamed", "live"])
def test_all_tiers_hand_out_the_same_photographs(tier: str, tmp_path: Path) -> None:
    assert_same(*(loader(kind, tmp_path, open_source("synthetic"), count=8) for kind in ("resident", tier)))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("tier", ["streamed", "live"])
def test_all_tiers_hand_out_the_same_on_cuda(tier: str, tmp_path: Path) -> None:
    source = open_source("synthetic").to("cuda")
    assert_same(*(loader(kind, tmp_path, source) for kind in ("resident", tier)))
    streamed = loader("streamed", tmp_path, source)
    times = []
    for batch in streamed.epoch(0, 1):
        assert batch.arrive().bg.device.type == batch.device_ids.device.type == "cuda"
        assert batch.ids.device.type == "cpu"
        times.append(batch.copy_ms)
    torch.cuda.synchronize()
    assert all(0 < (time() or 0) < 1000 for time in times)


def test_nothing_is_copied_on_a_cpu(tmp_path: Path) -> None:
    for tier in TIERS:
        assert [batch.copy_ms() for batch in loader(tier, tmp_path).epoch(0, 1)] == [None] * 5


def test_a_batch_arrives_once() -> None:
    quartet, calls = Quartet(torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8)), []
    ids = torch.arange(1)
    batch = Batch(ids, ids, lambda: calls.append(1) or quartet)  # type: ignore[func-returns-value]
    assert not calls
    assert batch.device_ids is ids
    assert batch.arrive() is batch.quartet is quartet
    assert len(calls) == 1


def test_what_has_no_room_is_not_kept(tmp_path: Path) -> None:
    def tier(packed_files: PackedFiles | None) -> str:
        return Loader(Rectangles(), "train", 21, 16, 4, 0, packed_files=packed_files).tier

    assert tier(None) == "live"
    assert tier(PackedFiles(tmp_path, share=0.0)) == "live"
    assert not list(tmp_path.iterdir())
    assert tier(PackedFiles(tmp_path)) == "streamed"


class Counted(Rectangles):
    """Counts the samples it renders; ``name`` stands for whatever else decides them."""

    rendered = 0
    name = "a"

    def describe(self) -> dict[str, object]:
        return {**super().describe(), "name": self.name}

    def render(self, part, ids, size):
        self.rendered += len(ids)
        return super().render(part, ids, size)


class Small(Counted):
    """Renders at most ten samples at once."""

    def chunk(self, size: int) -> int:
        return 10


def test_what_is_not_kept_is_rendered_in_bulk_and_no_more_of_it(tmp_path: Path) -> None:
    """A launch costs the same for many samples: two batches of four at once, and of 21 the last by itself."""
    source, sizes = Small(), []
    live = loader("live", tmp_path, source)
    render = source.render
    source.render = lambda part, ids, size: sizes.append(len(ids)) or render(part, ids, size)  # type: ignore[method-assign,func-returns-value]
    assert [len(batch.arrive()) for batch in live.in_order()] == [4, 4, 4, 4, 4, 1]
    assert sizes == [8, 8, 5]
    assert_same(loader("resident", tmp_path), live)


def test_a_file_serves_whoever_asks_for_the_same_samples(tmp_path: Path) -> None:
    source = Counted()

    def rendered(count: int = 21, part: str = "train", size: int = 16, batch: int = 4) -> int:
        before = source.rendered
        Loader(source, part, count, size, batch, 0, packed_files=PackedFiles(tmp_path))  # type: ignore[arg-type]
        return source.rendered - before - 1  # the first render finds the form of the samples

    assert rendered() == 21
    assert rendered() == rendered(batch=7) == 0
    assert rendered(count=20) == 20
    assert rendered(part="val") == 21
    assert rendered(size=24) == 21
    source.name = "b"
    assert rendered() == 21
    source.name = "a"
    assert rendered() == 0


@pytest.mark.parametrize("tier", TIERS)
def test_who_looks_at_the_first_batch_only_leaves_no_thread(tier: str, tmp_path: Path) -> None:
    threads = Threads()
    next(iter(loader(tier, tmp_path).in_order())).quartet.check()
    assert not threads.begun()


def test_order_depends_on_seed_and_epoch_alone() -> None:
    def order(seed: int, epoch: int, batch: int = 4) -> list[int]:
        batches = Loader(Rectangles(), "train", 20, 16, batch, 2**30)
        return torch.cat([b.ids for b in batches.epoch(seed, epoch)]).tolist()

    assert order(0, 1) == order(0, 1) == order(0, 1, batch=5)
    assert len({tuple(order(0, 1)), tuple(order(0, 2)), tuple(order(1, 1))}) == 3


@pytest.mark.parametrize("tier", ["resident", "streamed"])
def test_progress_is_told_to_the_end(tier: str, tmp_path: Path) -> None:
    progress: list[tuple[int, int]] = []
    budget = 2**30 if tier == "resident" else 0
    Loader(Rectangles(), "val", 100, 64, 4, budget, lambda *state: progress.append(state), PackedFiles(tmp_path))
    assert progress == [(64, 100), (100, 100)]


def test_a_change_in_any_file_that_renders_is_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever folder it lies in; and a file of the source's own elsewhere."""
    from bench.data.loading import loader as module

    package = tmp_path / "data"
    shutil.copytree(Path(module.__file__).parents[1], package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(module, "__file__", str(package / "loading" / "loader.py"))

    def code() -> str:
        module._code.cache_clear()
        return module._code(Rectangles)

    before = code()
    assert code() == before
    changed = {before}
    paths = sorted(package.rglob("*.py"))
    assert {"raycast.py", "decoded.py", "colours.py", "jpeg.py"} <= {path.name for path in paths}
    for path in paths:
        content = path.read_bytes()
        path.write_bytes(content + b"#")
        changed.add(code())
        path.write_bytes(content)
    assert len(changed) == len(paths) + 1
    assert code() == before
    module._code.cache_clear()


@pytest.mark.parametrize("tier", TIERS)
def test_the_background_can_be_withheld(tier: str, tmp_path: Path) -> None:
    pair = loader(tier, tmp_path)
    image = pair.serving("image")
    for whole, part in zip(pair.in_order(), image.in_order(), strict=True):
        assert part.quartet.bg is None
        assert not part.quartet.inputs[0].any()
        for name, tensor in part.quartet.tensors():
            assert torch.equal(tensor, getattr(whole.quartet, name)), name
    assert next(iter(pair.in_order())).quartet.bg is not None
    assert image._store is pair._store, "no second copy of the samples"

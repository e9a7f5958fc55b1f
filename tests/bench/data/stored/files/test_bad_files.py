"""Whatever is wrong with files: named with its reason, exit 3; or left out and counted."""

from __future__ import annotations

import io
import os
import re
import shutil
import threading
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core.errors import BadData
from bench.data.images.colour_maps import painted
from bench.data.stored.source import Stored
from tests.bench.data.stored.files.refusals import NAME, refused, skipping


def test_damaged_files_are_all_named_and_can_be_left_out(folder) -> None:
    root = folder.root
    good = (root / NAME).read_bytes()
    (root / NAME).write_bytes(good[: len(good) // 2])
    (root / "mask/bg001_fg002_01.png").write_text("no image")
    (root / "depth/bg002_fg001_01.png").write_bytes(b"")
    folder.save("mask/bg002_fg002_01.png", np.zeros((20, 48), dtype=np.uint8))
    folder.save("depth/bg002_fg003_01.png", np.zeros((48, 48, 3), dtype=np.uint8) + np.arange(3, dtype=np.uint8) * 90)
    (root / "mask/bg003_fg001_01.png").unlink()
    (root / "bg_fg/bg003_fg002_01.png").unlink()
    (root / "bg/bg004.png").write_bytes((root / "bg/bg004.png").read_bytes()[:100])
    problems = refused(root)
    expected = {
        "bg001_fg001_01.png": "cannot be decoded",
        "bg001_fg002_01.png": "not an image",
        "bg002_fg001_01.png": "empty file",
        "bg002_fg002_01.png": "another scene",
        "bg002_fg003_01.png": "in colours",
        "bg003_fg001_01.png": "missing: its mask",
        "bg003_fg002_01.png": "no picture belongs to this",
        "bg004.png": "cannot be decoded",
    }
    assert problems.keys() == expected.keys()
    (note,) = (note for note in skipping(root).notes if "left out" in note)
    assert re.match(r"9 problems left out: bg00\w+\.png: missing: [^/]+; and 6 more$", note), note
    for name, reason in expected.items():
        assert reason in problems[name], name
    source = skipping(root)
    assert sum(source.count(part) for part in ("train", "val", "test")) == 16 - 7 - 4, "four had background 4"
    assert source.describe()["skipped"] == 9
    assert any("9 problems left out" in note for note in source.notes)
    source.render("train", torch.arange(source.count("train")), 32).check()


def test_a_truncated_jpeg(folder) -> None:
    path = folder.save("bg_fg/bg001_fg001_01.jpg", folder.quartet(1, 1)[1])
    (folder.root / NAME).unlink()
    path.write_bytes(path.read_bytes()[:-200])
    assert "truncated" in refused(folder.root)["bg001_fg001_01.jpg"]


def test_a_picture_that_is_a_bomb(folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 48 * 48 - 1)
    assert set(refused(folder.root).values()) == {next(iter(refused(folder.root).values()))}
    assert "too large" in next(iter(refused(folder.root).values()))


def test_alpha_that_says_nothing(folder) -> None:
    for g in range(1, 5):
        for o in range(1, 5):
            mask = folder.quartet(g, o)[2]
            folder.save(f"mask/bg{g:03}_fg{o:03}_01.png", np.stack([*[np.full_like(mask, 90)] * 3, mask], -1))
    assert (
        Stored(folder.root, foreground="alpha", split="shared").render("train", torch.arange(9), 48).mask.mean() > 0.1
    )
    folder.save("mask/bg001_fg001_01.png", np.zeros((48, 48, 4), dtype=np.uint8))
    folder.save("mask/bg001_fg002_01.png", np.full((48, 48, 4), 255, dtype=np.uint8))
    folder.save("mask/bg001_fg003_01.png", np.full((48, 48, 3), 255, dtype=np.uint8))
    problems = refused(folder.root, foreground="alpha")
    assert problems == {
        "bg001_fg001_01.png": "an empty alpha channel",
        "bg001_fg002_01.png": "an alpha channel that is opaque everywhere",
        "bg001_fg003_01.png": "a mask without alpha channel (pixel format 'RGB')",
    }


def test_one_background_only(folder) -> None:
    for path in folder.root.rglob("bg00[234]*"):
        path.unlink()
    with pytest.raises(BadData, match="backgrounds: only 1"):
        Stored(folder.root)
    assert Stored(folder.root, split="shared").describe()["leaks"] is True
    unseen = Stored(folder.root, split="unseen-fg").describe()
    assert unseen["parts"]["test"] == {"backgrounds": 1, "objects": 1, "quartets": 1}


def test_two_spellings_of_one_letter(tmp_path: Path) -> None:
    """macOS writes names decomposed, Linux composed."""
    for i, name in enumerate(("küche", "Bäder", "flur", "Höfe")):
        for folder, form in (("images", "NFC"), ("masks", "NFD")):
            path = tmp_path / folder / f"{unicodedata.normalize(form, name)}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(np.random.default_rng(i).integers(0, 255, (16, 16), dtype=np.uint8)).save(path)
    source = Stored(tmp_path)
    assert len(source.catalogue.entries) == 4
    assert not source.skipped


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_kind_of_file_is_turned_as_exif_says(tmp_path: Path, orientation: int, suffix: str) -> None:
    """What a viewer shows upright: the inverse of each turn is stored with its tag."""
    shown = np.zeros((32, 64), dtype=np.uint8)
    shown[:16, :32] = 255  # the upper left quarter
    stored = {
        1: shown,
        2: shown[:, ::-1],
        3: shown[::-1, ::-1],
        4: shown[::-1],
        5: shown.T,
        6: np.rot90(shown),
        7: shown.T[::-1, ::-1],
        8: np.rot90(shown, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"webp": {"lossless": True}, "jpg": {"quality": 95}}.get(suffix, {})
    for i in range(3):
        for folder, pixels in (("images", stored), ("masks", stored), ("depth", stored)):
            path = tmp_path / folder / f"x{chr(97 + i)}.{suffix}"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(np.ascontiguousarray(pixels)).save(path, exif=exif.tobytes(), **lossless)
    source = Stored(tmp_path, fit="stretch", depth_unit="8bit", split="shared")
    quartet = source.render("train", torch.arange(1), 32)
    quarter = torch.zeros(32, 32)
    quarter[:16, :16] = 1
    for name in ("bg_fg", "mask", "depth"):
        assert (getattr(quartet, name)[0, 0] - quarter).abs().mean() < 0.03, name


def test_links_in_a_loop_and_to_nothing(folder) -> None:
    root = folder.root
    (root / "bg_fg/again").symlink_to(root, target_is_directory=True)
    (root / "self").symlink_to(root / "self")
    assert len(skipping(root).catalogue.entries) == 16
    assert not Stored(root, split="shared").skipped, (
        "the folder is walked once, and names without a picture's suffix say nothing"
    )
    (root / "mask/x.png").symlink_to(root / "mask/x.png")
    (root / "mask/y.png").symlink_to(root / "nowhere.png")
    assert refused(root) == {"x.png": "a link in a loop", "y.png": "a link to nothing"}


def test_a_linked_folder_that_is_gone_is_named(folder) -> None:
    """As that of a disk which is not mounted: its pictures would be missing without a word."""
    for name in ("part2", ".hidden", "readme.md"):
        (folder.root / "bg_fg" / name).symlink_to(folder.root / "nowhere")
    assert refused(folder.root) == {"part2": "a link to nothing"}


def test_links_are_followed(folder, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    linked.mkdir()
    for part in ("bg", "bg_fg", "mask", "depth"):
        (linked / part).symlink_to(folder.root / part)
    assert Stored(linked, split="shared").describe() == Stored(folder.root, split="shared").describe()


def test_a_named_pipe_is_named_and_not_opened(folder) -> None:
    os.mkfifo(folder.root / "bg_fg/bg001_fg009_01.png")
    outcome: list[dict[str, str]] = []
    thread = threading.Thread(target=lambda: outcome.append(refused(folder.root)), daemon=True)
    thread.start()
    thread.join(20)
    assert outcome == [{"bg001_fg009_01.png": "no regular file (a pipe, a device or a socket)"}]


def test_hidden_files_are_ignored_and_others_counted(folder) -> None:
    (folder.root / "bg_fg/._bg001_fg001_01.png").write_bytes(b"\0\5\x16\7")
    (folder.root / ".DS_Store").write_bytes(b"x")
    (folder.root / "__MACOSX").mkdir()
    (folder.root / "__MACOSX/bg001.png").write_bytes(b"x")
    for i in range(3):
        (folder.root / f"bg_fg/{i}.heic").write_bytes(b"x")
    source = Stored(folder.root, split="shared")
    assert not source.skipped
    assert any("not read: 3 .heic" in note for note in source.notes)


def test_a_name_that_is_no_utf8(folder) -> None:
    name = os.fsdecode(b"bg_fg/\xff\xfe.png")
    shutil.copy(folder.root / NAME, folder.root / name)
    source = Stored(folder.root, split="shared")
    assert len(source.catalogue.entries) == 16
    (folder.root / os.fsdecode(b"mask/\xff.png")).symlink_to("/nowhere")
    assert list(refused(folder.root)) == ["\\xff.png"] or "\\udcff.png" in refused(folder.root)
    str(list(refused(folder.root))).encode()


def test_two_roots_with_the_same_ids(folder, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder.root, other)
    problems = refused([folder.root, other])
    assert len(problems) >= 16
    assert "has the ids of" in problems["bg001_fg001_01.png"]
    assert len(skipping([folder.root, other]).catalogue.entries) == 16
    assert len(Stored([folder.root, folder.root / "."], split="shared").catalogue.entries) == 16, (
        "one root, named twice"
    )


def test_a_root_that_changes_while_it_is_read(folder, tmp_path: Path) -> None:
    source = Stored(folder.root, split="shared", packed=tmp_path / "packed")
    folder.save(NAME, folder.quartet(3, 3)[1])
    with pytest.raises(BadData, match="changed while it was read"):
        source.pack(32)
    source = Stored(folder.root, split="shared", packed=tmp_path / "packed")
    shutil.copy(folder.root / "bg/bg001.png", folder.root / "bg/bg009.png")
    with pytest.raises(BadData, match="changed while it was read"):
        source.pack(32)
    source = Stored(folder.root, split="shared")
    (folder.root / NAME).unlink()
    with pytest.raises(BadData, match="gone since"):
        [source.render(part, torch.arange(source.count(part)), 40) for part in ("train", "val", "test")]


def test_pictures_of_one_content_are_one_group(tmp_path: Path) -> None:
    """Twelve photographs, each under two names."""
    draw = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    for i in range(12):
        file = io.BytesIO()
        Image.fromarray(draw.integers(0, 255, (24, 24, 3), dtype=np.uint8)).save(file, "PNG")
        for name in (f"{chr(97 + i)}", f"copy of {chr(97 + i)}"):
            (tmp_path / f"images/{name}.png").write_bytes(file.getvalue())
            Image.fromarray(np.full((24, 24), 255, dtype=np.uint8)).save(tmp_path / f"masks/{name}.png")
    source = Stored(tmp_path)
    assert sum(part["backgrounds"] for part in source.describe()["parts"].values()) == 12
    pictures = {
        part: source.render(part, torch.arange(source.count(part)), 24).bg_fg for part in ("train", "val", "test")
    }
    for a, b in (("train", "val"), ("train", "test"), ("val", "test")):
        assert (pictures[a][:, None] - pictures[b][None]).abs().amax((2, 3, 4)).min() > 0.1
    assert any("they are joined" in note for note in source.notes)


def test_a_depth_map_of_another_kind_of_numbers_is_named(folder) -> None:
    """Read in the others' unit, 8-bit numbers would be a room within a quarter of a metre."""
    path = folder.root / "depth/bg002_fg003_01.png"
    millimetres = np.asarray(Image.open(path))
    for made, kind in ((millimetres // 40).astype(np.uint8), "8-bit numbers"), (millimetres, None):
        folder.save("depth/bg002_fg003_01.png", made)
        if kind is None:
            assert Stored(folder.root, split="shared", packed=None).warnings == ()
        else:
            expected = f"a depth map of {kind} among maps of 16-bit numbers"
            assert expected in refused(folder.root, packed=None)[path.name]
    left = skipping(folder.root, packed=None)
    folder.save("depth/bg002_fg003_01.png", np.zeros_like(millimetres, dtype=np.uint8))
    assert len(skipping(folder.root, packed=None).skipped) == len(left.skipped) == 0, "nothing is known in it, no more"


@pytest.mark.parametrize("usual", ["floats", "8-bit numbers"])
def test_the_kind_is_that_of_most_maps_whatever_it_is(folder, usual: str) -> None:
    for path in (folder.root / "depth").iterdir():
        numbers = np.asarray(Image.open(path))
        if path.name == "bg001_fg001_01.png":
            continue
        if usual == "floats":
            np.save(path.with_suffix(".npy"), (numbers / 1000).astype(np.float32))
            path.unlink()
        else:
            Image.fromarray((numbers // 40).astype(np.uint8)).save(path)
    problems = refused(folder.root, packed=None, files="pairs" if usual == "8-bit numbers" else "auto")
    assert list(problems) == ["bg001_fg001_01.png"]
    assert f"of 16-bit numbers among maps of {usual}" in problems["bg001_fg001_01.png"]


def test_a_grey_map_among_maps_in_colours_is_named(folder) -> None:
    for path in (folder.root / "depth").iterdir():
        numbers = (np.asarray(Image.open(path)) // 40).astype(np.uint8)
        is_grey = path.name == "bg001_fg001_01.png"
        Image.fromarray(numbers if is_grey else painted(numbers, "viridis")).save(path)
    problems = refused(folder.root, packed=None, depth_unit="colormap")
    assert "8-bit numbers among maps of colours" in problems["bg001_fg001_01.png"]


@pytest.mark.parametrize("of", ["depth", "mask"])
def test_a_file_of_what_is_known_has_the_shape_of_its_field(tmp_path: Path, of: str) -> None:
    validity = {"depth": "valid", "mask": "mask_valid"}[of]
    for name in "abcd":
        for folder, made in {
            "i": np.full((24, 32, 3), 120, np.uint8),
            "depth": np.full((24, 32), 1500, np.uint16),
            "mask": np.full((24, 32), 255, np.uint8),
            "known": np.ones((12 if name == "b" else 24, 32), np.uint8),
        }.items():
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(made).save(tmp_path / folder / f"{name}.png")
    files = f"image=i/{{id}}.png {of}={of}/{{id}}.png {validity}=known/{{id}}.png"
    with pytest.raises(BadData) as caught:
        Stored(tmp_path, files=files, split="shared", packed=None)
    ((name, reason),) = caught.value.problems
    assert name.endswith("known/b.png")
    assert f"valid: 2.667 times as wide as high, its {of} 1.333" in reason


@pytest.mark.parametrize("turned", ["image", "mask"])
def test_a_picture_turned_by_its_orientation_alone_is_called_that(tmp_path: Path, turned: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in "abcd":
        for folder, made in {
            "image": np.full((24, 32, 3), 120, np.uint8),
            "mask": np.full((24, 32), 255, np.uint8),
        }.items():
            (tmp_path / folder).mkdir(exist_ok=True)
            how = {"exif": exif} if folder == turned and name == "b" else {}
            Image.fromarray(made).save(tmp_path / folder / f"{name}.png", **how)
    with pytest.raises(BadData) as caught:
        Stored(tmp_path, files="image=image/{id}.png mask=mask/{id}.png", split="shared", packed=None)
    ((_, reason),) = caught.value.problems
    words = "its picture is turned by its EXIF orientation and it is not"
    assert (words if turned == "image" else "it is turned by its EXIF orientation and its picture is not") in reason

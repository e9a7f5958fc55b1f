"""Which pictures are of one scene: by numbers, folders, plates, and by a table of the user's."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.core.errors import BadData
from bench.data.inspection.inspection import inspect
from bench.data.stored.catalogue import read_catalogue
from bench.data.stored.source import Stored

SIDE = 32
IMAGES = [f"IMG_{i:04}" for i in range(12)]


def save(path: Path, seed: int) -> None:
    """A picture of its own: six by six colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colours = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    Image.fromarray(colours).resize((SIDE, SIDE)).save(path)


def save_mask(path: Path, at: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = np.zeros((SIDE, SIDE), dtype=np.uint8)
    mask[4 + at % 12 : 16 + at % 12, 6:20] = 255
    Image.fromarray(mask).save(path)


def pictures(root: Path, names: Iterable[str], images: str = "images", masks: str = "masks") -> Path:
    for at, name in enumerate(names):
        save(root / images / f"{name}.jpg", zlib.crc32(name.encode()))
        save_mask(root / masks / f"{name}.png", at)
    return root


def frames(root: Path, count: int = 12) -> Path:
    """A still camera: one picture with a square that moves."""
    for at in range(count):
        save(root / f"frames/{at:04}.png", 0)
        pixels = np.array(Image.open(root / f"frames/{at:04}.png"))
        pixels[4 + at : 8 + at, 6:10] = 255
        Image.fromarray(pixels).save(root / f"frames/{at:04}.png")
        save_mask(root / f"masks/{at:04}.png", at)
    save(root / "plate.png", 0)
    return root


def scenes(root: Path | list[Path], files: str = "auto", rule: str = "auto") -> dict[str, set[str]]:
    """The pictures of each scene, without folders."""
    found: dict[str, set[str]] = {}
    for entry in read_catalogue(root if isinstance(root, list) else [root], files, "none", rule).entries:
        found.setdefault(entry.background, set()).add(entry.image.name)
    return found


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (("images", "masks"), [f"{i:04}" for i in range(12)]),
        (("JPEGImages", "SegmentationClass"), [f"2007_{i:06}" for i in range(12)]),
        (("DUTS-TR-Image", "DUTS-TR-Mask"), [f"ILSVRC2012_test_{i:08}" for i in range(12)]),
        (("images", "masks"), [f"{i * 139:012}" for i in range(12)]),
        (("images", "masks"), [f"aachen_{i:06}_000019_leftImg8bit" for i in range(12)]),
    ],
)
def test_numbered_photographs_are_split_by_default(tmp_path: Path, folders: tuple[str, str], names: list[str]) -> None:
    """They are no frames of a video: as one sequence nothing could be trained on them."""
    source = Stored(pictures(tmp_path, names, *folders), packed=None)
    assert [source.count(part) for part in ("train", "val", "test")] == [8, 2, 2]
    (note,) = (note for note in source.notes if "a scene of its own" in note)
    assert "frames of a video" in note
    assert "--scenes sequence with --split shared" in note


def test_frames_of_one_video_are_no_scenes_of_their_own(tmp_path: Path) -> None:
    root = frames(tmp_path)
    with pytest.raises(BadData, match=r"only 1;(?s:.)*--scenes file(?s:.)*groups\.txt(?s:.)*--split shared"):
        Stored(root, packed=None)
    assert Stored(root, scenes="file", packed=None).count("test") == 2
    plates = Stored(root, plate="median", split="shared", packed=None)
    assert plates.has_background
    assert plates.describe()["leaks"]
    own = Stored(root, "bg=plate.png bg_fg=frames/{n}.* mask=masks/{n}.png", split="shared", packed=None)
    assert own.has_background
    assert own.describe()["parts"]["train"]["backgrounds"] == 1


def test_three_videos_are_scenes_and_their_frames_stay_together(tmp_path: Path) -> None:
    for letter in "abc":
        pictures(tmp_path, [f"{letter}_{i:03}" for i in range(4)])
    assert sorted(map(len, scenes(tmp_path).values())) == [4, 4, 4]


def test_a_plate_for_all_is_a_background_that_all_share(tmp_path: Path) -> None:
    root = pictures(tmp_path, "abcdefghijkl", "img", "mask")
    save(root / "bg.jpg", 99)
    files = "bg=bg.jpg image=img/{fg}.* mask=mask/{fg}.png"
    with pytest.raises(BadData, match=r"backgrounds: only 1;(?s:.)*--split unseen-fg"):
        Stored(root, files, packed=None)
    source = Stored(root, files, split="unseen-fg", packed=None)
    assert source.describe()["parts"]["train"] == {"backgrounds": 1, "objects": 8, "quartets": 8}
    (prints,) = (finding for finding in inspect(source, size=32).findings if finding.check == "near prints")
    assert prints.grade == "ok"


def test_plates_that_objects_share_are_backgrounds(tmp_path: Path) -> None:
    root = pictures(tmp_path, [f"{scene}_{item}" for scene in "pqrs" for item in "abcd"])
    for at, scene in enumerate("pqrs"):
        save(root / f"bg/{scene}.jpg", 50 + at)
    source = Stored(root, "bg=bg/{s}.* image=images/{s}_{fg}.* mask=masks/{s}_{fg}.*", split="unseen-bg", packed=None)
    assert source.describe()["parts"]["test"] == {"backgrounds": 1, "objects": 4, "quartets": 4}
    own = Stored(root, "bg=bg/{fg}.* image=images/{fg}_{n}.* mask=masks/{fg}_{n}.*", packed=None)
    assert not own.names_objects, "a plate for each object: both are the same groups"


def test_names_that_share_a_plate_are_one_background(tmp_path: Path) -> None:
    root = pictures(tmp_path, "abcdef")
    save(root / "plate.jpg", 9)
    assert len(set(scenes(root, "bg=plate.jpg image=images/{bg}.* mask=masks/{bg}.*"))) == 1


@pytest.mark.parametrize(
    ("layout", "names", "wanted"),
    [
        (
            "kitti",
            [
                f"d{d}/{place}/{n:010}.png"
                for d in range(3)
                for c in (2, 3)
                for n in range(2)
                for place in (f"image_0{c}/data", f"proj_depth/groundtruth/image_0{c}")
            ],
            3,
        ),
        (
            "diode",
            [
                f"indoors/scene_{s:05}/scan_{c:05}/{s:05}_{c:05}_indoors_{n:03}_010{end}"
                for s in (19, 20, 21)
                for c in (183, 184)
                for n in range(2)
                for end in (".png", "_depth.npy", "_depth_mask.npy")
            ],
            3,
        ),
        (
            "tum",
            [
                f"{room}/{kind}/13050311{s}.17530{n}.png"
                for room in "ab"
                for s in (1, 2)
                for n in (1, 2)
                for kind in ("rgb", "depth")
            ],
            2,
        ),
        (
            "scannet",
            [
                f"scene000{s}_0{again}/{kind}/{n}.{end}"
                for s in range(3)
                for again in (0, 1)
                for n in range(2)
                for kind, end in (("color", "jpg"), ("depth", "png"))
            ],
            3,
        ),
        (
            "nyu2",
            [
                f"nyu2_train/attic_000{s}{shot}_out/{n}.{end}"
                for s in range(3)
                for shot in "ab"
                for n in (1, 2)
                for end in ("jpg", "png")
            ],
            3,
        ),
    ],
)
def test_one_scene_of_a_known_layout_is_one_group(tmp_path: Path, layout: str, names: list[str], wanted: int) -> None:
    """Two cameras of a drive, two scans or recordings of a room, all seconds of a video."""
    for at, name in enumerate(names):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(f"{at}".encode() * (at + 1))
    assert read_catalogue([tmp_path], "auto", "none", "auto").layout.name == layout
    found = scenes(tmp_path)
    assert len(found) == wanted
    if layout != "nyu2":
        assert len(scenes(tmp_path, rule="file")) > wanted


@pytest.mark.parametrize(
    "written", ["IMG_{:04}", "IMG_{:04}.jpg", "images/IMG_{:04}", "images/IMG_{:04}.jpg", "img_{}"]
)
@pytest.mark.parametrize("pool", ["bg", "background"])
@pytest.mark.parametrize("rule", ["auto", "file", "sequence"])
def test_a_table_overrides_all_by_the_names_that_files_have(tmp_path: Path, written: str, pool: str, rule: str) -> None:
    root = pictures(tmp_path, IMAGES)
    lines = [f"{pool}\t{written.format(i)}\troom{i % 4}" for i in range(12)]
    (root / "groups.txt").write_text("# rooms\n\n" + "\n".join(lines) + "\n")
    found = scenes(root, rule=rule)
    assert {name: {int(image[-8:-4]) % 4 for image in images} for name, images in found.items()} == {
        f"=room{room}": {room} for room in range(4)
    }
    source = Stored(root, scenes=rule, packed=None)
    assert any("groups as groups.txt says: of the backgrounds of 12" in note for note in source.notes)
    assert not any("scene of its own" in note or "one sequence" in note for note in source.notes)


def test_a_table_may_name_files_of_backgrounds_and_objects_without_names(tmp_path: Path) -> None:
    root = pictures(tmp_path, [f"{scene}_{item}" for scene in "pqrs" for item in "abcd"])
    for at, scene in enumerate("pqrs"):
        save(root / f"bg/{scene}.jpg", 50 + at)
    (root / "groups.txt").write_text("bg\tp\thome\nbg\tq.jpg\thome\nobject\tp_a\tcup\nfg\tq_a\tcup\n")
    entries = read_catalogue([root], "bg=bg/{s}.* image=images/{s}_{t}.* mask=masks/{s}_{t}.*", "none", "auto").entries
    assert {entry.background for entry in entries} == {"=home", "bg/r.jpg", "bg/s.jpg"}
    assert sum(entry.item == "=cup" for entry in entries) == 2
    assert len({entry.item for entry in entries}) == 15


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (
            "bg IMG_0000 room0\nbg IMG_0001 room0\n",
            r"groups\.txt, line 1: 1 column, not 3: 'bg IMG_0000 room0'(?s:.)*<TAB>",
        ),
        ("# mine\nIMG_0000\troom0\n", r"line 2: 2 columns, not 3"),
        ("scene\tIMG_0000\troom0\n", r"line 1: 'scene' is neither bg nor fg"),
        ("bg\tIMG_0000\ta\nbg\tIMG_0000\tb\n", r"line 2: IMG_0000 is of a already, not of b"),
        ("bg\tDSC_0000\ta\nbg\tDSC_0001\ta\n", r"line 1: no bg of this name in the data: DSC_0000(?s:.)*it has .*IMG_"),
        ("bg\t\ta\n", r"line 1: an empty column"),
    ],
)
def test_a_table_that_says_nothing_is_an_error(tmp_path: Path, table: str, reason: str) -> None:
    root = pictures(tmp_path, IMAGES)
    (root / "groups.txt").write_text(table)
    with pytest.raises(BadData, match=reason):
        Stored(root, scenes="file", packed=None)


def test_names_of_a_table_that_the_data_lacks_are_a_warning(tmp_path: Path) -> None:
    root = pictures(tmp_path, IMAGES)
    (root / "groups.txt").write_text("bg\tIMG_0000\ta\nbg\tIMG_0001\ta\nbg\tDSC_0000\ta\n")
    source = Stored(root, packed=None)
    (doubt,) = source.group_warnings
    assert "1 of 3 names" in doubt
    assert re.search(r"line 3: .*DSC_0000", doubt)
    (reading,) = (finding for finding in inspect(source, size=32).findings if finding.check == "reading")
    assert reading.grade == "warn"
    assert doubt in source.facts()["warnings"]


def test_a_split_names_groups_as_a_user_knows_them(tmp_path: Path) -> None:
    root = pictures(tmp_path, IMAGES)
    path = tmp_path / "mine.json"
    path.write_text(
        json.dumps(
            {
                "background": {
                    "train": ["IMG_0000", "images/IMG_0001"],
                    "val": ["images/IMG_0002.jpg"],
                    "test": ["IMG_0003.jpg"],
                }
            }
        )
    )
    source = Stored(root, scenes="file", split=str(path), packed=None)
    assert [source.count(part) for part in ("train", "val", "test")] == [2, 1, 1]
    (root / "groups.txt").write_text("".join(f"bg\tIMG_{i:04}\troom{i % 4}\n" for i in range(12)))
    path.write_text(json.dumps({"background": {"train": ["room0", "room3"], "val": ["room1"], "test": ["room2"]}}))
    source = Stored(root, split=str(path), packed=None)
    assert [source.count(part) for part in ("train", "val", "test")] == [6, 3, 3]
    path.write_text(json.dumps({"background": {"train": ["room9"], "val": ["room1"], "test": ["room2"]}}))
    with pytest.raises(BadData, match=r"no 'room9' in the data \(it has room0, room1"):
        Stored(root, split=str(path), packed=None)

"""All published layouts, written and read again, in folders and zips; and what their names mean."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core.errors import BadData, BenchError
from bench.data.split import FRACTIONS
from bench.data.stored.catalogue import read_catalogue
from bench.data.stored.export import export
from bench.data.stored.export.writers import WRITERS, Place
from bench.data.stored.naming.layouts import LAYOUTS
from bench.data.stored.naming.patterns import parse_patterns
from bench.data.stored.naming.published import PUBLISHED
from bench.data.stored.source import Stored

COUNT, SIZE = 24, 64
NAMES = [layout.name for layout in PUBLISHED]


def everything(source: Stored, size: int = SIZE):
    """All quartets, with their groups."""
    parts = [(part, torch.arange(source.count(part))) for part in FRACTIONS]
    quartets = [source.render(part, ids, size) for part, ids in parts]
    groups = [source.groups(part, ids) for part, ids in parts]
    fields = {name: torch.cat([getattr(quartet, name) for quartet in quartets]) for name, _ in quartets[0].tensors()}
    return fields, torch.cat([group[0] for group in groups]), torch.cat([group[1] for group in groups])


def as_written(layout: str, depth: torch.Tensor) -> torch.Tensor:
    if layout not in ("000", "002"):
        return depth
    low, high = depth.amin((1, 2, 3), keepdim=True), depth.amax((1, 2, 3), keepdim=True)
    return (depth - low) / (high - low)


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize("layout", [*NAMES, "pairs"])
def test_what_is_written_in_a_layout_is_read_again(rooms, tmp_path: Path, layout: str, kind: str) -> None:
    out = tmp_path / ("set.zip" if kind == "zip" else "set")
    assert export(rooms, layout, COUNT, out, size=SIZE, part="train") == COUNT
    assert out.is_file() == (kind == "zip")
    source = Stored(out, split="shared")
    assert source.catalogue.layout.name == layout
    assert any(f"recognised as {layout}" in note for note in source.notes)
    fields, rooms_read, figures_read = everything(source)
    assert len(fields["bg"]) == COUNT
    ids = torch.arange(COUNT)
    true, (room, figure) = rooms.render("train", ids, SIZE), rooms.groups("train", ids)
    apart = (fields["bg_fg"][:, None] - true.bg_fg[None]).abs().mean((2, 3, 4))
    which = apart.argmin(1)
    assert apart.amin(1).max() < 0.02
    assert which.unique().numel() == COUNT
    assert (fields["bg"] - true.bg[which]).abs().mean((1, 2, 3)).max() < 0.02, "each has its own background"
    assert (fields["mask"] - (true.mask[which] >= 0.5).float()).abs().mean((1, 2, 3)).max() < 0.01
    depth = as_written(layout, true.depth)[which]
    assert (fields["depth"] - depth).abs().mean((1, 2, 3)).max() < 0.02, "known, and of its own picture"
    for read, meant in ((rooms_read, room[which]), (figures_read, figure[which])):
        assert ((read[:, None] == read[None]) == (meant[:, None] == meant[None])).all(), "the same share a group"
    named = Stored(out, files=layout, split="shared")
    assert named.describe() == source.describe()


def test_a_layout_implies_its_depth(rooms, tmp_path: Path) -> None:
    encodings = {}
    for layout in (*NAMES, "pairs"):
        export(rooms, layout, 8, tmp_path / layout, size=32)
        encodings[layout] = Stored(tmp_path / layout, split="shared").encoding
    assert encodings["pairs"] == rooms.encoding
    assert encodings["000"] == encodings["002"] != encodings["003"] == encodings["004"]
    assert "plasma" in encodings["001"]


@pytest.mark.parametrize("layout", [*NAMES, "nyu2"])
def test_what_is_said_of_depth_is_what_its_layout_means(rooms, tmp_path: Path, layout: str) -> None:
    if layout == "nyu2":
        for n in range(4):
            for suffix, made in ("jpg", np.full((32, 32, 3), 50 * n)), ("png", np.full((32, 32), 100 + n)):
                path = tmp_path / f"room_{n}_out/1.{suffix}"
                path.parent.mkdir(exist_ok=True)
                Image.fromarray(made.astype(np.uint8)).save(path)
    else:
        export(rooms, layout, 8, tmp_path, size=32)
    source = Stored(tmp_path, files=layout, split="shared", packed=None)
    (note,) = (note for note in source.notes if note.startswith("depth in"))
    assert f": {source.encoding}" in note
    assert layout == "001" or "255" in note, "of the files' numbers, too"
    if layout != "001":
        assert note.count("1.0 =") <= 1
        ranged = Stored(tmp_path, files=layout, split="shared", packed=None, depth_range="0 200")
        assert "1.0 = 200" in ranged.encoding, "a range of one's own is none of the layout's"


def test_clocks_that_are_apart_are_named(tmp_path: Path) -> None:
    for n in range(4):
        for folder, at, made in ("rgb", 0, np.zeros((8, 8, 3), np.uint8)), ("depth", 0.5, np.ones((8, 8), np.uint16)):
            path = tmp_path / f"{folder}/{1305031102 + 3 * n + at:.6f}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(made).save(path)
    with pytest.raises(BadData, match=r"no depth within 0.02 s of a picture: its clock is 0.500 s ahead") as caught:
        Stored(tmp_path, split="shared", packed=None)
    assert "set the clocks" in str(caught.value)
    for path in (tmp_path / "depth").iterdir():
        path.rename(path.with_name(f"{float(path.stem) - 0.49:.6f}.png"))
    assert sum(map(Stored(tmp_path, split="shared", packed=None).count, FRACTIONS)) == 4


def test_folder_and_zip_are_one_data_set(folder, tmp_path: Path) -> None:
    a = Stored(folder.root, split="shared")
    b = Stored(folder.zipped(tmp_path / "all.zip"), split="shared")
    parts = [folder.zipped(tmp_path / f"{name}.zip", name) for name in ("bg", "bg_fg", "mask", "depth")]
    c = Stored(parts, split="shared")
    assert a.describe() == b.describe() == c.describe()
    together = tmp_path / "together"
    together.mkdir()
    for part in parts:
        part.rename(together / part.name)
    assert Stored(together, split="shared").describe() == a.describe(), "zips that lie in a folder are read as roots"


def test_numbered_files_of_layout_000() -> None:
    """The rule by its figures: 1 to 100, 4,000 of each; 800 a background and part; 40 a background and object."""
    meaning = LAYOUTS["000"].meaning
    numbers = np.arange(1, 400_001, 37)
    for n in numbers.tolist():
        bg, fg, _ = meaning({"n": str(n)})
        assert int(bg) == ((n - 1) % 80_000) // 800 + 1
        assert 20 * ((n - 1) // 80_000) < int(fg) <= 20 * ((n - 1) // 80_000) + 20
    place = Place(bg=57, fg=43, n=12)
    name = WRITERS["000"].names(place)["bg_fg"]
    assert name.startswith("data_3/Fg-Bg/fg-bg")
    assert meaning({"n": name.rpartition("fg-bg")[2][:-4]})[:2] == ("57", "43")
    # ceil(n / 800) on the global number would give backgrounds up to 500.
    assert meaning({"n": "400000"})[0] == "100"


def catalogue(root: Path, files: str = "auto", flips: str = "none"):
    return read_catalogue([root], files, flips, "auto")


def touch(root: Path, *names: str) -> None:
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), number).save(path)


def test_flips_are_the_objects_they_mirror(tmp_path: Path) -> None:
    one = tmp_path / "001"
    stems = [f"{bg}_bg_{fg}_fg{flip}" for bg in (1, 2) for fg in (5, 6) for flip in ("", "Flip")]
    touch(one, *(f"bg_fg{'Flip' if 'Flip' in stem else ''}_1/{stem}.jpg" for stem in stems))
    touch(one, *(f"bg_fg{'Flip' if 'Flip' in stem else ''}_mask_1/{stem}_mask.jpg" for stem in stems))
    found = catalogue(one)
    assert (found.layout.name, found.problems) == ("001", [])
    assert sorted((entry.background, entry.item) for entry in found.entries) == sorted(
        2 * [("1", "5"), ("1", "6"), ("2", "5"), ("2", "6")]
    )
    assert all("Flip" in entry.partners["mask"].name for entry in found.entries if "Flip" in entry.image.name)
    three = tmp_path / "003"
    stems = ["bg_001_fg_001_001", "bg_001_fg_001_01_001", "bg_001_fg_101_001", "bg_002_fg_003_020"]
    touch(three, *(f"BG_FG/{stem}.jpeg" for stem in stems), *(f"BG_FG Masks/{stem}.jpeg" for stem in stems))
    found = catalogue(three)
    assert (found.layout.name, found.problems) == ("003", [])
    assert sorted(entry.item for entry in found.entries) == ["1", "1", "101", "3"]
    assert sorted(entry.item for entry in catalogue(three, flips="100").entries) == ["1", "1", "1", "3"]
    assert sorted(entry.item for entry in catalogue(three, flips="pairs").entries) == ["1", "1", "101", "3"]
    with pytest.raises(BenchError, match="flips"):
        catalogue(three, flips="some")


def test_backgrounds_are_counted_off_only_where_no_name_carries_a_number(tmp_path: Path) -> None:
    stems = [f"b{bg:03}_f001_{n}" for bg in (1, 2, 3) for n in range(2)]
    for name, backgrounds in (("letters", ("kitchen", "attic", "hall")), ("numbers", ("bg3", "bg1", "bg2"))):
        root = tmp_path / name
        touch(root, *(f"bg/{one}.jpg" for one in backgrounds), *(f"bg_fg/bgfg_{stem}.jpg" for stem in stems))
        touch(root, *(f"mask/mask_{stem}.jpg" for stem in stems), *(f"depth/densedepth_{stem}.jpg" for stem in stems))
    counted, named = (catalogue(tmp_path / name) for name in ("letters", "numbers"))
    assert counted.layout.name == named.layout.name == "002"
    assert {(e.background, Path(e.partners["bg"].name).stem) for e in counted.entries} == {
        ("1", "attic"),
        ("2", "hall"),
        ("3", "kitchen"),
    }
    assert any("alphabetical" in note for note in counted.notes)
    assert {(e.background, Path(e.partners["bg"].name).stem) for e in named.entries} == {
        ("1", "bg1"),
        ("2", "bg2"),
        ("3", "bg3"),
    }
    assert not any("alphabetical" in note for note in named.notes)


def test_the_file_map_decides(folder, tmp_path: Path) -> None:
    root = tmp_path / "004"
    touch(root, "bg/bg001.jpeg", "bg/bg002.jpeg", "bg_fg/bg001_fg001_01.jpeg", "bg_fg/bg002_fg001_01.jpeg")
    for field in ("mask", "depth_map"):
        touch(root, *(f"bg_fg_{field}/bg00{i}_fg001_01_{field}.jpeg" for i in (1, 2)))
    rows = [f"bg00{3 - i}\tbg00{i}_fg001_01\tbg00{i}_fg001_01_mask\tbg00{i}_fg001_01_depth_map" for i in (1, 2)]
    (root / "file_map.txt").write_text("bg\tbg_fg\tmask\tdepth\n" + "\n".join(rows) + "\n")
    found = catalogue(root)
    assert (found.layout.name, found.problems) == ("004", [])
    assert [Path(entry.partners["bg"].name).stem for entry in found.entries] == ["bg002", "bg001"]
    (root / "bbox.txt").touch()
    assert not any("not read" in note for note in catalogue(root).notes), "it belongs to the layout"
    (root / "bbox.md").touch()
    assert [note for note in catalogue(root).notes if "not read" in note] == ["not read: 1 .md"]
    (root / "bg_fg_mask/bg002_fg001_01_mask.jpeg").unlink()
    ((name, reason),) = catalogue(root).problems
    assert "line 3" in name
    assert "mask bg2_fg1_1_mask" in reason


def test_patterns_of_ones_own(folder) -> None:
    text = "bg=bg/bg{bg}.png image=bg_fg/bg{bg}_fg{fg}_{n}.* mask=mask/bg{bg}_fg{fg}_{n}.png"
    found = catalogue(folder.root, text)
    assert found.problems == []
    assert len(found.entries) == 16
    assert found.fields == {"bg", "bg_fg", "mask"}
    assert {(entry.background, entry.item) for entry in found.entries} == {
        (str(g), str(o)) for g in range(1, 5) for o in range(1, 5)
    }
    assert all(entry.partners["mask"].name.replace("mask/", "bg_fg/") == entry.image.name for entry in found.entries)


@pytest.mark.parametrize(
    ("text", "caret", "reason"),
    [
        ("mask=m/{a}.png", 0, "bg_fg="),
        ("image={a}.png colour={a}.png", 14, "fields: bg"),
        ("image={A}.png", 6, "small letters"),
        ("image=[{a}.png", 10, "for every"),
        ("image={a}", 8, "a suffix"),
        ("image={a}.png image={b}.png", 14, "not two"),
    ],
)
def test_patterns_that_cannot_be_read(text: str, caret: int, reason: str) -> None:
    with pytest.raises(BenchError, match=reason) as caught:
        parse_patterns(text)
    *_, shown, pointer = str(caught.value).splitlines()
    assert shown == f"  {text}"
    assert pointer.index("^") - 2 == caret


def test_unknown_layouts_and_folders_of_something_else(tmp_path: Path) -> None:
    touch(tmp_path / "x", "one.png", "two.png")
    with pytest.raises(BenchError, match="auto, 000, 001"):
        Stored(tmp_path / "x", files="005")
    with pytest.raises(BadData, match="no known layout"):
        Stored(tmp_path / "x")
    with pytest.raises(BadData, match="no picture in the names of layout 003"):
        Stored(tmp_path / "x", files="003")


@pytest.mark.parametrize(
    ("layout", "names"),
    [
        (
            "carvana",
            ["train/abc_01.jpg", "train/abc_02.jpg", "train_masks/abc_01_mask.gif", "train_masks/abc_02_mask.gif"],
        ),
        ("pets", ["images/Abyssinian_1.jpg", "annotations/trimaps/Abyssinian_1.png", "images/pug_2.jpg"]),
        ("nyu", ["00001_colors.png", "00001_depth.png"]),
        ("nyu2", ["nyu2_train/attic_0001_out/1.jpg", "nyu2_train/attic_0001_out/1.png"]),
        (
            "kitti",
            [
                "d_sync/image_02/data/000005.png",
                "d_sync/proj_depth/groundtruth/image_02/000005.png",
                "d_sync/image_02/data/000001.png",
            ],
        ),
        ("tum", ["rgb/1305031102.175304.png", "depth/1305031102.160407.png"]),
        (
            "scannet",
            [
                "scene0000_00/color/0.jpg",
                "scene0000_00/depth/0.png",
                "scene0001_00/color/0.jpg",
                "scene0001_00/depth/0.png",
            ],
        ),
        ("cdnet", ["office/input/in000570.jpg", "office/groundtruth/gt000570.png", "office/input/in000001.jpg"]),
        ("suffixes", ["seq-01/frame-000000.color.png", "seq-01/frame-000000.depth.png"]),
        ("suffixes", ["0001/000001-color.png", "0001/000001-depth.png", "0001/000001-label.png"]),
        ("prefixes", ["rgb_0001.png", "depth_0001.png", "rgb_0002.png", "depth_0002.png"]),
        ("prefixes", ["color/color00001.jpg", "depth/depth00001.png", "mask/mask00001.png"]),
        ("folders", ["DUTS-TR/DUTS-TR-Image/a.jpg", "DUTS-TR/DUTS-TR-Mask/a.png"]),
        ("folders", ["VOC/JPEGImages/a.jpg", "VOC/SegmentationClass/a.png"]),
        ("folders", ["im/a.jpg", "gt/a.png"]),
        ("folders", ["images/0001.jpg", "ground_truth_mask/0001.png"]),
        ("folders", ["rgb/redkitchen_01.png", "depth/redkitchen_01.png"]),
        ("folders", ["images/a.jpg", "images/b.jpg", "masks/a.png", "masks/b.png"]),
    ],
)
def test_sets_that_many_people_have(tmp_path: Path, layout: str, names: list[str]) -> None:
    touch(tmp_path, *names)
    found = catalogue(tmp_path)
    assert (found.layout.name, found.problems) == (layout, [])
    assert found.entries
    assert all(entry.partners for entry in found.entries)
    assert "bg" not in found.fields


@pytest.mark.parametrize("field", ["bg", "image", "mask", "depth"])
def test_a_pattern_that_no_file_fits_is_an_error(folder, field: str) -> None:
    """What it names would be missing without a word: a network would be trained without backgrounds, say."""
    patterns = {"bg": "bg/bg{bg}.*", "image": "bg_fg/bg{bg}_fg{fg}_*.*"}
    patterns |= {name: f"{name}/bg{{bg}}_fg{{fg}}_*.png" for name in ("mask", "depth")}
    files = " ".join(
        f"{name}={shape.replace('/', 's/') if name == field else shape}" for name, shape in patterns.items()
    )
    place = "bg_fg" if field == "image" else field
    with pytest.raises(BadData, match=rf"no file fits {place}={place}s/bg\{{bg\}}.*\n.*no pattern fits: {place}/"):
        Stored(folder.root, files=files)
    if field == "depth":  # a teacher's instead
        read_catalogue([folder.root], files, "none", "auto", reads_depth=False)


def test_a_pattern_of_files_that_are_not_read_names_their_type(tmp_path: Path) -> None:
    touch(tmp_path, *(f"rgb/{n}.png" for n in range(4)))
    (tmp_path / "far").mkdir()
    for n in range(4):
        (tmp_path / f"far/{n}.exr").write_bytes(b"v/1")
    with pytest.raises(BadData, match=r"depth=far/\{n\}\.exr: 4 \.exr files are not read, as .*npy or pfm"):
        Stored(tmp_path, files="image=rgb/{n}.png depth=far/{n}.exr")
    for folder in (tmp_path, tmp_path / "far"):
        with pytest.raises(BadData, match=r"no known layout .*; not read: 4 \.exr, as .*npy or pfm"):
            Stored(folder)


def test_a_pattern_whose_files_another_takes_names_that(tmp_path: Path) -> None:
    touch(tmp_path, *(f"my_room_{n}.jpg" for n in range(3)), *(f"my_room_{n}_chair_0.jpg" for n in range(3)))
    touch(tmp_path, *(f"masks/my_room_{n}_chair_0.png" for n in range(3)))
    files = "bg={bg}.jpg bg_fg={bg}_{fg}_{n}.jpg mask=masks/{bg}_{fg}_{n}.png"
    with pytest.raises(
        BadData, match=r"fits bg=\{bg\}\.jpg fits bg_fg=.* as well, such as my_room_0.*: tell them apart"
    ):
        Stored(tmp_path, files=files)


def test_pictures_without_a_mask_of_their_own_are_left_out_aloud(tmp_path: Path) -> None:
    """A layout whose sets have pictures without a target, such as those of a competition's test part."""
    touch(tmp_path, *(f"train/car{n}_01.jpg" for n in range(8)), *(f"train_masks/car{n}_01_mask.gif" for n in range(6)))
    source = Stored(tmp_path)
    assert any(note == "2 pictures left out, which have no mask of their own" for note in source.notes), source.notes


def test_two_backgrounds_of_one_name_are_not_taken_for_one(folder) -> None:
    """The pattern of the backgrounds has an id that pictures have not: which is meant is unknown."""
    files = "bg=bg/bg{bg}[_{view}].png image=bg_fg/bg{bg}_fg{fg}_{n}.png mask=mask/bg{bg}_fg{fg}_{n}.png"
    same = (folder.root / "bg/bg001.png").read_bytes()
    (folder.root / "bg/bg001_2.png").write_bytes(same)
    assert not catalogue(folder.root, files).problems, "the same twice"
    (folder.root / "bg/bg001_2.png").write_bytes((folder.root / "bg/bg002.png").read_bytes())
    ((name, reason),) = catalogue(folder.root, files).problems
    assert name.endswith("bg001_2.png")
    assert "has the ids of" in reason


def test_names_of_another_layout_are_said_to_be_so(tmp_path: Path) -> None:
    """Folders as of quartets, names as nobody knows them: 16 files are not at fault."""
    for n in range(16):
        touch(tmp_path, f"bg/room {n % 4}.png", f"bg_fg/room {n % 4} chair {n}.png", f"mask/room {n % 4} chair {n}.png")
    for skip in (False, True):
        with pytest.raises(BadData, match=r"its bg\n(?s:.*)layout quartets \(folders bg, .*--files"):
            Stored(tmp_path, skip_bad=skip, packed=None)
    (tmp_path / "bg/room 1 chair 1.png").write_bytes((tmp_path / "bg/room 1.png").read_bytes())
    with pytest.raises(BadData, match=r"--skip-bad; names were read as .*--files"):
        Stored(tmp_path, packed=None)


def test_a_zip_in_a_folder_beside_the_backgrounds(tmp_path: Path, rooms) -> None:
    """As layout 000 was published: backgrounds apart, the rest in zips."""
    export(rooms, "000", 10, tmp_path / "all", size=32)
    lone = tmp_path / "published"
    lone.mkdir()
    (tmp_path / "all/Background").rename(lone / "Background")
    with zipfile.ZipFile(lone / "data_part1.zip", "w") as archive:
        for file in (tmp_path / "all/data_1").rglob("*.jpg"):
            archive.write(file, file.relative_to(tmp_path / "all"))
    source = Stored(lone, split="shared")
    assert source.catalogue.layout.name == "000"
    assert len(source.catalogue.entries) == 10
    assert source.has_background

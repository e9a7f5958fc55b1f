"""Which files are pictures, and which background belongs to each."""

import os
from pathlib import Path

import pytest
from PIL import Image

from bench.core.errors import BadData, BenchError
from bench.run.predict.picture_files import PictureFiles, find_pictures


def images(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(folder / name)


def pairs(folder: Path, found: PictureFiles) -> dict[str, str | None]:
    return {
        str(picture.bg_fg.relative_to(folder)): None if picture.bg is None else str(picture.bg.relative_to(folder))
        for picture in found.pictures
    }


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a_bg.png", "a_bg_fg.jpg"], {"a_bg_fg.jpg": "a_bg.png"}),
        (["bg7.png", "bg-fg7.png"], {"bg-fg7.png": "bg7.png"}),
        (["x/bg/1.png", "x/bg_fg/1.png"], {"x/bg_fg/1.png": "x/bg/1.png"}),
        (["fg_bg 3.png", "bg 3.png"], {"fg_bg 3.png": "bg 3.png"}),
    ],
)
def test_pairs_by_name(tmp_path: Path, names: list[str], expected: dict[str, str]) -> None:
    images(tmp_path, *names)
    folder = tmp_path / "x" if names[0].startswith("x") else tmp_path
    found = find_pictures([folder])
    assert pairs(tmp_path, found) == expected
    assert not found.problems


def test_one_plate_for_all_is_no_picture_itself(tmp_path: Path) -> None:
    images(tmp_path, "1.png", "2.png", "plate.png")
    (tmp_path / "notes.txt").touch()
    found = find_pictures([tmp_path], tmp_path / "plate.png")
    assert pairs(tmp_path, found) == {"1.png": "plate.png", "2.png": "plate.png"}
    assert found.ignored == 1


def test_a_folder_of_backgrounds_pairs_by_stem(tmp_path: Path) -> None:
    images(tmp_path, "in/1.png", "in/2.png", "bg/1.jpg")
    found = find_pictures([tmp_path / "in"], tmp_path / "bg")
    assert pairs(tmp_path, found) == {"in/1.png": "bg/1.jpg"}
    assert [reason for _, reason in found.problems] == ["no photograph of its background"]


def test_patterns_pair_by_ids(tmp_path: Path) -> None:
    images(tmp_path, "room01.jpg", "room1_5.jpg", "room1_6.jpg")
    found = find_pictures([tmp_path], patterns="bg={scene}.jpg bg_fg={scene}_{n}.jpg")
    assert pairs(tmp_path, found) == {"room1_5.jpg": "room01.jpg", "room1_6.jpg": "room01.jpg"}


def test_alone_and_named_files(tmp_path: Path) -> None:
    images(tmp_path, "1.png", "1.jpg")
    found = find_pictures([tmp_path / "1.png", tmp_path / "1.jpg", tmp_path / "2.png"], paired=False)
    assert pairs(tmp_path, found) == {"1.png": None}
    assert [reason.split(":")[0] for _, reason in found.problems] == ["another picture has this name", "no such file"]


def test_nothing_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(BadData, match="1 of other suffixes"):
        find_pictures([tmp_path])


def test_pictures_that_are_backgrounds_or_fit_no_pattern_are_not_called_missing(tmp_path: Path) -> None:
    images(tmp_path, "a.png", "b.png")
    with pytest.raises(BadData, match=r"2 image files.*are backgrounds.*a\.png"):
        find_pictures([tmp_path], tmp_path)
    with pytest.raises(BadData, match=r"2 image files none fits bg_fg in --files .*a\.png"):
        find_pictures([tmp_path], patterns="bg_fg=shot{n}.png")


@pytest.mark.usefixtures("no_waiting")
def test_named_pipes_are_not_waited_for(tmp_path: Path) -> None:
    images(tmp_path, "a_bg.png", "a_bg_fg.png", "b_bg_fg.png")
    os.mkfifo(tmp_path / "b_bg.png")
    os.mkfifo(tmp_path / "c_bg_fg.png")
    found = find_pictures([tmp_path])
    assert pairs(tmp_path, found) == {"a_bg_fg.png": "a_bg.png"}
    assert len(found.problems) == 2
    assert all("not a regular file" in reason for _, reason in found.problems)


def names(found: PictureFiles) -> list[str]:
    return [picture.name for picture in found.pictures]


def test_pictures_of_folders_within_are_found_and_named_by_their_folders(tmp_path: Path) -> None:
    images(tmp_path, "in/o.png", "in/a/b/o.png", "in/a/p_bg.png", "in/a/p_bg_fg.png", "in/.hidden/x.png")
    images(tmp_path, "in/done/o_overlay.jpg", "in/plates/a/b/o.png", "in/plates/o.png")
    (tmp_path / "in/a/again").symlink_to(tmp_path / "in")
    found = find_pictures([tmp_path / "in"], tmp_path / "in/plates", out=tmp_path / "in/done")
    assert names(found) == ["a/b/o", "o"]
    assert pairs(tmp_path, found) == {"in/a/b/o.png": "in/plates/a/b/o.png", "in/o.png": "in/plates/o.png"}
    by_name = find_pictures([tmp_path / "in/a"])
    assert {picture.name: picture.bg and picture.bg.name for picture in by_name.pictures} == {"p_bg_fg": "p_bg.png"}


def test_sets_in_folders_are_read_as_sets(tmp_path: Path) -> None:
    images(tmp_path, *(f"{room}/{folder}/{n}.png" for room in "rs" for folder in ("bg", "bg_fg", "mask") for n in "12"))
    images(tmp_path, "r/bg/deep/3.png", "r/bg_fg/deep/3.png")
    found = find_pictures([tmp_path])
    assert names(found) == ["r/1", "r/2", "r/deep/3", "s/1", "s/2"]
    assert pairs(tmp_path, found)["r/bg_fg/deep/3.png"] == "r/bg/deep/3.png"
    assert not found.problems


def test_patterns_may_name_folders(tmp_path: Path) -> None:
    images(tmp_path, "q/bg/b1.png", "q/bg_fg/b1_f2_3.png", "q/mask/b1_f2_3.png", "r/bg/b1.png", "r/bg_fg/b1_f2_3.png")
    patterns = "bg=bg/{b}.png bg_fg=bg_fg/{b}_{f}_{n}.png"
    assert pairs(tmp_path, find_pictures([tmp_path / "q"], patterns=patterns)) == {"q/bg_fg/b1_f2_3.png": "q/bg/b1.png"}
    both = find_pictures([tmp_path], patterns=patterns)
    assert pairs(tmp_path, both)["r/bg_fg/b1_f2_3.png"] == "r/bg/b1.png", "that of its own set"
    images(tmp_path, "s/plates/7.png", "s/shots/7_1.png")
    found = find_pictures([tmp_path / "s"], patterns="bg=plates/{s}.png bg_fg=shots/{s}_{n}.png")
    assert pairs(tmp_path, found) == {"s/shots/7_1.png": "s/plates/7.png"}


def test_two_ways_of_naming_backgrounds_are_refused(tmp_path: Path) -> None:
    images(tmp_path, "1.png", "plate.png")
    with pytest.raises(BenchError, match="--bg and --files both say"):
        find_pictures([tmp_path], tmp_path / "plate.png", "bg=plate.png bg_fg={n}.png")


def test_backgrounds_that_no_network_sees_are_not_paired(tmp_path: Path) -> None:
    images(tmp_path, "a_bg.png", "a_bg_fg.png", "b.png")
    found = find_pictures([tmp_path], paired=False)
    assert pairs(tmp_path, found) == {"a_bg_fg.png": None, "b.png": None}
    assert found.unread == 1

"""Which files are pictures, and which background belongs to each."""

import os
from pathlib import Path

import pytest
from PIL import Image

from bench.core.errors import BadData
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
    with pytest.raises(BadData, match=r"2 image files fits bg_fg in --files .*a\.png"):
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

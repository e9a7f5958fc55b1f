"""Which pictures are of one scene, where their names have no background's: by plates, folders and numbers."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import torch

from bench.data.images.file_names import sequences
from bench.data.images.similarity import difference_hash, is_flat
from bench.data.images.videos import SIMILAR, usual_distance
from bench.data.stored.decoding.images import BadFile, open_image, rgb
from bench.data.stored.files.roots import File, Roots, Unreadable
from bench.data.stored.naming.layout import Layout
from bench.data.stored.naming.named_files import Picture

_EACH_ITS_OWN = "--scenes file takes each picture for a scene of its own"
_SIDE = 32
_MOST_PAIRS = 48


@dataclass(frozen=True)
class Scenes:
    """A scene for each picture.

    Attributes:
        names: of the scenes, one for each picture.
        note: the rule, in a sentence.
        way: what to do where there are too few scenes for a split.
    """

    names: list[str]
    note: str = ""
    way: str = ""


def by_plates(pictures: Sequence[Picture]) -> Scenes | None:
    """A scene for each plate that several pictures share; None where there are no plates, or one for each picture."""
    plates = {picture.partners["bg"] for picture in pictures if "bg" in picture.partners}
    if not 0 < len(plates) < len(pictures):
        return None
    count = "one plate for all pictures" if len(plates) == 1 else f"a scene for each of {len(plates)} plates"
    files = [picture.partners["bg"] for picture in pictures]
    return Scenes(_apart(files, [file.name for file in files]), count, f"{count}: add scenes")


def by_names(layout: Layout, pictures: Sequence[Picture], rule: str) -> list[Scenes]:
    """The scenes that names tell of; a second where the first may turn out to be too few, see `are_frames`.

    Args:
        layout: says where a path names the scene.
        pictures: in order.
        rule: ``file``, ``sequence``, or ``auto``: numbered files are one sequence, if that leaves enough scenes.
    """
    stems = _apart([picture.image.file for picture in pictures], [picture.image.file.stem for picture in pictures])
    if pictures and "file" in pictures[0].image.ids:
        rule = "file"
    each = Scenes(stems, f"each of {len(stems)} pictures is a scene of its own", "add pictures")
    if rule == "file":
        return [each]
    videos, folders = _videos(stems), _folders(layout, pictures)
    if folders:
        count = len(set(folders))
        if count == len(set(videos)) == len(set(zip(folders, videos, strict=True))):
            folders = videos  # the same scenes
        way = f"names of layout {layout.name} say the scene: if it does not matter to you, {_EACH_ITS_OWN}"
        return [Scenes(folders, f"folders say the scene: {count} scenes of {len(stems)} pictures", way)]
    count = len(set(videos))
    note = f"numbered files are one sequence: {count} scenes of {len(stems)} pictures (--scenes file: each its own)"
    if rule == "auto" and count == len(stems):
        return [each]
    sequence = Scenes(videos, note, f"numbered files are one sequence, as frames of a video are; {_EACH_ITS_OWN}")
    if rule == "sequence":
        return [sequence]
    aloud = (
        f"{each.note}: numbered files as one sequence would be too few scenes for a split (if they are frames of a "
        "video, test frames are nearly in training: say so, --scenes sequence with --split shared)"
    )
    return [sequence, Scenes(stems, aloud, each.way)]


def are_frames(roots: Roots, pictures: Sequence[Picture]) -> bool:
    """Whether numbered pictures look like the ones that follow them, as frames of a video do, by some of them."""
    videos = _videos([picture.image.file.stem for picture in pictures])
    runs: dict[str, list[File]] = defaultdict(list)
    for picture, video in zip(pictures, videos, strict=True):
        runs[video].append(picture.image.file)
    pairs = [pair for run in runs.values() for pair in itertools.pairwise(sorted(run, key=_in_order))]
    thumbnails = [
        (_thumbnail(roots, before), _thumbnail(roots, after))
        for before, after in pairs[:: max(1, -(-len(pairs) // _MOST_PAIRS))]
    ]
    both = [(before, after) for before, after in thumbnails if before is not None and after is not None]
    if not both:
        return False
    first, second = (torch.stack(some) for some in zip(*both, strict=True))
    telling = ~(is_flat(first) | is_flat(second))
    usual = usual_distance(difference_hash(first)[telling], difference_hash(second)[telling])
    return usual is not None and usual <= SIMILAR


def _apart(files: Sequence[File], names: list[str]) -> list[str]:
    """Names of files, with their roots where files of several roots have the same."""
    if len(set(names)) == len(set(files)):
        return names
    return [f"root {file.root + 1}/{name}" for file, name in zip(files, names, strict=True)]


def _videos(stems: Sequence[str]) -> list[str]:
    paths = [PurePosixPath(stem) for stem in stems]
    return [f"{path.parent}/{name}" for path, name in zip(paths, sequences([path.name for path in paths]), strict=True)]


def _folders(layout: Layout, pictures: Sequence[Picture]) -> list[str]:
    """The scene in each picture's path; empty where a path has none."""
    if layout.scene is None:
        return []
    found = [layout.scene.search(picture.image.file.name) for picture in pictures]
    # Where the root itself is the scene, nothing of it stands in the path.
    return [
        match["scene"] or f"root {picture.image.file.root + 1}"
        for match, picture in zip(found, pictures, strict=True)
        if match
    ] * all(found)


def _in_order(file: File) -> tuple[list[int], str]:
    return [int(number) for number in re.findall(r"\d+", file.name)], file.name


def _thumbnail(roots: Roots, file: File) -> torch.Tensor | None:
    """(3, S, S) in [0, 1]; None where the file cannot be used, which is said when it is decoded."""
    try:
        image = rgb(open_image(roots.read(file), least=_SIDE)).resize((_SIDE, _SIDE))
    except (Unreadable, BadFile):
        return None
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255

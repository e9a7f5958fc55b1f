"""What is said of a stored set when it is opened: what was decided, what was left out, and what is doubtful."""

from __future__ import annotations

from pathlib import PurePath

from bench.core.amount import amount
from bench.data.stored.decoding.mask_doubt import doubt_masks
from bench.data.stored.decoding.picture_doubt import doubt_pictures
from bench.data.stored.decoding.turns import note_turns
from bench.data.stored.quartet_set import QuartetSet

_NAMED = 3
_MEDIAN_OF = 3
"""Pictures at least: the median of two is their mean."""


def decisions(quartets: QuartetSet) -> list[str]:
    """What was decided, in sentences."""
    said = [quartets.depth.sentence()] if quartets.depth is not None else []
    if quartets.skipped:
        said.append(f"{amount(len(quartets.skipped), 'problem')} left out: {_what_was_skipped(quartets)}")
    unused = {name: count for name, count in quartets.catalogue.unused.items() if count}
    if alone := unused.pop("bg_fg", 0):
        wanted = " or ".join(sorted(quartets.catalogue.fields - {"bg_fg"}))
        said.append(f"{alone:,} pictures left out, which have no {wanted} of their own")
    if unused:
        said.append("not needed: " + ", ".join(f"{count:,} {name}" for name, count in sorted(unused.items())))
    if quartets.options["plate"] == "median":
        least, most = min(map(len, quartets.plates)), max(map(len, quartets.plates))
        of = f"{least}" if least == most else f"{least} to {most}"
        said.append(f"each background is the median of {of} pictures of its scene")
    if turns := note_turns(quartets.catalogue.roots, quartets.entries):
        said.append(turns)
    return said


def _what_was_skipped(quartets: QuartetSet) -> str:
    """The first files that were left out, without their folders, each with its reason."""
    shown = "; ".join(f"{PurePath(name).name}: {why}" for name, why in quartets.skipped[:_NAMED])
    return shown + f"; and {len(quartets.skipped) - _NAMED:,} more" * (len(quartets.skipped) > _NAMED)


def plate_doubt(quartets: QuartetSet) -> str:
    """Why backgrounds of medians are likely no empty scenes; empty where nothing speaks for that."""
    few = sum(len(files) < _MEDIAN_OF for files in quartets.plates) if quartets.options["plate"] == "median" else 0
    if not few:
        return ""
    return (
        f"{few} of {len(quartets.plates)} backgrounds are the median of fewer than {_MEDIAN_OF} pictures and show what "
        f"is in these, objects too: use more pictures of each scene, --plate-every below "
        f"{quartets.options['plate_every']}, or photographs of the empty scene"
    )


def mask_doubt(quartets: QuartetSet) -> str:
    """Why masks are likely no black and white, see `doubt_masks`; empty without masks."""
    files = [entry.partners["mask"] for entry in quartets.entries if "mask" in entry.partners]
    return doubt_masks(quartets.catalogue.roots, files, quartets.decoding)


def picture_doubt(quartets: QuartetSet) -> str:
    """Why photographs are likely read too dark, see `doubt_pictures`."""
    return doubt_pictures(quartets.catalogue.roots, [entry.image for entry in quartets.entries])

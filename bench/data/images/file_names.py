"""Names of files: which files are of the same scene or object, and names of any system in canonical form."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

RULES = ("auto", "file", "sequence")
"""How numbered files are grouped: by what `group_files` finds, each its own, or all numbers of a name together."""
ENOUGH = 3
"""Groups that a split in three parts needs."""

_NUMBER = re.compile(r"\d+")


def stem_of(path: Path) -> str:
    """A file's name without suffix, composed (NFC): systems that decompose accents find it again."""
    return unicodedata.normalize("NFC", path.stem)


def printable(path: Path) -> str:
    """A path for messages; bytes that are no UTF-8 as escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def scene_of(stem: str) -> str:
    """The video a numbered frame is of: the name without the number at its end."""
    return re.sub(r"[\s_.-]*\d+$", "", stem)


def sequences(stems: Sequence[str]) -> list[str]:
    """The sequence that each name is a number of, (N,).

    The number that counts is the number at the end; if text follows it, the last number that alone distinguishes two
    names: ``a_0001_rgb`` and ``a_0002_rgb`` are of the same sequence.
    """
    templates: dict[str, list[int]] = defaultdict(list)
    for i, stem in enumerate(stems):
        templates[_NUMBER.sub("#", stem)].append(i)
    names = [scene_of(stem) for stem in stems]
    for template, members in templates.items():
        if template.endswith("#"):
            continue
        runs = [[match.span() for match in _NUMBER.finditer(stems[i])] for i in members]
        for place in reversed(range(len(runs[0]))):
            spans = [run[place] for run in runs]
            rests = [f"{stems[i][:start]}#{stems[i][end:]}" for i, (start, end) in zip(members, spans, strict=True)]
            if max(Counter(rests).values()) > 1:
                for i, rest in zip(members, rests, strict=True):
                    names[i] = rest
                break
    return names


def group_files(
    stems: Sequence[str], contents: Sequence[str], rule: str, what: str
) -> tuple[list[str], str, list[str]]:
    """The group of each file by a rule, the rule that was used, and what was decided, in sentences.

    Args:
        stems: names without suffix.
        contents: a digest of each file; files of the same content are of the same group under any name.
        rule: one of `RULES`; ``auto`` takes numbered files for sequences if that leaves enough groups.
        what: what they are, for the sentences.
    """
    found = {"sequence": sequences(stems), "file": list(stems)}
    merged = {name: merge_equal(groups, contents) for name, groups in found.items()}
    used = rule
    if rule == "auto":
        used = "sequence" if len(set(merged["sequence"])) >= ENOUGH else "file"
    count, notes = len(set(found[used])), []
    if used == "sequence":
        notes.append(f"numbered files form groups: {count} groups of {len(stems)} {what}")
    else:
        notes.append(f"each of {len(stems)} {what} is a group of its own")
    joined = count - len(set(merged[used]))
    if joined:
        notes.append(f"{joined} groups of {what} hold files that others hold, too, and are merged")
    return merged[used], used, notes if rule == "auto" else notes[1:]


def merge_equal(groups: Sequence[str], contents: Sequence[str]) -> list[str]:
    """Merge groups that hold the same content, under the first of their names.

    Args:
        groups: of each file.
        contents: a digest of each file.
    """
    parent = {group: group for group in groups}

    def root(group: str) -> str:
        """The group that stands for all that are joined with this one."""
        while parent[group] != group:
            parent[group] = group = parent[parent[group]]
        return group

    first: dict[str, str] = {}
    for group, content in zip(groups, contents, strict=True):
        known, other = root(first.setdefault(content, group)), root(group)
        parent[max(known, other)] = min(known, other)
    return [root(group) for group in groups]


def counted(names: Iterable[str]) -> str:
    """Suffixes with how many files have each: ``3 .txt, 1 .heic``."""
    return ", ".join(f"{count} {suffix}" for suffix, count in sorted(Counter(names).items()))

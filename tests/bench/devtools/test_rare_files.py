"""Decoding of stored files over random files: a fast part of the sweep, and that it would find what is wrong."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from bench.data.stored.decoding import fields
from bench.data.stored.decoding.images import BadFile
from bench.data.stored.decoding.mask_values import FOREGROUNDS
from bench.data.stored.decoding.placement import FITS
from bench.devtools.rare_files import CONTAINERS, KEPT, NUMBERS, FileFaults, random_file, random_options


@pytest.mark.parametrize(("size", "largest", "count"), [(8, 40, 400), (24, 9, 200), (192, 300, 12)])
def test_nothing_rare_among_the_first_files(size: int, largest: int, count: int) -> None:
    swept = FileFaults().run(0, count, size, largest)
    assert swept.found == {}
    assert all(count / 4 < swept.taken[field] <= count for field in ("photograph", "mask", "depth", "known"))


def test_a_file_is_a_function_of_its_number() -> None:
    for number in range(20):
        assert random_file(number) == random_file(number)
        assert random_options(number) == random_options(number)
    assert len({random_file(number).content for number in range(20)}) == 20


def test_every_container_and_every_option_comes_up() -> None:
    files, options = [random_file(number) for number in range(300)], [random_options(number) for number in range(300)]
    assert {file.name[file.name.rindex(".") :] for file in files} == {*CONTAINERS, *NUMBERS}
    assert {chosen.fit for chosen in options} == set(FITS)
    assert {chosen.foreground for chosen in options} == set(FOREGROUNDS)
    assert sum("cut short" in file.about for file in files) > 10
    units = Counter(chosen.unit.name for chosen in options if chosen.unit is not None)
    assert len(units) == 9


def raises(content: bytes, *_: object) -> None:
    raise IndexError(content)


@pytest.mark.parametrize(
    ("field", "decoder", "fault"),
    [
        ("photograph", raises, "photograph: IndexError in test_rare_files.py"),
        ("photograph", lambda *_: (np.zeros((8, 8), np.uint8), 1.0), "photograph: uint8 of shape 8x8"),
        ("photograph", lambda *_: (np.zeros((8, 8, 3), np.float32), 1.0), "photograph: float32 of shape 8x8x3"),
        ("photograph", lambda *_: (np.zeros((8, 8, 3), np.uint8), 0.0), "photograph: no aspect"),
        ("mask", lambda *_: ((np.full((8, 8), 7, np.uint8), None), 1.0), "mask: grey in a mask that is not soft"),
        ("mask", lambda *_: ((np.full((8, 8), 255, np.uint8), np.zeros((8, 8), np.uint8)), 1.0), "an object where"),
        ("mask", lambda *_: ((np.zeros((8, 8), np.uint8), np.full((8, 8), 2, np.uint8)), 1.0), "neither 0 nor 1"),
        ("depth", lambda *_: (np.full((8, 8), np.nan, np.float32), 1.0), "depth: not finite"),
        ("depth", lambda *_: (np.full((8, 8), 1.5, np.float32), 1.0), r"depth: outside \[0, 1\]"),
        ("depth", lambda *_: (np.full((8, 8), -0.5, np.float32), 1.0), r"depth: outside \[0, 1\]"),
        ("known", lambda *_: (np.ones((8, 8), np.uint8), 1.0), "known: uint8 of shape 8x8"),
    ],
)
def test_what_is_wrong_is_found_with_its_file(monkeypatch: pytest.MonkeyPatch, field: str, decoder, fault: str) -> None:
    monkeypatch.setattr(fields, field, decoder)
    swept = FileFaults().run(0, 20, 8, 12)
    (found,) = [name for name in swept.found if name.startswith(field)]
    assert re.search(fault, found)
    assert len(swept.found[found]) <= KEPT <= swept.counts[found]


def test_a_refusal_without_a_reason_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> None:
        raise BadFile(" ")

    monkeypatch.setattr(fields, "photograph", refuses)
    assert FileFaults().run(0, 3, 8, 12).counts["photograph: refused without a reason"] == 3

"""The measured part of the page on GPUs, from the lines of journals; and the journal itself."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from bench.devtools.gpu.journal import Journal, read_journal, read_lines
from bench.devtools.gpu.page import main, measured

STEP: dict[str, Any] = {
    "part": "steps", "model": "unet", "batch": 32, "gmacs": 0.5, "eager_ms": 12.0, "enqueue_ms": 9.5,
    "graphed_ms": 4.0, "host_bound": True,
}  # fmt: skip
LOOP = {"part": "loop", "model": "unet", "engine": "eager", "over_bare": 0.98765, "later_epochs": 0.9912}
MACHINE = {
    "part": "machine", "device": "A card", "driver": "580.159.04", "cuda": "13.0", "cudnn": "9", "processor": "A host",
    "packages": {"torch": "2.15.0"},
}  # fmt: skip
BEST = {"part": "machine", "what": "best", "gflops": {"bfloat16": 990_000.0}, "gigabytes_a_second": 3321.4}
HOST = {"part": "machine", "what": "host microseconds", "launch": 4.25, "mark": 0.333}
PHASES = {
    "part": "standard", "model": "wnet", "engine": "graphed", "phases": {"training": 12.34, "test": 0.5},
    "images_a_second": {"64": 12345.6, "192": 999.0}, "peak_mib": 2048.4,
}  # fmt: skip
PROFILE = {
    "part": "profiles", "model": "unet", "engine": "eager", "step_ms": {"value": 3.0}, "closure": 0.991,
    "perturbation": {"value": 1.004}, "host_bound": False, "caveats": ["a | b", "c"],
}  # fmt: skip
STAGE = {
    "part": "stages", "model": "unet", "size": 64, "batch": 128, "step_seconds": [3.0, 0.5],
    "peak_mib": [1024.4, 900.0],
}  # fmt: skip
EPOCH = {
    "part": "epoch", "model": "wnet", "engine": "graphed", "batch": 128, "epoch_seconds": 37.6,
    "images_a_second": 10629.0, "first_seconds": 3.0,
}  # fmt: skip
RENDERED = {
    "part": "rendering", "source": "synthetic", "chunk": 4096, "quartets_a_second": 367547.0, "ms": 11.1,
    "enqueue_ms": 7.7,
}  # fmt: skip
DEPARTED = {
    "part": "departure", "precision": "float32", "eager_from_eager": 0.01, "graphed_from_eager": 0.03,
    "rounding_spread": 0.02,
}  # fmt: skip
COMPILED = {
    "part": "compiled", "model": "wnet", "batch": 128, "compiled_ms": 8.6, "enqueue_ms": 0.2, "first_seconds": 66.0,
}  # fmt: skip

PAGE = b"<!-- measured -->\n<!-- /measured -->\n"


def rows(text: str, title: str) -> list[list[str]]:
    """The cells of the table under a title."""
    body = text.split(f"**{title}**\n\n")[1].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body.splitlines()[2:]]


def test_a_step_is_a_row_with_its_ratio() -> None:
    (row,) = rows(measured([STEP]), "A training step, bce_ssim, 64 px, ms")
    assert row == ["`unet`", "32", "16", "12", "9.5", "4", "3.00", "host"]


def test_what_was_not_measured_is_a_dash() -> None:
    line = {**STEP, "gmacs": None, "graphed_ms": None, "host_bound": False}
    (row,) = rows(measured([line]), "A training step, bce_ssim, 64 px, ms")
    assert row == ["`unet`", "32", "–", "12", "9.5", "–", "–", "device"]


def test_the_last_line_of_the_same_thing_counts_and_errors_do_not() -> None:
    text = measured([STEP, {**STEP, "batch": 64}, {**STEP, "eager_ms": 8.0}, {**STEP, "error": "x", "eager_ms": 1.0}])
    assert [(row[1], row[3]) for row in rows(text, "A training step, bce_ssim, 64 px, ms")] == [
        ("32", "8"),
        ("64", "12"),
    ]


def test_what_no_line_holds_makes_no_table() -> None:
    assert measured([]) == ""
    text = measured([LOOP])
    assert text.count("**") == 2 and "| `unet` | eager | 0.988 | 0.991 |" in text


def test_the_machine_is_a_sentence() -> None:
    text = measured([MACHINE, BEST, HOST])
    assert text == (
        "*A card, driver 580.159.04, CUDA 13.0, cuDNN 9, torch 2.15.0, host A host; matrix products in TFLOP/s: "
        "bfloat16 990; a copy 3,321 GB/s; the host takes 4.2 us to launch, 0.33 us to mark.*"
    )


def test_phases_are_columns() -> None:
    text = measured([PHASES, {**PHASES, "model": "unet", "phases": {"preparation": 3.0}}])
    header = text.split("\n\n")[1].splitlines()[0]
    assert header == "| model | engine | training | test | preparation | images/s by size | peak MiB |"
    found = rows(text, "A short run of protocol standard, seconds by phase")
    assert found[0] == ["`wnet`", "graphed", "12.3", "0.5", "–", "64: 12,346, 192: 999", "2,048"]
    assert found[1][2:5] == ["–", "–", "3"]


def test_a_pipe_in_a_cell_breaks_no_table() -> None:
    (row,) = rows(measured([PROFILE]), "Profiles at batch 128, 64 px")
    assert row == ["`unet`", "eager", "3", "99.1%", "+0.40%", "device", "a \\| b; c"]


def test_a_page_gets_the_tables_between_its_marks(tmp_path: Path) -> None:
    page, lines = tmp_path / "gpu.md", tmp_path / "lines.jsonl"
    page.write_text("# GPU\n<!-- measured -->\nold\n<!-- /measured -->\nthe end\n")
    lines.write_text(json.dumps(LOOP) + "\n" + '{"part": "loop", "mod')  # killed while it wrote
    assert main([str(lines), "--page", str(page)]) == 0
    text = page.read_text()
    assert "old" not in text and "0.988" in text and text.endswith("<!-- /measured -->\nthe end\n")


@pytest.mark.parametrize("driver", ["86", "unknown", None, 86, "575.57.08x"])
def test_a_number_that_is_no_drivers_version_is_not_printed(driver: object) -> None:
    """86 is of x86_64, which was read for the version once."""
    text = measured([{**MACHINE, "driver": driver}])
    assert text.startswith(f"*A card, driver {'unknown' if isinstance(driver, str) else '–'}, CUDA 13.0")
    assert "driver 575.57.08," in measured([{**MACHINE, "driver": "575.57.08"}])


WHOLE = (MACHINE, BEST, HOST, STEP, LOOP, PHASES, PROFILE, STAGE, EPOCH, RENDERED, DEPARTED, COMPILED)


@pytest.mark.parametrize("line", WHOLE, ids=lambda line: line["part"])
@pytest.mark.parametrize("wrong", ["lacking", None, "nan", "-inf", math.nan, [1], {"a": None}, "x", 0])
def test_no_figure_costs_another(line: dict[str, Any], wrong: object) -> None:
    """Whatever one of a line's figures is, the rest of the page is there."""
    others = [other for other in WHOLE if other["part"] != line["part"]]
    alone = [measured([other]) for other in others if other["part"] != "machine"]
    for key in line.keys() - {"part"}:
        damaged = {name: value for name, value in line.items() if name != key}
        text = measured([*others, damaged if wrong == "lacking" else {**damaged, key: wrong}])
        assert all(section in text for section in alone), key


def test_a_diverged_departure_is_shown_as_it_is() -> None:
    missed: list[str] = []
    text = measured([{**DEPARTED, "eager_from_eager": "nan", "graphed_from_eager": "inf"}, STEP], missed)
    (row,) = rows(text, "Losses of the first steps of `unet`, greatest relative difference")
    assert row == ["float32", "nan", "inf", "0.02"] and missed == []
    text = measured([{**PROFILE, "closure": "nan", "perturbation": {"value": "inf"}}])
    assert "| nan% | +inf% |" in text


def test_what_a_line_lacks_is_a_dash_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, lines = tmp_path / "gpu.md", tmp_path / "lines.jsonl"
    page.write_text("<!-- measured -->\n<!-- /measured -->\n")
    lines.write_text(json.dumps({k: v for k, v in STEP.items() if k not in ("eager_ms", "host_bound")}) + "\n")
    assert main([str(lines), "--page", str(page)]) == 0
    assert "| `unet` | 32 | 16 | – | 9.5 | 4 | – | – |" in page.read_text()
    assert "steps: figures that its lines lack: 3, shown as dashes" in capsys.readouterr().err


def test_damaged_lines_are_passed_over_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, lines = tmp_path / "gpu.md", tmp_path / "lines.jsonl"
    page.write_text("<!-- measured -->\n<!-- /measured -->\n")
    bad = [
        b"5",
        b"null",
        b"[1]",
        b'"x"',
        b'{"a": 1}',
        b'{"part": 3}',
        b'\xff\xfe{"par',
        b"[" * 100_000,
        b'{"part": "lo',
    ]
    lines.write_bytes(b"\n".join([*bad[:4], json.dumps(LOOP).encode(), b"", *bad[4:]]))
    assert read_journal(lines) == ([LOOP], len(bad))
    assert main([str(lines), "--page", str(page)]) == 0
    assert "0.988" in page.read_text()
    said = f"lines.jsonl: passed over, as they are damaged or of no part: {len(bad)} of its lines"
    assert said in capsys.readouterr().err
    assert Journal(lines).lines() == [LOOP]


@pytest.mark.parametrize(
    ("lines", "page", "said"),
    [
        ("lines.jsonl", "unmarked.md", "unmarked.md has no markers measured"),
        ("lines.jsonl", "binary.md", "binary.md is no text in UTF-8"),
        ("lines.jsonl", "missing.md", "missing.md: No such file or directory"),
        ("lines.jsonl", ".", ": Is a directory"),
        ("missing.jsonl", "gpu.md", "missing.jsonl: No such file or directory"),
        (".", "gpu.md", ": Is a directory"),
        ("unmarked.md/lines.jsonl", "gpu.md", "lines.jsonl: Not a directory"),
    ],
)
def test_files_that_cannot_be_used_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: str, page: str, said: str
) -> None:
    for name, content in (("lines.jsonl", b""), ("unmarked.md", b""), ("binary.md", b"\xff"), ("gpu.md", PAGE)):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / lines), "--page", str(tmp_path / page)])
    assert ended.value.code == 2 and said in capsys.readouterr().err
    assert (tmp_path / "gpu.md").read_bytes() == PAGE


def test_a_journal_keeps_lines_rounded_and_prints_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = Journal(tmp_path / "j.jsonl", fresh=True)
    journal.line("steps", ms=1.23456789, by={"a": [0.1000000001, math.nan]}, where=Path("x"), count=3)
    journal.line("end")
    assert journal.lines() == [
        {"part": "steps", "ms": 1.2346, "by": {"a": [0.1, "nan"]}, "where": "x", "count": 3},
        {"part": "end"},
    ]
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == journal.lines()


def test_a_journal_goes_on_unless_it_is_fresh(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    Journal(path, fresh=True).line("a")
    Journal(path).line("b")
    assert [line["part"] for line in read_lines(path)] == ["a", "b"]
    Journal(path, fresh=True).line("c")
    assert [line["part"] for line in read_lines(path)] == ["c"]

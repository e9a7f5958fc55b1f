"""Markdown of any text: a table keeps its shape, code stays code, and literal text is no markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.profile.tax import REFERENCE, Tax
from bench.report.markdown import code, literal, table
from bench.report.markdown.markers import put_between
from bench.report.markdown.tax_table import tax_table
from tests.bench.report.terminal.drawn import HOSTILE

TEXTS = st.one_of(
    st.text(max_size=30), st.sampled_from([*HOSTILE.values(), "<sub>+0.5</sub>", "a\nb", "\\|", "``", " "])
)


def read(page: str) -> list[list[str]]:
    """A pipe table as a reader of Markdown (GitHub's) has it: cells by line, escaped pipes as pipes."""
    lines = []
    for line in page.splitlines():
        assert line.startswith("| ") and line.endswith(" |"), line
        lines.append([cell.replace("\\|", "|") for cell in re.split(r"(?<!\\) \| ", line[2:-2])])
    return lines


class Tags(HTMLParser):
    """The tags in a text, as a browser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.append(tag)


@settings(max_examples=40)
@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(TEXTS, min_size=width, max_size=width), min_size=1)))
def test_a_table_has_its_rows_and_columns_whatever_is_in_them(cells: list[list[str]]) -> None:
    header, *body = cells
    page = table(header, body)
    assert page.endswith("|\n") and len(page.splitlines()) == len(cells) + 1
    assert page.splitlines()[1] == "|" + " --- |" * len(header)
    assert [len(line) for line in read(page)] == [len(header)] * (len(cells) + 1)


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "html"])
def test_a_cell_is_read_back_as_it_was(name: str) -> None:
    text = HOSTILE[name]
    found = read(table(["name", "value"], [[text, "1"], ["x", text]]))
    assert found == [["name", "value"], ["---", "---"], [text, "1"], ["x", text]]


@settings(max_examples=40)
@given(st.text(max_size=40))
def test_no_cell_brings_a_tag_but_a_small_figure(text: str) -> None:
    plain = text.replace("`", "")  # within code, a tag is shown as it is
    assert set(Tags(table(["x"], [[plain]])).found) <= {"sub"}


@pytest.mark.parametrize(
    ("text", "tags"),
    [("<img src=x>", []), ("<sub>+0.5</sub>", ["sub"]), ("a < b > c", []), ("<!-- x -->", []), ("</td><script>", [])],
)
def test_tags_are_escaped_and_comparisons_are_not(text: str, tags: list[str]) -> None:
    page = table(["x"], [[text]])
    assert Tags(page).found == tags
    assert ("a < b > c" in page) == (text == "a < b > c")


@settings(max_examples=40)
@given(st.text(alphabet="a`b |\n[", max_size=12))
def test_code_is_one_span_on_one_line(text: str) -> None:
    found = code(text)
    assert found.startswith("`") and found.endswith("`") and found.count("`") == 2
    assert len(found.splitlines()) == 1


@settings(max_examples=40)
@given(st.text(alphabet="ab *_`[]#\\", max_size=20))
def test_a_literal_text_is_itself_without_its_escapes(text: str) -> None:
    found = literal(text)
    assert re.sub(r"\\(.)", r"\1", found) == " ".join(text.split())
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_`\[\]#]", found)


@settings(max_examples=40)
@given(content=st.text(alphabet="ab\n", max_size=20), ending=st.sampled_from(["\n", "\r\n"]))
def test_what_lies_between_markers_is_replaced_and_nothing_else(content: str, ending: str) -> None:
    before, after = f"# Mine{ending}<!-- x -->{ending}", f"<!-- /x -->{ending}the end"
    page = put_between(f"{before}old{ending}{after}", "x", content)
    assert page == before + content.replace("\n", ending) + after
    assert put_between(page, "x", content) == page, "twice is as once"
    assert put_between(page, "y", content) is None


@pytest.mark.parametrize("page", ["", "<!-- x -->\n", "<!-- /x -->\n<!-- x -->\n", "<!-- x --> <!-- /x -->"])
def test_a_page_without_both_markers_is_left_alone(page: str) -> None:
    assert put_between(page, "x", "new\n") is None


def test_the_cheapest_loss_comes_first() -> None:
    def tax(ms: float) -> Tax:
        return Tax(milliseconds=ms, extra_ms=ms - 2, ratio=ms / 2, extra_mib=ms)

    found = read(tax_table({"ssim": tax(9.0), "b": tax(2.0), REFERENCE: tax(2.0), "cheap": tax(1.5)}))
    assert [line[0] for line in found[2:]] == ["`cheap`", *sorted(["`b`", f"`{REFERENCE}`"]), "`ssim`"]
    assert found[2][1:] == ["1.50", "-0.50", "0.8", "+1.5"]

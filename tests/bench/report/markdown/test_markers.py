"""Generated parts of pages: replaced between their markers, everything else untouched."""

from hypothesis import given
from hypothesis import strategies as st

from bench.report.markdown.markers import put_between

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="<\r"), max_size=40)


@given(before=TEXT, old=TEXT, new=TEXT, after=TEXT)
def test_only_what_lies_between_changes(before: str, old: str, new: str, after: str) -> None:
    page = f"{before}<!-- a -->\n{old}<!-- /a -->\n{after}"
    assert put_between(page, "a", new) == f"{before}<!-- a -->\n{new}<!-- /a -->\n{after}"


def test_line_endings_stay() -> None:
    assert put_between("x\r\n<!-- a -->\r\n<!-- /a -->\r\n", "a", "new\n") == (
        "x\r\n<!-- a -->\r\nnew\r\n<!-- /a -->\r\n"
    )


def test_a_page_without_markers_is_told_apart() -> None:
    assert put_between("<!-- a -->\n", "a", "new\n") is None
    assert put_between("<!-- /a -->\n", "a", "new\n") is None

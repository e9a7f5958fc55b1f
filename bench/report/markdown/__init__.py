"""Pages in Markdown: the leaderboard, its excerpt in README.md, and the tables of other generated pages."""

from bench.report.markdown.syntax import code, literal, table

__all__ = ["code", "literal", "table"]

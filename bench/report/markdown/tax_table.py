"""The cost of losses as a Markdown table."""

from __future__ import annotations

from collections.abc import Mapping

from bench.profile.tax import REFERENCE, Tax
from bench.report.markdown import table


def tax_table(taxes: Mapping[str, Tax]) -> str:
    """A pipe table, cheapest first."""
    header = ["loss", "ms a step", f"ms over `{REFERENCE}`", f"times `{REFERENCE}`", f"MiB over `{REFERENCE}`"]
    body = [
        [f"`{name}`", f"{tax.milliseconds:.2f}", f"{tax.extra_ms:+.2f}", f"{tax.ratio:.1f}", f"{tax.extra_mib:+.1f}"]
        for name, tax in sorted(taxes.items(), key=lambda item: (item[1].extra_ms, item[0]))
    ]
    return table(header, body)

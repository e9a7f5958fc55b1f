"""Any source written as files in a published layout."""

from bench.data.stored.export.exporter import export

__all__ = ["export"]

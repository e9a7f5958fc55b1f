"""Any source written as files in a published layout."""

from bench.data.stored.export.exporter import check_export, export

__all__ = ["check_export", "export"]

"""What lies in files: records, evaluations and latencies, written atomically and read back whole."""

from bench.results.store.records import (
    SCHEMA,
    Named,
    Records,
    check,
    check_images,
    read,
    read_all,
    read_images,
    remove_strays,
    schema,
    slug,
    stem,
    write,
    write_sealed,
)
from bench.results.store.seal import check_seal, sealed
from bench.results.store.tables import IDS, IMAGES, image_columns, lacking_ids, read_table

__all__ = [
    "IDS",
    "IMAGES",
    "SCHEMA",
    "Named",
    "Records",
    "check",
    "check_images",
    "check_seal",
    "image_columns",
    "lacking_ids",
    "read",
    "read_all",
    "read_images",
    "read_table",
    "remove_strays",
    "schema",
    "sealed",
    "slug",
    "stem",
    "write",
    "write_sealed",
]

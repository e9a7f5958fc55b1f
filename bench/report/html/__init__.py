"""Self-contained HTML pages: the report of all records, and a profile."""

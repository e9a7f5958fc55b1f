"""What `registry.registry.Registry` is built of: entries, keys as text, imports, and source code read as text."""

"""File contents as square arrays."""

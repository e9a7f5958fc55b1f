"""From wildcards, lists and alternatives to cells."""

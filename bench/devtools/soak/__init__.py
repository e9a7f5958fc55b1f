"""Many short runs, disturbed in every way that fits into some minutes: ``python -m bench.devtools.soak``."""

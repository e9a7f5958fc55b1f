"""Two revisions' benchmarks run in turn, slice by slice, to see what became slower."""

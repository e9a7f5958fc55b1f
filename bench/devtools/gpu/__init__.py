"""Everything that needs a GPU, measured by a single command: ``python -m bench.devtools.gpu``.

Parts run in turn, the most valuable first, and write JSON line by line as they go, so that what stops a part,
or all, costs no figure that was written before.
"""

"""Everything that wants a GPU, measured in one command: ``python -m bench.devtools.gpu``.

Parts run one after the other, the most valuable first, and write JSON line by line as they go, so that what stops one
of them, or all, costs no figure that was there before.
"""

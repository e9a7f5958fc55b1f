"""What is compared: models and loss recipes. Knows torch, never imports ``bench``.

Importing this package is cheap; ``registry.models`` and ``registry.losses`` hold the two registries, whose
entries import torch only when they are built.
"""

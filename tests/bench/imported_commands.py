"""Imports what commands import at their first need, for the process that `tests.bench.command` forks from."""

from __future__ import annotations

import atexit
import gc
import importlib
import pkgutil

import segmentation_models_pytorch  # noqa: F401
import torch
import torch._dynamo  # the first optimizer of a process imports it
import torch.utils.tensorboard

import bench.cli

torch.set_num_threads(1)
for package in ("cli", "run", "report", "profile", "reproduce"):
    for module in pkgutil.walk_packages([f"{bench.__path__[0]}/{package}"], f"bench.{package}."):
        if not module.ispkg and module.name != "bench.run.sweep.executors.server":
            importlib.import_module(module.name)
gc.collect()
gc.freeze()  # what is here now outlives every process: none need look through it
atexit.register(gc.unfreeze)  # or libraries report objects that were never given back

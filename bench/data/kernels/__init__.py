"""Rendering on a GPU in few passes over memory: kernels in Triton for what the data package computes in torch.

Each kernel has a reference in torch, which a CPU always uses, and a GPU where Triton is missing or it has failed.
`available` decides; every other module here imports Triton and is imported by those who asked `available` first.
"""

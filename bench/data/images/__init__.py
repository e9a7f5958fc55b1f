"""Photographs, masks and depth maps as files and as pixels: names, decoding, compression, colours, likeness."""

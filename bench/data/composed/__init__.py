"""Cut-outs pasted on photographs, on the fly."""

"""The five published systems, run as published and put right, beside the figures their authors quoted."""

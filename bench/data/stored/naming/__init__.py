"""What file names say: fields, ids, pairs and groups."""

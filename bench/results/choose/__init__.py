"""Which models to consider under limits on quality, latency and memory."""

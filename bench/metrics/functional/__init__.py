"""The metrics of this package, each a function of a `bench.metrics.view.View` to a value per image, (B,)."""

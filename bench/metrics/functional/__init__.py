"""The metrics of this package, each a function of a `bench.metrics.view.View` to one value per image, (B,)."""

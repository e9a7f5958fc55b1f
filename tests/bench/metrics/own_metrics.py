"""Metrics as a user writes them."""

from bench.metrics import metrics
from registry.ranges import between


@metrics.register(head="mask", higher_is_better=True)
def precision_at_half(view):
    """Share of the found pixels that belong to the object."""
    predicted, _, both = view.pixels_on
    return both / predicted


@metrics.register(head="depth", higher_is_better=False, unit="range", ranges={"share": between(0, 1)})
def largest_error(prediction, target, share: float = 1.0):
    """The largest absolute error of an image."""
    error = (prediction.value - target.value).abs() * target.known
    return share * error.flatten(1).amax(1)


@metrics.register(head="mask", higher_is_better=True)
def scalar(view):
    """Returns a scalar for the whole batch."""
    return view.mask.mean()


def says_nothing(view):
    """Does not say what it judges."""
    return view.mask_pixels


@metrics.register(head="joint", higher_is_better=True)
def joint_of_two(prediction, target):
    """Cannot be bound: a joint metric needs both heads."""
    return prediction.value.flatten(1).mean(1)

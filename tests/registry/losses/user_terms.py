"""Loss terms as a user writes them: each returns a scalar for a batch."""

from registry.losses.terms.pixel import l1


def half_l1(prediction, target):
    """Half the mean absolute error of the images that have a target."""
    known = target.known.flatten(1)
    error = ((prediction.value - target.value).abs().flatten(1) * known).sum(1) / known.sum(1).clamp(min=1)
    return error.sum() / known.any(1).sum().clamp(min=1) / 2


def squared_l1(prediction, target):
    """Computed from a mean over images, but no mean itself."""
    return l1(prediction, target).square()

"""Loss terms from their formulas, in numpy and float64: an image at a time, on lists of its known pixels alone.

Nothing here pads, masks or batches: what is unknown is not in the lists. The reference for terms where targets have
holes, sides are odd, and images are missing altogether.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray
Reference = Callable[[Array, Array], float]
"""From logits and targets of the known pixels of an image, (N,) each, to the image's loss."""


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def cross_entropy(z: Array, t: Array) -> Array:
    return np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))


def overlap(z: Array, t: Array) -> tuple[float, float, float]:
    p = sigmoid(z)
    return float((p * t).sum()), float(p.sum()), float(t.sum())


def least(z: Array, t: Array) -> tuple[float, float, float]:
    p = sigmoid(z)
    return float(np.minimum(p, t).sum()), float(p.sum()), float(t.sum())


def focal(z: Array, t: Array, gamma: float = 2.0, balance: float = 0.5) -> float:
    entropy = cross_entropy(z, t)
    weight = 2 * np.where(t == 1, balance, 1 - balance)
    return float((weight * (1 - np.exp(-entropy)) ** gamma * entropy).mean())


def dice(z: Array, t: Array, smooth: float = 1.0, how: Callable = overlap) -> float:
    both, predicted, true = how(z, t)
    return 1 - (2 * both + smooth) / (predicted + true + smooth)


def iou(z: Array, t: Array, smooth: float = 1.0, how: Callable = overlap) -> float:
    both, predicted, true = how(z, t)
    return 1 - (both + smooth) / (predicted + true - both + smooth)


def tversky(z: Array, t: Array, alpha: float = 0.3, beta: float = 0.7) -> float:
    both, predicted, true = least(z, t)
    return 1 - (both + 1) / (both + alpha * (predicted - both) + beta * (true - both) + 1)


def lovasz(z: Array, t: Array) -> float:
    """The Lovasz extension of the Jaccard loss as its definition has it: each error times what its pixel adds."""
    hinge = np.maximum(0, 1 - z * (2 * t - 1))
    order = np.argsort(-hinge, kind="stable")
    total, before = 0.0, 0.0
    for count in range(1, len(order) + 1):
        wrong = np.zeros(len(t), dtype=bool)
        wrong[order[:count]] = True
        on = t > 0.5
        union = (on | wrong).sum()
        jaccard = wrong.sum() / union if union else 0.0
        total += hinge[order[count - 1]] * (jaccard - before)
        before = jaccard
    return float(total)


def silog(z: Array, t: Array, focus: float = 0.5, eps: float = 1e-3) -> float:
    d = np.log(sigmoid(z) + eps) - np.log(t + eps)
    return float((d**2).mean() - focus * d.mean() ** 2)


def berhu(z: Array, t: Array, share: float = 0.2) -> float:
    errors = np.abs(sigmoid(z) - t)
    c = share * errors.max()
    return float(np.mean([e if e <= c else (e * e + c * c) / (2 * c) for e in errors]))


def ssi(z: Array, t: Array) -> float:
    def aligned(x: Array) -> Array:
        centred = x - np.sort(x)[(len(x) - 1) // 2]
        return centred / max(float(np.abs(centred).mean()), 1e-3)

    return float(np.abs(aligned(sigmoid(z)) - aligned(t)).mean() / 2)


REFERENCES: dict[str, Reference] = {
    "bce": lambda z, t: float(cross_entropy(z, t).mean()),
    "bce[twice=true]": lambda z, t: float(cross_entropy(sigmoid(z), t).mean()),
    "focal": focal,
    "focal[balance=0.9,gamma=0]": lambda z, t: focal(z, t, 0, 0.9),
    "focal[balance=0.1,gamma=0.5]": lambda z, t: focal(z, t, 0.5, 0.1),
    "l1": lambda z, t: float(np.abs(sigmoid(z) - t).mean()),
    "l1[raw=true]": lambda z, t: float(np.abs(z - t).mean()),
    "l2": lambda z, t: float(((sigmoid(z) - t) ** 2).mean()),
    "l2[raw=true]": lambda z, t: float(((z - t) ** 2).mean()),
    "rmse": lambda z, t: float(np.sqrt(((sigmoid(z) - t) ** 2).mean() + 1e-6)),
    "rmse[raw=true]": lambda z, t: float(np.sqrt(((z - t) ** 2).mean() + 1e-6)),
    "dice": dice,
    "dice[smooth=50]": lambda z, t: dice(z, t, 50),
    "dice[overlap=min,smooth=1e-6]": lambda z, t: dice(z, t, 1e-6, least),
    "iou": iou,
    "iou[overlap=min]": lambda z, t: iou(z, t, 1.0, least),
    "tversky": tversky,
    "tversky[alpha=0,beta=2]": lambda z, t: tversky(z, t, 0, 2),
    "lovasz": lovasz,
    "silog": silog,
    "silog[eps=0.1,focus=1]": lambda z, t: silog(z, t, 1, 0.1),
    "silog[focus=0]": lambda z, t: silog(z, t, 0),
    "berhu": berhu,
    "berhu[share=1]": lambda z, t: berhu(z, t, 1),
    "berhu[share=0.01]": lambda z, t: berhu(z, t, 0.01),
    "ssi": ssi,
}
"""Terms that see an image as a list of pixels, by key."""


def means_of(key: str, logits: Array, targets: Array, known: Array) -> float:
    """The mean of a term over the images of (B, 1, H, W) that have a known pixel; 0 if none has."""
    values = [
        REFERENCES[key](z[k], t[k])
        for z, t, k in zip(*(part.reshape(len(logits), -1) for part in (logits, targets, known)), strict=True)
        if k.any()
    ]
    return float(np.mean(values)) if values else 0.0


def gradient_differences(error: Array, known: Array, scales: int) -> float:
    """Of one image: absolute differences of the error between neighbours that are both known, over scales."""
    total = 0.0
    for step in (2**scale for scale in range(scales)):
        e, k = error[::step, ::step], known[::step, ::step]
        if step >= min(error.shape):
            continue
        across = [
            abs(e[i, j + 1] - e[i, j]) for i, j in np.ndindex(e.shape[0], e.shape[1] - 1) if k[i, j] & k[i, j + 1]
        ]
        down = [abs(e[i + 1, j] - e[i, j]) for i, j in np.ndindex(e.shape[0] - 1, e.shape[1]) if k[i, j] & k[i + 1, j]]
        total += sum(float(np.mean(some)) for some in (across, down) if some)
    return total


def window_similarities(x: Array, y: Array, known: Array, window: int, extent: float = 1.0) -> list[float]:
    """SSIM of every window of a map (H, W) that is known throughout, a window at a time."""
    offset = np.arange(window) - window // 2
    taps = np.exp(-(offset**2) / (2 * 1.5**2))
    kernel = np.outer(taps, taps) / taps.sum() ** 2
    c1, c2 = (0.01 * extent) ** 2, (0.03 * extent) ** 2
    found = []
    for i, j in np.ndindex(x.shape[0] - window + 1, x.shape[1] - window + 1):
        at = slice(i, i + window), slice(j, j + window)
        if not known[at].all():
            continue
        a, b = x[at], y[at]
        ma, mb = (kernel * a).sum(), (kernel * b).sum()
        va, vb, cov = (
            (kernel * (p - mp) * (q - mq)).sum() for p, q, mp, mq in ((a, a, ma, ma), (b, b, mb, mb), (a, b, ma, mb))
        )
        found.append((2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2)))
    return found

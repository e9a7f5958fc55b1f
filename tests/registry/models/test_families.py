"""What sets each published system apart: its faults and their repair, held to the descriptions."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from registry.contract import Model
from registry.models import models
from registry.models._blocks import Halve
from registry.models.dilated_shuffle import DilatedShuffle, icnr


def build(key: str) -> Model:
    torch.manual_seed(3)
    return models.build(key).eval()


@torch.no_grad()
@pytest.mark.parametrize("key", ["ugent_unet", "custom_unet"])
def test_system_001_never_sees_the_background(key: str) -> None:
    model = build(key)
    bg, other, bg_fg = torch.rand(3, 1, 3, 32, 32)
    first, second = model(bg, bg_fg), model(other, bg_fg)
    assert torch.equal(first.mask_logits, second.mask_logits) and torch.equal(first.depth_logits, second.depth_logits)


@torch.no_grad()
def test_three_depth_channels_are_averaged() -> None:
    model = build("custom_unet[depth_channels=3]")
    outputs: list[Tensor] = []
    model.depth_head.register_forward_hook(lambda _m, _i, out: outputs.append(out))
    bg, bg_fg = torch.rand(2, 2, 3, 16, 16)
    depth = model(bg, bg_fg).depth_logits
    assert outputs[0].shape == (2, 3, 16, 16)
    torch.testing.assert_close(depth[:, 0], (outputs[0][:, 0] + outputs[0][:, 1] + outputs[0][:, 2]) / 3)


def test_the_shared_trunk_gets_both_heads_gradients_and_runs_once() -> None:
    model = build("custom_unet")
    runs: list[None] = []
    model.trunks["shared"].register_forward_hook(lambda *_: runs.append(None))
    bg, bg_fg = torch.rand(2, 1, 3, 16, 16)
    prediction = model(bg, bg_fg)
    weight = model.trunks["shared"].centre[1][0].weight
    for logits in (prediction.mask_logits, prediction.depth_logits):
        (gradient,) = torch.autograd.grad(logits.square().sum(), weight, retain_graph=True)
        assert gradient.abs().sum() > 0
    assert len(runs) == 1


def test_norms_of_system_001() -> None:
    for key, eps in (("carvana_unet", 1e-4), ("custom_unet", 1e-5)):
        with torch.device("meta"):
            model = models.build(key)
        assert {m.eps for m in model.modules() if isinstance(m, nn.BatchNorm2d)} == {eps}
    with torch.device("meta"):
        assert not any(isinstance(m, nn.BatchNorm2d) for m in models.build("ugent_unet").modules())


def test_carvana_sizes_at_224() -> None:
    with torch.device("meta"):
        model, image = models.build("carvana_unet"), torch.zeros(1, 3, 224, 224)
    sizes: list[int] = []
    for module in [*model.down, model.trunks["shared"].centre]:
        module.register_forward_hook(lambda _m, _i, out: sizes.append(out.shape[-1]))
    model(image, image)
    assert sizes == [224, 112, 56, 28, 14, 7, 3]


def test_halving_keeps_a_side_of_one() -> None:
    x = torch.arange(6.0).reshape(1, 1, 1, 6)
    assert torch.equal(Halve()(x), torch.tensor([[[[1.0, 3.0, 5.0]]]]))
    even = torch.rand(2, 3, 4, 6)
    assert torch.equal(Halve()(even), functional.max_pool2d(even, 2))


def answer_to_cell(model: DilatedShuffle, cell: Tensor, size: int = 64) -> Tensor:
    """Depth logits when the bottleneck holds ``cell`` (512,) in its second row and column and zero elsewhere."""

    def replace(_module: nn.Module, _inputs: object, out: Tensor) -> Tensor:
        new = torch.zeros_like(out)
        new[:, :, 1, 1] = cell
        return new

    handle = model.down[-1].register_forward_hook(replace)
    image = torch.zeros(1, 3, size, size)
    depth = model(image, image).depth_logits
    handle.remove()
    return depth


@torch.no_grad()
def test_published_shuffle_decoder_is_linear_in_private_patches() -> None:
    model = build("dilated_shuffle")
    assert isinstance(model, DilatedShuffle)
    a, b = torch.randn(2, 512)
    ours, theirs = answer_to_cell(model, a), answer_to_cell(model, b)
    torch.testing.assert_close(answer_to_cell(model, 2 * a - b), 2 * ours - theirs, atol=1e-4, rtol=1e-3)
    outside = ours.clone()
    outside[..., 15:33, 15:33] = 0
    assert outside.abs().max() == 0 and ours[..., 16:32, 16:32].abs().min() > 0


@torch.no_grad()
def test_fixed_shuffle_decoder_reaches_over_patches_and_is_not_linear() -> None:
    model = build("dilated_shuffle[fixed=true]")
    assert isinstance(model, DilatedShuffle)
    still = answer_to_cell(model, torch.zeros(512))
    cell = 20 * torch.randn(512)
    change, opposite = answer_to_cell(model, cell) - still, answer_to_cell(model, -cell) - still
    assert change[..., 16:32, 10:15].abs().max() > 1e-6
    assert (change + opposite).abs().max() > 0.01 * change.abs().max()
    image, edited = torch.zeros(2, 1, 3, 64, 64)
    edited[..., 40, 40] = 1.0
    with_skips = model.depth_up[-1].convs[0].weight[:, :32]
    assert with_skips.abs().sum() > 0 and not torch.equal(
        model(image, image).depth_logits, model(image, edited).depth_logits
    )


def test_icnr_starts_as_nearest_neighbour_upsampling() -> None:
    conv = nn.Conv2d(6, 12, 1, bias=False)
    icnr(conv.weight, 2)
    x = torch.rand(1, 6, 5, 4)
    out = functional.pixel_shuffle(conv(x), 2)
    torch.testing.assert_close(out, functional.interpolate(out[..., ::2, ::2], scale_factor=2, mode="nearest"))
    assert conv.weight[::4].unique(dim=0).shape[0] == 3
    for stage in build("dilated_shuffle[fixed=true]").mask_up:
        filters = stage.rise.widen.weight.unflatten(0, (-1, 4))
        assert torch.equal(filters, filters[:, :1].expand_as(filters))


def test_dropout_stands_before_every_relu_of_twin_unet() -> None:
    leaves = [type(m).__name__ for m in build("twin_unet").modules() if not list(m.children())]
    assert leaves.count("Dropout") == leaves.count("ReLU") == 34
    assert all(leaves[i - 1] == "Dropout" for i, leaf in enumerate(leaves) if leaf == "ReLU")
    without = [type(m).__name__ for m in build("twin_unet[dropout=0.0,width=4]").modules()]
    assert "Dropout" not in without


@torch.no_grad()
def test_twin_unet_dropout_acts_in_training_only() -> None:
    model = build("twin_unet[dropout=0.5,width=4]")
    bg, bg_fg = torch.rand(2, 2, 3, 32, 32)
    assert torch.equal(model(bg, bg_fg).mask_logits, model(bg, bg_fg).mask_logits)
    model.train()
    assert not torch.equal(model(bg, bg_fg).mask_logits, model(bg, bg_fg).mask_logits)


def test_masknet_sees_seven_pixels() -> None:
    bg, bg_fg = torch.rand(2, 1, 3, 21, 21).requires_grad_().unbind()
    (gradient,) = torch.autograd.grad(build("masknet")(bg, bg_fg).mask_logits[0, 0, 10, 10], bg_fg)
    touched = gradient.abs().sum(dim=(0, 1)).nonzero()
    assert touched.min() >= 7 and touched.max() <= 13
    assert gradient[..., 7, :].abs().sum() > 0 and gradient[..., :, 13].abs().sum() > 0


def test_depth_decoder_is_fed_by_the_mask_decoder() -> None:
    """The published slip leaves the last two mask levels out of the depth; the text's form uses all four."""
    bg, bg_fg = torch.rand(2, 1, 3, 64, 64)
    for key, reached in (("depthmasknet", [True] * 4), ("depthmasknet[as_published=true]", [True, True, False, False])):
        model = build(key)
        weights = [up.narrow.weight for up in model.mask_up]
        # In evaluation mode the first levels reach the depth through the hints only.
        gradients = torch.autograd.grad(model(bg, bg_fg).depth_logits.sum(), weights, allow_unused=True)
        assert [g is not None and bool(g.abs().sum() > 0) for g in gradients] == reached
    published, meant = build("depthmasknet[as_published=true]"), build("depthmasknet")
    assert torch.equal(published(bg, bg_fg).mask_logits, meant(bg, bg_fg).mask_logits)


def test_flat_resnet_keeps_every_layer_at_full_resolution() -> None:
    with torch.device("meta"):
        model, image = models.build("resnet18_flat"), torch.zeros(1, 3, 64, 64)
    sizes: list[tuple[int, ...]] = []
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d):
            module.register_forward_hook(lambda _m, _i, out: sizes.append(tuple(out.shape[-2:])))
    model(image, image)
    assert len(sizes) == 42 and set(sizes) == {(64, 64)}
    # torchvision's count less its classifier, three more input channels, two 1x1 heads.
    expected = 11_689_512 - 513_000 + 64 * 3 * 49 + 2 * 513
    assert sum(p.numel() for p in model.parameters()) == expected

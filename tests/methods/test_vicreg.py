"""The method through a real Trainer: what it logs, whom it trains, and that a step can be done again."""

from functools import partial

import pytest
import torch

from sage_lightning.batch import PairBatch
from sage_lightning.losses.vicreg import vicreg_terms
from sage_lightning.methods.vicreg import VICReg
from sage_lightning.models.backbone import Backbone
from sage_lightning.models.projector import Projector, RegionProjector
from sage_lightning.models.towers import TwoTowers
from sage_lightning.optim.fused import fused
from sage_lightning.optim.lars import LARS
from sage_lightning.optim.schedule import WarmupConstant, WarmupCosine, WarmupLinear

STEPS = 6
TINY = {"embed_dim": 16, "depth": 2, "num_heads": 2}


def method(drop_path=0.0, seed=1, **weights):
    torch.manual_seed(0)
    rgb = Backbone("vit_tiny_patch16_224", 16, 8, 3, TINY, drop_path)
    ir = Backbone("vit_tiny_patch16_224", 8, 4, 1, TINY, drop_path)
    towers = TwoTowers(rgb, ir, Projector(16, [16, 8]), Projector(16, [16, 8]))
    schedule = WarmupCosine(warmup_epochs=1, floor=0.1, steps_per_epoch=3, total_steps=STEPS, batch_size=128)
    return VICReg(towers, partial(torch.optim.AdamW, lr=0.01), schedule, seed=seed, **weights)


def batch(step):
    draw = torch.Generator().manual_seed(step)
    number = torch.arange(8)
    rgb, ir = torch.randn(8, 3, 16, 16, generator=draw), torch.randn(8, 1, 8, 8, generator=draw)
    return PairBatch(rgb, ir, number + 100, number * 0, number)


@pytest.fixture
def fit(fit):
    """fit(model, epochs): three batches an epoch, the same in every epoch."""
    return partial(fit, batches=[batch(step) for step in range(3)])


def test_the_loss_is_the_weighted_sum_of_the_terms():
    z_rgb, z_ir = torch.randn(2, 8, 5)
    terms = vicreg_terms(z_rgb, z_ir)
    found = method(invariance_weight=2.0, variance_weight=3.0, covariance_weight=5.0).loss_terms(z_rgb, z_ir)
    expected = 2 * terms.invariance + 3 * terms.variance + 5 * terms.covariance
    torch.testing.assert_close(found["loss"], expected)
    assert [found[f"loss_{name}"] for name in terms._fields] == list(terms)


def local(regions=2):
    torch.manual_seed(0)
    rgb = Backbone("vit_tiny_patch16_224", 16, 8, 3, TINY, regions=regions)
    ir = Backbone("vit_tiny_patch16_224", 8, 4, 1, TINY, regions=regions)
    heads = (RegionProjector(backbone.num_features, regions**2, [16, 8]) for backbone in (rgb, ir))
    towers = TwoTowers(rgb, ir, *heads)
    return VICReg(towers, partial(torch.optim.AdamW, lr=0.01), lambda step: 1.0, seed=1, local=True)


def test_the_loss_of_regions_is_that_of_their_number(fit):
    fresh = local()
    z_rgb, z_ir = fresh.towers(batch(0).rgb, batch(0).ir)
    assert z_rgb.shape == (8, 4 * 8)
    expected = vicreg_terms(z_rgb, z_ir, regions=4)
    _, watch = fit(local(), epochs=1)
    for name, term in expected._asdict().items():
        assert watch.logged[0][f"train/loss_{name}"] == pytest.approx(term.item(), rel=1e-5)


def test_regions_need_heads_of_their_own():
    towers = method().towers
    with pytest.raises(ValueError, match="no heads for regions"):
        VICReg(towers, torch.optim.AdamW, lambda step: 1.0, seed=1, local=True)


def test_the_authors_weights_are_the_default():
    assert method().weights == {"invariance": 25.0, "variance": 25.0, "covariance": 1.0}


def test_training_logs_one_vocabulary_and_the_rate_of_each_step(fit):
    _, watch = fit(method(), epochs=2)
    assert set(watch.logged[0]) == {
        *("train/loss", "train/lr"),
        *("train/loss_invariance", "train/loss_variance", "train/loss_covariance"),
    }
    # 0.01 for a batch of 256, here 128: 0.005 after a warm-up of three steps.
    rates = [step["train/lr"] for step in watch.logged]
    assert rates[:4] == pytest.approx([0.005 / 3, 0.01 / 3, 0.005, 0.005])
    assert rates[-1] == pytest.approx(0.0005)


def test_the_first_logged_loss_is_that_of_the_batch(fit):
    fresh = method()
    expected = fresh.loss_terms(*fresh.towers(batch(0).rgb, batch(0).ir))
    _, watch = fit(method(), epochs=1)
    for name in ("loss", "loss_invariance", "loss_variance", "loss_covariance"):
        assert watch.logged[0][f"train/{name}"] == pytest.approx(expected[name].item(), rel=1e-5)


def test_terms_are_of_the_pairs_that_a_step_has(fit):
    """Whatever any configured number is: here the last batch has 5 pairs, the others 8."""
    last = PairBatch(*(x[:5] for x in batch(0)))
    fresh = method()
    z_rgb, z_ir = (z.detach().double() for z in fresh.towers(last.rgb, last.ir))
    _, watch = fit(method(), batches=[last], epochs=1)
    covariance = 0.0
    for z in (z_rgb, z_ir):
        c = torch.cov(z.T)  # divided by N − 1 = 4
        covariance += float((c - c.diag().diag()).square().sum()) / z.shape[1]
    assert watch.logged[0]["train/loss_covariance"] == pytest.approx(covariance, rel=1e-4)
    assert watch.logged[0]["train/loss_invariance"] == pytest.approx(
        float((z_rgb - z_ir).square().sum()) / (5 * z_rgb.shape[1]), rel=1e-4
    )


def test_bfloat16_is_near_float32(fit):
    """One step on 64 pairs. Terms within 1 %, and the gradient, here of plain descent, points where it did:
    rounding to 8 bits in a fresh backbone leaves no more of it than that.
    """
    draw = torch.Generator().manual_seed(0)
    small = torch.randn(64, 4, 4, 4, generator=draw)
    rgb, ir = (torch.nn.functional.interpolate(small, n, mode="bilinear") for n in (16, 8))
    pairs = PairBatch(rgb[:, :3].contiguous(), ir[:, 3:].contiguous(), *[torch.arange(64)] * 3)
    logged, gradients = [], []
    for precision in ("32-true", "bf16-mixed"):
        model = method()
        model.optimizer = partial(torch.optim.SGD, lr=1.0)
        _, watch = fit(model, batches=[pairs], epochs=1, precision=precision)
        before, after = watch.states
        moved = [(after[name] - before[name]).flatten() for name, _ in model.named_parameters()]
        gradients.append(torch.cat(moved))
        logged.append(watch.logged[0])
    assert logged[1] != logged[0]
    assert logged[1] == pytest.approx(logged[0], rel=1e-2)
    assert torch.cosine_similarity(*gradients, dim=0) > 0.95


def test_training_moves_every_parameter_and_lowers_the_loss(fit):
    model = method()
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    _, watch = fit(model, epochs=6)
    first, last = (
        [step["train/loss"] for step in watch.logged[part]] for part in (slice(3), slice(-3, None))
    )
    assert sum(last) < sum(first)  # over the same three batches
    for name, value in model.named_parameters():
        assert not torch.equal(value, before[name]), name


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("make", [fused(partial(torch.optim.AdamW, lr=0.01)), partial(LARS, lr=0.1)])
def test_gradients_are_clipped_by_the_norm_of_the_whole(fit, make, precision):
    """Whatever takes the step, all gradients shrink by one factor, so that their common norm is the bound."""
    taken = []

    def watched(groups):
        optimizer = make(groups)
        weights = [weight for group in groups for weight in group["params"]]
        optimizer.register_step_post_hook(lambda *_: taken.append([w.grad.clone() for w in weights]))
        return optimizer

    for bound in (None, 0.5, 1e6):
        model = method()
        model.optimizer = watched
        fit(model, epochs=1, batches=[batch(0)], gradient_clip_val=bound, precision=precision)
    free, clipped, wide = taken
    norm = torch.cat([gradient.flatten() for gradient in free]).norm()
    assert norm > 1
    for before, after, same in zip(free, clipped, wide, strict=True):
        torch.testing.assert_close(after, before * 0.5 / norm)
        assert torch.equal(same, before)


def test_a_cached_step_is_the_plain_one(fit):
    plain, cached = (method(grad_cache=on, grad_cache_pairs=3).double() for on in (False, True))
    for model in (plain, cached):  # AdamW makes steps of what rounding leaves where a true gradient is 0
        model.optimizer = partial(torch.optim.SGD, lr=0.1)
    wide = [PairBatch(b.rgb.double(), b.ir.double(), *b[2:]) for b in map(batch, range(3))]
    watches = [fit(model, epochs=2, batches=wide)[1] for model in (plain, cached)]
    assert watches[1].logged == [pytest.approx(step) for step in watches[0].logged]
    before, after = watches[0].states[0], watches[0].states[-1]
    moved = {name: (after[name] - before[name]).double().norm() for name in after}
    whole = torch.stack([*moved.values()]).norm()
    for name, value in cached.state_dict().items():
        difference = (value - after[name]).double().norm()
        assert difference <= 1e-9 * max(moved[name], 1e-3 * whole), name


def test_validation_gives_both_spaces_of_both_sensors():
    model = method().eval()
    pairs = batch(0)
    with torch.no_grad():
        found = model.validation_step(pairs, 0)
    z_rgb, z_ir = model.towers(pairs.rgb, pairs.ir)
    torch.testing.assert_close(found["rgb_projection"], z_rgb)
    torch.testing.assert_close(found["ir_projection"], z_ir)
    torch.testing.assert_close(found["rgb_embedding"], model.towers.embed_rgb(pairs.rgb))
    torch.testing.assert_close(found["ir_embedding"], model.towers.embed_ir(pairs.ir))
    assert found["row"].tolist() == pairs.row.tolist()
    assert found["sample_id"].tolist() == pairs.sample_id.tolist()


def test_validation_under_bfloat16_gives_float32():
    model = method().eval()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        found = model.validation_step(batch(0), 0)
    assert {found[f"{s}_{kind}"].dtype for s in ("rgb", "ir") for kind in ("embedding", "projection")} == {
        torch.float32
    }


@pytest.mark.parametrize("drop_path", [0.0, 0.4])
def test_a_stopped_and_resumed_run_ends_in_the_same_weights(fit, tmp_path, drop_path):
    whole, half, resumed = (method(drop_path) for _ in range(3))
    fit(whole, epochs=2)
    trainer, _ = fit(half, epochs=1)
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    torch.manual_seed(999)  # whatever the generator's state is in the new process
    fit(resumed, epochs=2, resume=tmp_path / "half.ckpt")
    for name, value in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value), name
    if drop_path:
        other = method(drop_path, seed=2)
        fit(other, epochs=2)
        assert not torch.equal(
            other.towers.rgb_backbone.net.pos_embed, whole.towers.rgb_backbone.net.pos_embed
        )


@pytest.mark.parametrize(("kind", "fall"), [(WarmupLinear, {"floor": 0.1}), (WarmupConstant, {})])
def test_other_schedules_resume_too(fit, tmp_path, kind, fall):
    whole, half, resumed = (method() for _ in range(3))
    for model in (whole, half, resumed):
        model.schedule = kind(warmup_epochs=1, steps_per_epoch=3, total_steps=STEPS, batch_size=128, **fall)
    _, expected = fit(whole, epochs=2)
    trainer, _ = fit(half, epochs=1)
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    _, found = fit(resumed, epochs=2, resume=tmp_path / "half.ckpt")
    assert found.logged == expected.logged[3:]
    for name, value in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value), name
    assert expected.logged[-1]["train/lr"] == pytest.approx(0.005 * fall.get("floor", 1))

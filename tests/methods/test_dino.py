"""Cross-modal DINO through a real Trainer: who teaches, who learns, who follows, who rests."""

import math
import re
from functools import partial
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from sage_lightning.batch import MultiCropBatch
from sage_lightning.losses.dino import koleo, teacher_targets
from sage_lightning.methods.dino import DINO
from sage_lightning.models.backbone import Backbone
from sage_lightning.models.prototypes import PrototypeHead
from sage_lightning.models.towers import TwoTowers, share_prototypes, share_trunk
from sage_lightning.optim.schedule import WarmupCosine

pytestmark = [
    # Lightning's advice on batches that lie in memory already.
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:Trying to infer the `batch_size`"),
    pytest.mark.filterwarnings("ignore:Found .* module\\(s\\) in eval mode"),  # the teacher
    pytest.mark.filterwarnings("ignore:You defined a `validation_step` but have no"),
    # Lightning 2.6 asks torch's pytree in a way that torch has deprecated.
    pytest.mark.filterwarnings("ignore:.*treespec, LeafSpec:FutureWarning"),
]

TINY = {"embed_dim": 16, "depth": 2, "num_heads": 2}
EPOCH, EPOCHS, K = 3, 2, 12
SEPARATE = ("rgb_teacher", "ir_teacher", "both", "alternate_roles")


def towers(sharing="separate", drop_path=0.0):
    torch.manual_seed(0)
    make = partial(Backbone, "vit_tiny_patch16_224", options=TINY, drop_path=drop_path, any_size=True)
    new_head = partial(PrototypeHead, 16, [16, 8], K)
    rgb, head = make(img_size=16, patch_size=8, in_chans=3), new_head()
    if sharing == "full":
        return TwoTowers(rgb, rgb, head, head)
    ir = make(img_size=8, patch_size=4, in_chans=1)
    if sharing == "trunk":
        share_trunk(rgb, ir)
        return TwoTowers(rgb, ir, head, head)
    other = new_head()
    share_prototypes(head, other)
    return TwoTowers(rgb, ir, head, other)


def method(direction="both", sharing="separate", drop_path=0.0, **options):
    schedule = WarmupCosine(0, 0.1, steps_per_epoch=EPOCH, total_steps=EPOCH * EPOCHS, batch_size=256)
    optimizer = partial(torch.optim.AdamW, lr=0.01, weight_decay=0.1)
    settings = {"momentum": 0.9, "freeze_epochs": 0, "temperature_epochs": 1} | options
    model = towers(sharing, drop_path)
    return DINO(model, optimizer, schedule, 1, EPOCH, EPOCH * EPOCHS, direction, **settings)


def batch(step, channels=1, size=8):
    draw = torch.Generator().manual_seed(step)

    def made(*shape):
        return torch.randn(*shape, generator=draw)

    number = torch.arange(4)
    crops = (made(2, 4, 3, 16, 16), made(2, 4, channels, size, size))
    local = (made(3, 4, 3, 8, 8), made(3, 4, channels, size // 2, size // 2))
    return MultiCropBatch(*crops, *local, number, number * 0, number)


class Watch(pl.Callback):
    """Keeps what is logged, and the weights before and after each step."""

    def __init__(self):
        self.logged, self.states = [], []

    def on_train_start(self, trainer, model):
        self.states.append({name: value.clone() for name, value in model.state_dict().items()})

    def on_train_batch_end(self, trainer, model, *arguments):
        self.logged.append({name: float(value) for name, value in trainer.callback_metrics.items()})
        self.states.append({name: value.clone() for name, value in model.state_dict().items()})


def fit(model, folder, epochs=EPOCHS, resume=None, make=batch, **options):
    watch = Watch()
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        callbacks=[watch],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        num_sanity_val_steps=0,
        enable_model_summary=False,
        default_root_dir=folder,
        **options,
    )
    loader = DataLoader([make(step) for step in range(EPOCH)], batch_size=None)
    trainer.fit(model, loader, ckpt_path=resume, weights_only=True)
    return trainer, watch


def test_student_and_teacher_begin_alike_and_share_no_storage():
    model = method()
    heads = (model.student.rgb_projector, model.student.ir_projector)
    assert heads[0].prototypes is heads[1].prototypes  # and nothing else
    for one, other in ((model.student, model.teacher), (heads[0].layers, heads[1].layers)):
        assert not {p.data_ptr() for p in one.parameters()} & {p.data_ptr() for p in other.parameters()}
    for student, teacher in zip(model.student.parameters(), model.teacher.parameters(), strict=True):
        assert torch.equal(student, teacher)
        assert student.requires_grad
        assert not teacher.requires_grad


@pytest.mark.parametrize("direction", SEPARATE)
def test_the_teacher_moves_by_one_minus_m_of_the_difference(direction, tmp_path):
    model = method(direction)
    _, watch = fit(model, tmp_path)
    for step, (before, after) in enumerate(zip(watch.states, watch.states[1:], strict=False)):
        assert model.momentum(step) == pytest.approx(watch.logged[step]["train/momentum"])
        for name in (name for name, _ in model.teacher.named_parameters()):
            was, is_now = before[f"teacher.{name}"], after[f"teacher.{name}"]
            expected = was + (1 - model.momentum(step)) * (after[f"student.{name}"] - was)
            torch.testing.assert_close(is_now, expected, rtol=1e-6, atol=1e-7)
    assert model.momentum(0) == 0.9
    assert model.momentum(5) == 1


@pytest.mark.parametrize("direction", SEPARATE)
def test_every_tower_of_the_teacher_learns(direction, tmp_path):
    """Also the one that teaches: its average follows a student that same-sensor terms train."""
    model = method(direction)
    _, watch = fit(model, tmp_path)
    for name in (name for name, _ in model.teacher.named_parameters()):
        assert not torch.equal(watch.states[0][f"teacher.{name}"], watch.states[-1][f"teacher.{name}"]), name
    assert all(p.grad is None for p in model.teacher.parameters())


def losses(model, pairs):
    """Cross and intra terms by loops over teachers, students and crops, in float64."""
    model = model.double()
    step, tau = 0, model.student_temperature
    crops = {"rgb": (pairs.rgb, pairs.rgb_local), "ir": (pairs.ir, pairs.ir_local)}
    cross, intra = [], []
    for teacher in model.teaching(step):
        targets = []
        for crop in crops[teacher][0].double():
            logits = model.teacher.project(teacher, model.teacher.embed(teacher, crop))
            targets.append(teacher_targets(logits, model.teacher_temperature(step)))
        for student in model.learning(step):
            values = []
            for g, target in enumerate(targets):
                for s, crop in enumerate([*crops[student][0].double(), *crops[student][1].double()]):
                    if student == teacher and s == g:
                        continue
                    logits = model.student.project(student, model.student.embed(student, crop))
                    values.append(-(target * (logits / tau).log_softmax(-1)).sum(-1).mean())
            (intra if student == teacher else cross).append(torch.stack(values).mean())
    return [torch.stack(terms).mean().item() if terms else None for terms in (cross, intra)]


@pytest.mark.parametrize("direction", SEPARATE)
def test_the_loss_is_that_of_the_loops(direction, tmp_path):
    cross, intra = losses(method(direction).eval(), batch(0))
    _, watch = fit(method(direction, intra_weight=0.5), tmp_path, epochs=1)
    logged = watch.logged[0]
    assert logged["train/loss_cross"] == pytest.approx(cross, rel=1e-5)
    assert logged["train/loss_intra"] == pytest.approx(intra, rel=1e-5)
    assert logged["train/loss"] == pytest.approx(cross + 0.5 * intra, rel=1e-5)


def test_targets_come_from_the_other_sensor(tmp_path):
    """Thermal crops of other pairs: what RGB learns of itself stays, what it teaches does not."""

    def shuffled(step):
        pairs = batch(step)
        return pairs._replace(ir=pairs.ir.roll(1, dims=1), ir_local=pairs.ir_local.roll(1, dims=1))

    # Sharp teachers, since fresh towers hardly tell pairs apart.
    settings = {"teacher_temperature": (0.001, 0.001), "student_temperature": 0.002}
    _, paired = fit(method("rgb_teacher", **settings), tmp_path, epochs=1)
    _, parted = fit(method("rgb_teacher", **settings), tmp_path, epochs=1, make=shuffled)
    was, now = paired.logged[0], parted.logged[0]
    assert was["train/loss_intra"] == now["train/loss_intra"]
    assert abs(was["train/loss_cross"] - now["train/loss_cross"]) > 1e-3


def test_a_collapsed_model_costs_ln_k(tmp_path):
    model = method()
    for part in (model.student, model.teacher):
        for head in (part.rgb_projector, part.ir_projector):
            torch.nn.init.ones_(head.prototypes)
    _, watch = fit(model, tmp_path, epochs=1)
    assert watch.logged[0]["train/loss_cross"] == pytest.approx(math.log(K), rel=1e-6)
    assert watch.logged[0]["train/teacher_entropy_rgb"] == pytest.approx(math.log(K), rel=1e-6)


def test_the_centre_follows_what_the_teacher_says(tmp_path):
    model = method("rgb_teacher")
    head, crops = model.teacher.rgb_projector, batch(0).rgb.flatten(0, 1)
    said = head(model.teacher.embed_rgb(crops)).detach()
    _, watch = fit(model, tmp_path)
    torch.testing.assert_close(watch.states[1]["teacher.rgb_projector.centre"], 0.1 * said.mean(0))
    assert not watch.states[-1]["teacher.ir_projector.centre"].any()  # it has not taught
    assert not watch.states[-1]["student.rgb_projector.centre"].any()


def test_frozen_prototypes_stay_bit_for_bit(tmp_path):
    _, watch = fit(method(freeze_epochs=1), tmp_path)
    for sensor in ("rgb", "ir"):
        name = f"student.{sensor}_projector.prototypes"
        assert torch.equal(watch.states[0][name], watch.states[EPOCH][name])
        assert not torch.equal(watch.states[EPOCH][name], watch.states[EPOCH + 1][name])
        name = f"student.{sensor}_projector.layers.0.weight"
        assert not torch.equal(watch.states[0][name], watch.states[1][name])


def test_prototypes_can_rest_for_the_whole_run(tmp_path):
    model = method(freeze_epochs=math.inf)
    _, watch = fit(model, tmp_path)
    name = "student.rgb_projector.prototypes"
    assert all(torch.equal(watch.states[0][name], state[name]) for state in watch.states)


def test_koleo_spreads_the_students_bottlenecks_of_each_large_crop(tmp_path):
    model, pairs = method("rgb_teacher", koleo_weight=0.5), batch(0)
    expected = []
    for sensor, crops in (("rgb", pairs.rgb), ("ir", pairs.ir)):
        head = model.student.rgb_projector if sensor == "rgb" else model.student.ir_projector
        expected += [koleo(head.bottleneck(model.student.embed(sensor, crop))).item() for crop in crops]
    _, watch = fit(model, tmp_path)
    first = watch.logged[0]
    assert first["train/loss_koleo"] == pytest.approx(sum(expected) / 4, rel=1e-4)
    parts = first["train/loss_cross"] + first["train/loss_intra"] + 0.5 * first["train/loss_koleo"]
    assert first["train/loss"] == pytest.approx(parts, rel=1e-6)


@pytest.mark.parametrize("sharing", ["trunk", "full"])
def test_the_sensor_that_is_not_seen_keeps_its_weights(sharing, tmp_path):
    make = (lambda step: batch(step, channels=3, size=16)) if sharing == "full" else batch
    _, watch = fit(method("alternate_sensor", sharing), tmp_path, make=make)
    assert "train/loss_cross" not in watch.logged[-1]
    if sharing == "full":
        return
    for step, resting in enumerate(["ir", "rgb"] * 3):
        before, after = watch.states[step : step + 2]
        for name in (name for name in before if name.startswith("student.") and "centre" not in name):
            own = "patch_embed" in name or "pos_embed" in name or "cls_token" in name
            moved = not torch.equal(before[name], after[name])
            assert moved != (own and f"student.{resting}_" in name), (step, name)


def test_what_only_teaches_rests_where_nothing_teaches_it(tmp_path):
    model = method("rgb_teacher", "trunk", intra_weight=0)
    assert model.learning(0) == ("ir",)
    _, watch = fit(model, tmp_path)
    name = "student.rgb_backbone.net.patch_embed.proj.weight"
    assert torch.equal(watch.states[0][name], watch.states[-1][name])


def test_alternating_roles_swap_with_the_step():
    model = method("alternate_roles")
    assert [model.teaching(step) for step in range(3)] == [("rgb",), ("ir",), ("rgb",)]
    assert model.learning(0) == model.learning(1) == ("rgb", "ir")


def test_temperature_and_weight_decay_follow_the_step(tmp_path):
    _, watch = fit(method(weight_decay_end=0.3, teacher_temperature=(0.04, 0.07)), tmp_path)
    decays = [logged["train/weight_decay"] for logged in watch.logged]
    assert decays[0] == pytest.approx(0.1)
    assert decays[-1] == pytest.approx(0.3)
    assert decays == sorted(decays)
    temperatures = [logged["train/teacher_temperature"] for logged in watch.logged]
    assert temperatures == pytest.approx([0.04, 0.05, 0.06, 0.07, 0.07, 0.07])


def test_accumulated_gradients_count_as_one_step(tmp_path):
    _, watch = fit(method(momentum=0.5), tmp_path, epochs=1, accumulate_grad_batches=EPOCH)
    first, last = watch.states[0], watch.states[-1]
    assert all(torch.equal(first[name], watch.states[EPOCH - 1][name]) for name in first)
    name = "teacher.rgb_projector.layers.0.weight"
    expected = first[name].lerp(last[name.replace("teacher", "student")], 0.5)
    torch.testing.assert_close(last[name], expected)


@pytest.mark.parametrize(("direction", "drop_path"), [("both", 0.0), ("alternate_roles", 0.4)])
def test_a_stopped_and_resumed_run_ends_in_the_same_weights(tmp_path, direction, drop_path):
    settings = {"weight_decay_end": 0.3, "freeze_epochs": 1}
    whole, half, resumed = (method(direction, drop_path=drop_path, **settings) for _ in range(3))
    _, expected = fit(whole, tmp_path)
    trainer, _ = fit(half, tmp_path, epochs=1)
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    torch.manual_seed(999)  # whatever the generator's state is in the new process
    _, found = fit(resumed, tmp_path, resume=tmp_path / "half.ckpt")
    for now, was in zip(found.logged, expected.logged[EPOCH:], strict=True):
        assert now == {name: was[name] for name in now}  # names of the sensor that rests stay as they were
    for name, value in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value), name
    assert whole.state_dict()["teacher.rgb_projector.centre"].any()


def test_the_teacher_is_what_validation_sees():
    model = method().eval()
    with torch.no_grad():
        for weight in model.student.parameters():
            weight.zero_()
    pairs = batch(0)
    found = model.validation_step(pairs._replace(rgb=pairs.rgb[0], ir=pairs.ir[0]), 0)
    torch.testing.assert_close(found["ir_embedding"], model.teacher.embed_ir(pairs.ir[0]))
    assert found["rgb_projection"].shape == (4, K)


def test_the_teacher_drops_nothing():
    model = method(drop_path=0.5).train()
    assert model.student.training
    x = batch(0).rgb[0]
    assert torch.equal(model.teacher.embed_rgb(x), model.teacher.embed_rgb(x))


def test_what_is_logged_is_in_the_vocabulary(tmp_path):
    page = (Path(__file__).parents[2] / "docs/wandb.md").read_text()
    table = page.partition("| name of DINO's |")[2].partition("\n\n")[0]
    _, watch = fit(method("both", koleo_weight=0.5), tmp_path, epochs=1)
    assert set(watch.logged[-1]) - {"train/loss", "train/lr"} == set(re.findall("`([^`]+)`", table))


def test_an_unknown_direction_is_refused():
    with pytest.raises(ValueError, match=r"model\.direction=up is not one of rgb_teacher, ir_teacher"):
        method("up")

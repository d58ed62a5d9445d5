"""Masked patches between two sensors: against loops in float64, and what they leave alone."""

from functools import partial

import pytest
import torch
from torch._subclasses.fake_tensor import DynamicOutputShapeException, FakeTensorMode

from sage_lightning.data.counted import Stream, part_ids
from sage_lightning.data.masks import block_masks
from sage_lightning.losses.dino import balanced_targets, teacher_targets
from sage_lightning.losses.ibot import area_shares
from sage_lightning.methods.masking import STREAMS
from sage_lightning.models.patches import hiding

GRID = {"rgb": (4, 4), "ir": (6, 6)}  # of sharing="grids"


def edges(grid):
    return tuple(tuple(edge / count for edge in range(count + 1)) for count in grid)


def on_grids(make):
    return lambda step: make(step, size=24)


def by_loops(model, pairs):
    """name → term over teachers, students, crops, pairs and hidden patches, in float64, at step 0."""
    model = model.double().eval()
    said = {}
    for sensor in model.roles.teaching(0):
        crops, head = getattr(pairs, sensor).double(), model.teacher.patches.head(sensor)
        tokens = model.teacher.backbone(sensor).tokens(crops.flatten(0, 1)).flatten(1, 2)
        logits, tau = head.logits(head(tokens)), model.teacher_temperature(0)
        balanced = model.centres.balanced
        targets = balanced_targets(logits, tau, lambda x: x) if balanced else teacher_targets(logits, tau)
        said[sensor] = targets.unflatten(0, crops.shape[:2])
    terms = {}
    for kind, weight in model.roles.weights.items():
        for teacher in model.roles.teaching(0) if weight else ():
            learner = teacher if kind == "intra" else {"rgb": "ir", "ir": "rgb"}[teacher]
            shares = area_shares(edges(GRID[learner]), edges(GRID[teacher]))
            backbone, patches = model.student.backbone(learner), model.student.patches
            crops = getattr(pairs, learner).double()
            values = []
            for g, ids in enumerate(part_ids(pairs.sample_id, Stream.GLOBAL_CROPS, len(crops))):
                draws = (GRID[learner], model.masking.share, model.masking.probability, model.seed)
                hidden = block_masks(*draws, pairs.epoch, ids, STREAMS[learner]).hidden
                for b in range(crops.shape[1]):
                    image, seen = crops[g, b][None], hidden[b][None]
                    with hiding(backbone, seen, patches.token(learner)):
                        _, tokens = backbone.with_patches(image)
                    head = patches.head(learner)
                    log_q = (head.logits(head(tokens[0])) / model.student_temperature).log_softmax(-1)
                    for i in hidden[b].nonzero()[:, 0].tolist():
                        target = sum(share * said[teacher][g, b, j] for j, share in enumerate(shares[i]))
                        values.append(-(target * log_q[i]).sum())
            name = f"intra_{learner}" if kind == "intra" else f"cross_{teacher}_to_{learner}"
            terms[name] = torch.stack(values).mean().item()
    return terms


@pytest.mark.parametrize("centring", ["mean", "sinkhorn"])
def test_the_terms_are_those_of_loops(method, batch, fit, direction, centring):
    settings = {"ibot_weight": 2.0, "ibot_probability": 0.7, "intra_weight": 0.5, "centring": centring}
    make = on_grids(batch)
    expected = by_loops(method(direction, "grids", **settings), make(0))
    _, watch = fit(method(direction, "grids", **settings), epochs=1, make=make, limit_train_batches=1)
    logged = watch.logged[0]
    found = {name: value for name, value in logged.items() if "ibot" in name}
    assert found == {
        f"train/loss_ibot_{name}": pytest.approx(term, rel=1e-5) for name, term in expected.items()
    }
    whole = 0.0
    for kind, weight in (("cross", 1.0), ("intra", 0.5)):
        for prefix, factor in (("train/loss_", 1.0), ("train/loss_ibot_", 2.0)):
            told = [value for name, value in logged.items() if name.startswith(f"{prefix}{kind}")]
            whole += factor * weight * sum(told) / len(told)
    assert logged["train/loss"] == pytest.approx(whole, rel=1e-5)


@pytest.mark.parametrize("sharing", ["separate", "trunk", "full"])
def test_tokens_and_heads_learn_and_the_teachers_follow(method, batch, fit, sharing):
    make = (lambda step: batch(step, channels=3, size=16)) if sharing == "full" else batch
    model = method("both", sharing, ibot_weight=1.0)
    tokens = {model.student.patches.token(sensor) for sensor in ("rgb", "ir")}
    assert len(tokens) == (1 if sharing == "full" else 2)
    _, watch = fit(model, make=make)
    first, last = watch.states[0], watch.states[-1]
    names = [name for name, _ in model.student.named_parameters() if name.startswith("patches.")]
    assert {"patches.rgb_token", "patches.rgb_head.layers.0.weight"} <= set(names)
    for name in names:
        for part in ("student", "teacher"):
            assert not torch.equal(first[f"{part}.{name}"], last[f"{part}.{name}"]), (part, name)
    assert last["teacher.patches.rgb_head.centre"].any()
    assert not last["student.patches.rgb_head.centre"].any()


def test_the_centre_of_patches_is_of_all_that_the_teacher_sees(method, batch, fit):
    model, pairs = method("rgb_teacher", "grids", ibot_weight=1.0), on_grids(batch)(0)
    head, backbone = model.teacher.patches.head("rgb"), model.teacher.backbone("rgb")
    said = head.logits(head(backbone.tokens(pairs.rgb.flatten(0, 1)))).detach()
    assert said.shape == (8, *GRID["rgb"], 12)
    _, watch = fit(model, make=on_grids(batch), epochs=1)
    found = watch.states[1]["teacher.patches.rgb_head.centre"]
    torch.testing.assert_close(found, 0.1 * said.mean((0, 1, 2)))


def test_prototypes_of_patches_rest_too(method, fit):
    model = method(ibot_weight=1.0, freeze_epochs=1)
    _, watch = fit(model)
    name = "student.patches.ir_head.prototypes"
    assert torch.equal(watch.states[0][name], watch.states[3][name])
    assert not torch.equal(watch.states[3][name], watch.states[4][name])


def test_a_stopped_and_resumed_run_ends_in_the_same_weights(method, batch, fit, tmp_path):
    """Bit for bit; masks differ from step to step."""

    def make(step):
        pairs = on_grids(batch)(step)
        return pairs._replace(epoch=pairs.epoch + step)

    settings = {"ibot_weight": 1.0, "drop_path": 0.4}
    whole, half, resumed = (method("alternate_roles", "grids", **settings) for _ in range(3))
    _, expected = fit(whole, make=make)
    trainer, _ = fit(half, epochs=1, make=make)
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    torch.manual_seed(999)
    _, found = fit(resumed, make=make, resume=tmp_path / "half.ckpt")
    for now, was in zip(found.logged, expected.logged[3:], strict=True):
        assert now == {name: was[name] for name in now}
    state = whole.state_dict()
    assert state["teacher.patches.ir_head.centre"].any()
    assert state["student.patches.ir_token"].any()
    for name, value in state.items():
        assert torch.equal(resumed.state_dict()[name], value), name


def test_a_mask_token_does_not_decay(method):
    model = method(ibot_weight=1.0)
    model.optimizer = partial(torch.optim.SGD, lr=0.1, weight_decay=0.5)
    model.schedule = lambda step: 1.0
    decayed, rest = model.configure_optimizers()["optimizer"].param_groups
    for name in ("rgb_token", "ir_token"):
        token = getattr(model.student.patches, name)
        assert any(token is parameter for parameter in rest["params"])
        assert not any(token is parameter for parameter in decayed["params"])
    assert rest["weight_decay"] == 0


def test_without_it_there_is_nothing_of_it(method, fit):
    model = method()
    assert not [name for name in model.state_dict() if "patches." in name]
    _, watch = fit(model, epochs=1)
    assert not [name for name in watch.logged[-1] if "ibot" in name]


def test_a_probability_of_nearly_nothing_is_a_term_of_0(method, fit):
    """No patch is hidden, as can happen in a small batch: the others' sum is not divided by 0."""
    model = method(ibot_weight=1.0, ibot_probability=1e-9)
    _, watch = fit(model, epochs=1)
    assert {value for name, value in watch.logged[0].items() if "ibot" in name} == {0}
    assert all(tensor.isfinite().all() for tensor in watch.states[-1].values())
    token = "student.patches.rgb_token"
    assert torch.equal(watch.states[0][token], watch.states[-1][token])


def test_towers_without_heads_for_patches_are_refused(method):
    model = method()
    with pytest.raises(ValueError, match=r"model\.ibot_weight=1\.0: these towers have no heads for patches"):
        type(model)(model.student, None, None, 1, 3, 6, ibot_weight=1.0)


def test_no_device_is_waited_for(method, batch):
    """Fake tensors have shapes and no values: what asks for one, as a size that depends on it does, fails."""
    model, pairs = method("both", "grids", ibot_weight=1.0), on_grids(batch)(0)

    def terms():
        taught, guesses = {}, {}
        for sensor in ("rgb", "ir"):
            crops = getattr(pairs, sensor)
            said = model.masking.teach(model.teacher, sensor, crops.flatten(0, 1), model.centres, 0.1)
            taught[sensor], guesses[sensor] = (
                said[1],
                model.masking.embed(model.student, sensor, crops, pairs)[1],
            )
        return model.masking.terms("cross", guesses, taught, 0.1), guesses["rgb"].masks

    terms()  # areas, which are made once for a device
    with FakeTensorMode(allow_non_fake_inputs=True):
        found, masks = terms()
        torch.stack([*found.values()]).mean().backward()
        with pytest.raises(DynamicOutputShapeException):
            masks.counts.nonzero()

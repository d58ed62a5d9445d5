"""Who teaches and who learns; and that what rests keeps its weights, decay included."""

import math

import pytest
import torch


def test_frozen_prototypes_stay_bit_for_bit(method, fit):
    trainer, watch = fit(method(freeze_epochs=1))
    epoch = trainer.num_training_batches
    for sensor in ("rgb", "ir"):
        name = f"student.{sensor}_projector.prototypes"
        assert torch.equal(watch.states[0][name], watch.states[epoch][name])
        assert not torch.equal(watch.states[epoch][name], watch.states[epoch + 1][name])
        name = f"student.{sensor}_projector.layers.0.weight"
        assert not torch.equal(watch.states[0][name], watch.states[1][name])


def test_prototypes_can_rest_for_the_whole_run(method, fit):
    model = method(freeze_epochs=math.inf)
    _, watch = fit(model)
    name = "student.rgb_projector.prototypes"
    assert all(torch.equal(watch.states[0][name], state[name]) for state in watch.states)


@pytest.mark.parametrize("sharing", ["trunk", "full"])
def test_the_sensor_that_is_not_seen_keeps_its_weights(method, batch, fit, sharing):
    make = (lambda step: batch(step, channels=3, size=16)) if sharing == "full" else batch
    _, watch = fit(method("alternate_sensor", sharing), make=make)
    assert not [name for name in watch.logged[-1] if "cross" in name]
    for step, resting in enumerate(["ir", "rgb"] * 3):
        before, after = watch.states[step : step + 2]
        for name in (name for name in before if name.startswith("student.") and "centre" not in name):
            apart = sharing == "trunk"  # one tower for both never rests
            own = apart and ("patch_embed" in name or "pos_embed" in name or "cls_token" in name)
            moved = not torch.equal(before[name], after[name])
            assert moved != (own and f"student.{resting}_" in name), (step, name)


def test_what_only_teaches_rests_where_nothing_teaches_it(method, fit):
    model = method("rgb_teacher", "trunk", intra_weight=0)
    assert model.roles.learning(0) == ("ir",)
    _, watch = fit(model)
    name = "student.rgb_backbone.net.patch_embed.proj.weight"
    assert torch.equal(watch.states[0][name], watch.states[-1][name])


def test_alternating_roles_swap_with_the_step(method):
    model = method("alternate_roles")
    assert [model.roles.teaching(step) for step in range(3)] == [("rgb",), ("ir",), ("rgb",)]
    assert model.roles.learning(0) == model.roles.learning(1) == ("rgb", "ir")


def test_an_unknown_direction_is_refused(method):
    with pytest.raises(ValueError, match=r"model\.direction=up is not one of rgb_teacher, ir_teacher"):
        method("up")


@pytest.mark.parametrize("direction", ["both", "rgb_teacher"])
def test_one_crop_is_enough_without_same_sensor_terms(method, batch, fit, direction):
    """They would have no crop to agree with, and are not computed where they do not count."""

    def one(step):
        pairs = batch(step)
        crops = {name: getattr(pairs, name)[:1] for name in ("rgb", "ir")}
        none = {name: getattr(pairs, name)[:0] for name in ("rgb_local", "ir_local")}
        return pairs._replace(**crops, **none)

    _, watch = fit(method(direction, "trunk", intra_weight=0), make=one)
    assert len(watch.logged) == 6
    assert not [name for name in watch.logged[-1] if "intra" in name]
    told = [value for name, value in watch.logged[-1].items() if "cross" in name]
    assert watch.logged[-1]["train/loss"] == pytest.approx(sum(told) / len(told))
    name = "student.ir_projector.layers.0.weight"
    assert not torch.equal(watch.states[0][name], watch.states[-1][name])

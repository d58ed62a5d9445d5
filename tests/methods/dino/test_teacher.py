"""The teacher: where it begins, how it follows, what it is used for."""

import pytest
import torch


def test_student_and_teacher_begin_alike_and_share_no_storage(method):
    model = method()
    heads = (model.student.rgb_projector, model.student.ir_projector)
    assert heads[0].prototypes is heads[1].prototypes  # and nothing else
    for one, other in ((model.student, model.teacher), (heads[0].layers, heads[1].layers)):
        assert not {p.data_ptr() for p in one.parameters()} & {p.data_ptr() for p in other.parameters()}
    for student, teacher in zip(model.student.parameters(), model.teacher.parameters(), strict=True):
        assert torch.equal(student, teacher)
        assert student.requires_grad
        assert not teacher.requires_grad


def test_the_teacher_moves_by_one_minus_m_of_the_difference(method, fit, direction):
    model = method(direction)
    _, watch = fit(model)
    for step, (before, after) in enumerate(zip(watch.states, watch.states[1:], strict=False)):
        assert model.momentum(step) == pytest.approx(watch.logged[step]["train/momentum"])
        for name in (name for name, _ in model.teacher.named_parameters()):
            was, is_now = before[f"teacher.{name}"], after[f"teacher.{name}"]
            expected = was + (1 - model.momentum(step)) * (after[f"student.{name}"] - was)
            torch.testing.assert_close(is_now, expected, rtol=1e-6, atol=1e-7)
    assert model.momentum(0) == 0.9
    assert model.momentum(5) == 1


def test_every_tower_of_the_teacher_learns(method, fit, direction):
    """Also the one that teaches: its average follows a student that same-sensor terms train."""
    model = method(direction)
    _, watch = fit(model)
    for name in (name for name, _ in model.teacher.named_parameters()):
        assert not torch.equal(watch.states[0][f"teacher.{name}"], watch.states[-1][f"teacher.{name}"]), name
    assert all(p.grad is None for p in model.teacher.parameters())


def test_the_centre_follows_what_the_teacher_says(method, batch, fit):
    model = method("rgb_teacher")
    head, crops = model.teacher.rgb_projector, batch(0).rgb.flatten(0, 1)
    said = head(model.teacher.embed_rgb(crops)).detach()
    _, watch = fit(model)
    torch.testing.assert_close(watch.states[1]["teacher.rgb_projector.centre"], 0.1 * said.mean(0))
    assert not watch.states[-1]["teacher.ir_projector.centre"].any()  # it has not taught
    assert not watch.states[-1]["student.rgb_projector.centre"].any()


def test_accumulated_gradients_count_as_one_step(method, fit):
    _, watch = fit(method(momentum=0.5), epochs=1, accumulate_grad_batches=3)  # the whole epoch
    first, last = watch.states[0], watch.states[-1]
    assert all(torch.equal(first[name], watch.states[-2][name]) for name in first)
    name = "teacher.rgb_projector.layers.0.weight"
    expected = first[name].lerp(last[name.replace("teacher", "student")], 0.5)
    torch.testing.assert_close(last[name], expected)


def test_the_teacher_is_what_validation_sees(method, batch):
    model = method().eval()
    with torch.no_grad():
        for weight in model.student.parameters():
            weight.zero_()
    pairs = batch(0)
    found = model.validation_step(pairs._replace(rgb=pairs.rgb[0], ir=pairs.ir[0]), 0)
    torch.testing.assert_close(found["ir_embedding"], model.teacher.embed_ir(pairs.ir[0]))
    assert found["rgb_projection"].shape == (4, len(model.teacher.ir_projector.prototypes))


def test_the_teacher_drops_nothing(method, batch):
    model = method(drop_path=0.5).train()
    assert model.student.training
    x = batch(0).rgb[0]
    assert torch.equal(model.teacher.embed_rgb(x), model.teacher.embed_rgb(x))

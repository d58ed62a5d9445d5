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
    said = head.logits(head(model.teacher.embed_rgb(crops))).detach()
    _, watch = fit(model)
    torch.testing.assert_close(watch.states[1]["teacher.rgb_projector.centre"], 0.1 * said.mean(0))
    assert not watch.states[-1]["teacher.ir_projector.centre"].any()  # it has not taught
    assert not watch.states[-1]["student.rgb_projector.centre"].any()


def test_the_centre_is_that_of_what_was_said_before_centring(method, batch, fit):
    """Three steps by hand, from the teachers' weights of each; only at the first the centre is 0."""
    _, watch = fit(method("rgb_teacher"), epochs=1)
    teacher, centre = method("rgb_teacher").teacher, torch.zeros(12)
    for step in range(3):
        weights = watch.states[step].items()
        teacher.load_state_dict(
            {name.removeprefix("teacher."): w for name, w in weights if "teacher" in name}
        )
        head, crops = teacher.rgb_projector, batch(step).rgb.flatten(0, 1)
        with torch.no_grad():
            points = head.layers(teacher.embed_rgb(crops))
        said = torch.cosine_similarity(points[:, None], head.prototypes[None], dim=-1).mean(0)
        centre = 0.9 * centre + 0.1 * said
        found = watch.states[step + 1]["teacher.rgb_projector.centre"]
        torch.testing.assert_close(found, centre.detach(), rtol=1e-4, atol=1e-6)


def test_the_teachers_batch_statistics_follow_the_students(method, fit):
    """Averaged as its weights are; its own forwards, in evaluation, leave them alone."""
    model = method("both", "resnet")
    _, watch = fit(model)
    names = [name for name, _ in model.teacher.named_buffers() if "running" in name]
    assert len(names) >= 8
    for step, (before, after) in enumerate(zip(watch.states, watch.states[1:], strict=False)):
        for name in names:
            student, was = after[f"student.{name}"], before[f"teacher.{name}"]
            assert step == 0 or not torch.equal(student, was)
            expected = was.lerp(student, 1 - model.momentum(step))
            torch.testing.assert_close(after[f"teacher.{name}"], expected, rtol=1e-6, atol=1e-7)
    counts = [name for name, _ in model.teacher.named_buffers() if "num_batches_tracked" in name]
    assert all(watch.states[-1][f"teacher.{name}"] == 12 for name in counts)  # large and small crops


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
    bottleneck = found["rgb_projection"]
    assert bottleneck.shape == (4, 8)  # as wide as the head's last layer, however many prototypes there are
    torch.testing.assert_close(bottleneck.norm(dim=1), torch.ones(4))
    expected = model.teacher.rgb_projector(model.teacher.embed_rgb(pairs.rgb[0]))
    torch.testing.assert_close(bottleneck, expected)


def test_the_teacher_drops_nothing(method, batch):
    model = method(drop_path=0.5).train()
    assert model.student.training
    x = batch(0).rgb[0]
    assert torch.equal(model.teacher.embed_rgb(x), model.teacher.embed_rgb(x))

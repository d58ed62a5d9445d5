"""What the students are asked for, against loops in float64."""

import math
from functools import partial

import pytest
import torch

from sage_lightning.losses.dino import koleo, teacher_targets

CROPS, ROWS = ("rgb", "ir", "rgb_local", "ir_local"), ("sample_id", "epoch", "row")


def losses(model, pairs):
    """Cross and intra terms by loops over teachers, students and crops, in float64."""
    model = model.double()
    step, tau = 0, model.student_temperature
    crops = {"rgb": (pairs.rgb, pairs.rgb_local), "ir": (pairs.ir, pairs.ir_local)}
    cross, intra = [], []
    for teacher in model.roles.teaching(step):
        targets = []
        for crop in crops[teacher][0].double():
            head = getattr(model.teacher, f"{teacher}_projector")
            logits = head.logits(head(model.teacher.embed(teacher, crop)))
            targets.append(teacher_targets(logits, model.teacher_temperature(step)))
        for student in model.roles.learning(step):
            values = []
            for g, target in enumerate(targets):
                for s, crop in enumerate([*crops[student][0].double(), *crops[student][1].double()]):
                    if student == teacher and s == g:
                        continue
                    head = getattr(model.student, f"{student}_projector")
                    logits = head.logits(head(model.student.embed(student, crop)))
                    values.append(-(target * (logits / tau).log_softmax(-1)).sum(-1).mean())
            (intra if student == teacher else cross).append(torch.stack(values).mean())
    return [torch.stack(terms).mean().item() if terms else None for terms in (cross, intra)]


def test_the_loss_is_that_of_the_loops(method, batch, fit, direction):
    cross, intra = losses(method(direction).eval(), batch(0))
    _, watch = fit(method(direction, intra_weight=0.5), epochs=1)
    logged = watch.logged[0]
    for kind, expected in (("cross", cross), ("intra", intra)):
        told = [value for name, value in logged.items() if name.startswith(f"train/loss_{kind}_")]
        assert sum(told) / len(told) == pytest.approx(expected, rel=1e-5)
    assert logged["train/loss"] == pytest.approx(cross + 0.5 * intra, rel=1e-5)


def test_targets_come_from_the_other_sensor(method, batch, fit):
    """Thermal crops of other pairs: what RGB learns of itself stays, what it teaches does not."""

    def shuffled(step):
        pairs = batch(step)
        return pairs._replace(ir=pairs.ir.roll(1, dims=1), ir_local=pairs.ir_local.roll(1, dims=1))

    # Sharp teachers, since fresh towers hardly tell pairs apart.
    settings = {"teacher_temperature": (0.001, 0.001), "student_temperature": 0.002}
    _, paired = fit(method("rgb_teacher", **settings), epochs=1)
    _, parted = fit(method("rgb_teacher", **settings), epochs=1, make=shuffled)
    was, now = paired.logged[0], parted.logged[0]
    assert was["train/loss_intra_rgb"] == now["train/loss_intra_rgb"]
    assert abs(was["train/loss_cross_rgb_to_ir"] - now["train/loss_cross_rgb_to_ir"]) > 1e-3


def test_a_collapsed_model_costs_ln_k(method, fit):
    model = method()
    expected = math.log(len(model.student.rgb_projector.prototypes))
    for part in (model.student, model.teacher):
        for head in (part.rgb_projector, part.ir_projector):
            torch.nn.init.ones_(head.prototypes)
    _, watch = fit(model, epochs=1)
    for name in ("train/loss_cross_rgb_to_ir", "train/loss_cross_ir_to_rgb", "train/loss_intra_rgb"):
        assert watch.logged[0][name] == pytest.approx(expected, rel=1e-6)
    assert watch.logged[0]["train/teacher_entropy_rgb"] == pytest.approx(expected, rel=1e-6)


def test_koleo_spreads_the_students_bottlenecks_of_each_large_crop(method, batch, fit):
    model, pairs = method("rgb_teacher", koleo_weight=0.5), batch(0)
    expected = []
    for sensor, crops in (("rgb", pairs.rgb), ("ir", pairs.ir)):
        head = model.student.rgb_projector if sensor == "rgb" else model.student.ir_projector
        expected += [koleo(head(model.student.embed(sensor, crop))).item() for crop in crops]
    _, watch = fit(model)
    first = watch.logged[0]
    assert first["train/loss_koleo"] == pytest.approx(sum(expected) / 4, rel=1e-4)
    parts = (
        first["train/loss_cross_rgb_to_ir"] + first["train/loss_intra_rgb"] + 0.5 * first["train/loss_koleo"]
    )
    assert first["train/loss"] == pytest.approx(parts, rel=1e-6)


@pytest.mark.parametrize("direction", ["both", "alternate_roles"])
def test_accumulated_steps_are_one_step_on_the_whole_batch(method, batch, fit, direction):
    """Gradient, read from a step of plain descent, and centre; in float64, with what adds up over parts."""

    def exact(pairs):
        return pairs._replace(**{name: getattr(pairs, name).double() for name in CROPS})

    def whole(_):
        parts = [exact(batch(step)) for step in range(3)]
        crops = {name: torch.cat([getattr(part, name) for part in parts], 1) for name in CROPS}
        rows = {name: torch.cat([getattr(part, name) for part in parts]) for name in ROWS}
        return parts[0]._replace(**crops, **rows)

    states = []
    for make, options in (
        (whole, {"limit_train_batches": 1}),
        (lambda step: exact(batch(step)), {"accumulate_grad_batches": 3}),
    ):
        model = method(direction, momentum=0.5).double()
        model.optimizer = partial(torch.optim.SGD, lr=10.0)
        _, watch = fit(model, epochs=1, make=make, **options)
        states.append((watch.states[0], watch.states[-1]))
    (before, expected), (_, found) = states
    gradient = {name: expected[name] - before[name] for name in before}
    size = sum(float(value.norm()) ** 2 for value in gradient.values()) ** 0.5
    assert size > 1e-2
    assert expected["teacher.rgb_projector.centre"].any()
    for name, value in gradient.items():
        difference = (found[name] - before[name] - value).norm()
        assert difference <= 1e-9 * max(float(value.norm()), 1e-3 * size), name


def test_bfloat16_is_near_float32(method, fit, direction):
    """One step: the loss within 1 %, every term and entropy within 5 %, and the gradient, here of plain
    descent, points where it did.
    """
    logged, gradients = [], []
    for precision in ("32-true", "bf16-mixed"):
        model = method(direction)
        model.optimizer = partial(torch.optim.SGD, lr=1.0)
        _, watch = fit(model, epochs=1, precision=precision, limit_train_batches=1)
        before, after = watch.states
        moved = [
            (after[name] - before[name]).flatten() for name, _ in model.student.named_parameters("student")
        ]
        gradients.append(torch.cat(moved))
        logged.append(watch.logged[0])
    assert logged[1] != logged[0]
    assert logged[1] == pytest.approx(logged[0], rel=5e-2)
    assert logged[1]["train/loss"] == pytest.approx(logged[0]["train/loss"], rel=1e-2)
    assert torch.cosine_similarity(*gradients, dim=0) > 0.99


def test_a_whole_split_is_scored_a_part_at_a_time(method):
    """As many logits as there are prototypes, of all pairs at once, would not fit into memory."""
    model = method("both")
    draw = torch.Generator().manual_seed(0)
    z_rgb, z_ir = (torch.nn.functional.normalize(torch.randn(600, 8, generator=draw), dim=1) for _ in "ab")
    heads = (model.teacher.rgb_projector, model.teacher.ir_projector)
    for head in heads:
        head.centre += 0.1 * torch.randn(12, generator=draw)
    found = model.loss_terms(z_rgb, z_ir)
    rgb, ir = (head.logits(z).detach().double() for head, z in zip(heads, (z_rgb, z_ir), strict=True))
    student, teacher = model.student_temperature, model.teacher_temperatures[1]
    one, other = (
        -((said / teacher).softmax(1) * (heard / student).log_softmax(1)).sum(1).mean().item()
        for said, heard in ((rgb, ir), (ir, rgb))
    )
    assert found["loss_cross_rgb_to_ir"].item() == pytest.approx(one, rel=1e-5)
    assert found["loss_cross_ir_to_rgb"].item() == pytest.approx(other, rel=1e-5)
    assert found["loss"].item() == pytest.approx((one + other) / 2, rel=1e-5)
    assert abs(one - other) > 1e-3

"""1, 2 and 4 ranks train as one process does on the concatenated batch: a method's line here is its test.

Scripts say what is trained; harness.py says what is looked at, conftest.py when it counts as the same.
"""

import pytest

SCRIPTS = {
    "vicreg": "exact_vicreg.py",
    "vicreg_wide": "exact_vicreg.py",
    "vicreg_local": "exact_vicreg.py",
    "both": "exact_dino.py",
    "rgb_teacher": "exact_dino.py",
    "ir_teacher": "exact_dino.py",
    "alternate_roles": "exact_dino.py",
    "alternate_sensor": "exact_dino.py",
    "masked": "exact_dino.py",
    "masked_rgb_teacher": "exact_dino.py",
}
# What a case logs as train/loss…, and nothing else; each is compared by itself.
TERMS = {
    "vicreg": {"", "_invariance", "_variance", "_covariance"},
    "vicreg_wide": {"", "_invariance", "_variance", "_covariance"},
    "vicreg_local": {"", "_invariance", "_variance", "_covariance"},
    "both": {"", "_cross_rgb_to_ir", "_cross_ir_to_rgb", "_intra_rgb", "_intra_ir", "_koleo"},
    "rgb_teacher": {"", "_cross_rgb_to_ir", "_intra_rgb"},
    "ir_teacher": {"", "_cross_ir_to_rgb", "_intra_ir", "_koleo"},
    "alternate_roles": {"", "_cross_rgb_to_ir", "_cross_ir_to_rgb", "_intra_rgb", "_intra_ir"},
    "alternate_sensor": {"", "_intra_rgb", "_intra_ir", "_koleo"},
}
TERMS["masked"] = TERMS["both"] | {f"_ibot{name}" for name in TERMS["both"] - {"", "_koleo"}}
TERMS["masked_rgb_teacher"] = TERMS["rgb_teacher"] | {f"_ibot{name}" for name in TERMS["rgb_teacher"] - {""}}
# State whose size might drown in that of the weights, and the cases in which it moves.
NORMS, DINO = ("vicreg", "both", "ir_teacher"), tuple(SCRIPTS)[3:]
MASKED = ("masked", "masked_rgb_teacher")
STATE = {
    "running_mean": NORMS,
    "running_var": NORMS,
    "num_batches_tracked": NORMS,
    "teacher.rgb_projector.centre": tuple(case for case in DINO if case != "ir_teacher"),
    "teacher.ir_projector.centre": tuple(case for case in DINO if "rgb_teacher" not in case),
    "prototypes": DINO,
    "teacher.rgb_backbone": DINO,
    "teacher.ir_backbone": DINO,
    "student.patches.rgb_token": MASKED,
    "student.patches.ir_token": MASKED,
    "patches.rgb_head.prototypes": MASKED,
    "teacher.patches.rgb_head.centre": MASKED,
    "teacher.patches.ir_head.centre": ("masked",),
}
every_case = pytest.mark.parametrize("case", SCRIPTS)
many = pytest.mark.parametrize("world", [2, 4])


@pytest.fixture
def ranks(worlds, case):
    """ranks(world): what each of its ranks saw of the case."""
    return lambda world: [found[case] for found in worlds(SCRIPTS[case])[world]]


def moves(found, kind=""):
    """How far each tensor whose name has `kind` in it has gone; what has been copied already says nothing."""
    before, after = found["before"], found["after"]
    return {name: (after[name] - before[name]).double() for name in after if kind in name}


@every_case
def test_each_term_is_looked_at(ranks, case):
    """No term is missing from what is compared below, and none has nothing to compare."""
    (one,) = ranks(1)
    assert {name.split(" ")[0].removeprefix("train/loss") for name in one["terms"]} == TERMS[case]
    for name, term in one["terms"].items():
        assert sum(float(gradient.norm()) for gradient in term["gradient"].values()) > 1e-3, name


@many
@every_case
def test_each_term_and_its_gradient(ranks, assert_same, world):
    (one,) = ranks(1)
    for rank in ranks(world):
        assert list(rank["terms"]) == list(one["terms"])
        for name, term in one["terms"].items():
            assert_same({name: rank["terms"][name]["value"]}, {name: term["value"]})
            assert_same(rank["terms"][name]["gradient"], term["gradient"])


@many
@every_case
def test_ten_steps_end_in_the_same_weights(ranks, assert_same, world):
    """All that a checkpoint has of the method; what is compared is how far it has moved."""
    (one,) = ranks(1)
    assert len(one["logged"]) == 10
    assert sum(float(value.norm()) for value in moves(one).values()) > 1
    for rank in ranks(world):
        assert_same(rank["before"], one["before"])
        assert_same(moves(rank), moves(one))


@many
@pytest.mark.parametrize(("kind", "case"), [(kind, case) for kind in STATE for case in STATE[kind]])
def test_each_kind_of_state_by_itself(ranks, assert_same, kind, world):
    """Batch statistics, centres, prototypes and teachers, each measured against none but its own size."""
    (one,) = ranks(1)
    assert sum(float(value.norm()) for value in moves(one, kind).values()) > 1e-3
    for rank in ranks(world):
        assert_same(moves(rank, kind), moves(one, kind))


@many
@every_case
def test_every_rank_logs_the_global_numbers(ranks, world):
    (one,) = ranks(1)
    assert {"train/loss", "train/lr"} <= set(one["logged"][0])
    for rank in ranks(world):
        for step, logged in enumerate(rank["logged"]):
            assert logged == pytest.approx(one["logged"][step], rel=1e-6)  # logged in float32

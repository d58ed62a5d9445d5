"""The batch divides over ranks and accumulation steps, of a run and of a plan."""

from typing import Any

import pytest

from sage_lightning import config
from sage_lightning.config.batches import batch, compared, indivisible, ranks
from sage_lightning.config.values import bracketed
from sage_lightning.errors import UserError


def run(
    batch_size: int, devices: Any = 1, accumulate: int = 1, method: str = "x.VICReg", gpus: Any = None
) -> dict[str, Any]:
    return {
        "data": {"batch_size": batch_size},
        "trainer": {"devices": devices, "num_nodes": 1, "accumulate_grad_batches": accumulate},
        "model": {"_target_": method},
        "job": {"gpus": gpus},
    }


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (run(100, 3), "data.batch_size=100 does not divide over 3 ranks: nearest are 99 and 102"),
        (run(2, [0, 1, 2]), "data.batch_size=2 does not divide over 3 ranks: the least is 3"),
        (
            run(100, 3, 2, "x.Other"),
            "data.batch_size=100 does not divide over 3 ranks × 2 accumulation steps: nearest are 96 and 102",
        ),
        (
            run(100, 1, 2),
            "trainer.accumulate_grad_batches=2: VICReg's statistics need the whole batch at once; "
            "leave it at 1 and use model.grad_cache=true, more ranks or a smaller data.batch_size",
        ),
        (run(1), "data.batch_size=1: VICReg needs at least 2 pairs"),
        (run(128, gpus=48), "data.batch_size=128 does not divide over 48 ranks: nearest are 96 and 144"),
        (run(128, gpus=[48]), "data.batch_size=128 does not divide over 48 ranks: nearest are 96 and 144"),
    ],
)
def test_the_batch_divides(given: dict[str, Any], line: str) -> None:
    assert list(batch(given)) == [line]


def test_where_the_machine_decides_the_batch_is_not_judged() -> None:
    assert list(batch(run(100, -1))) == list(batch(run(100, "auto"))) == list(batch(run(102, 3))) == []
    assert list(batch({})) == []
    assert ranks(run(100, -1)) is None
    assert ranks({"trainer": {"devices": 8, "num_nodes": 3}}) == 24


def test_of_what_is_compared_one_must_divide() -> None:
    assert list(batch(run(128, devices=3, gpus=[8, 48]))) == []  # the trainer's own number has no say
    assert len(list(batch(run(128, gpus=[48, 96])))) == 2
    assert compared(run(128, gpus=8)) == [8]
    assert compared(run(128)) == compared({}) == []


@pytest.mark.parametrize("size", [2, 7, 128, 1000])
@pytest.mark.parametrize("number", [3, 8, 48])
@pytest.mark.parametrize("steps", [1, 4])
def test_the_nearest_divide_and_none_is_between(size: int, number: int, steps: int) -> None:
    line, parts = indivisible(size, number, steps), number * steps
    if line is None:
        assert size % parts == 0
        return
    near = [int(word) for word in line.split() if word.isdecimal()][-(2 if size > parts else 1) :]
    assert near == [
        multiple for multiple in range(parts, size + parts, parts) if abs(multiple - size) < parts
    ]


def test_a_list_of_ranks_needs_no_brackets() -> None:
    assert bracketed("job.gpus=8,16,64") == "job.gpus=[8,16,64]"
    assert bracketed("+job.gpus=8,16") == "+job.gpus=[8,16]"  # Hydra then says that the + is one too many
    same = ("job.gpus=8", "job.gpus=[8,16]", "data.ir_patch=4,8", "-m", "job.gpus", "+x='a,b'")
    assert [bracketed(text) for text in same] == list(same)


def test_an_experiment_on_ranks_that_it_does_not_go_over_is_refused() -> None:
    asked = ["experiment=vit_rgb16_ir8_bs128_ep150", "job.gpus=48"]
    with pytest.raises(UserError) as caught:
        config.check(asked, "plan", False)
    assert caught.value.lines == (
        "data.batch_size=128 does not divide over 48 ranks: nearest are 96 and 144",
    )
    config.check([*asked[:1], "job.gpus=[8,48]"], "plan", False)


def test_a_plan_needs_no_gpu_and_a_run_has_no_plan() -> None:
    config.check(["trainer=ddp", "trainer.devices=8"], "plan", False)
    with pytest.raises(UserError, match=r"job\.gpus=8: no such key"):
        config.check(["job.gpus=8"], "train", False)


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("job.gpus=0", "job.gpus=0: must be at least 1"),
        ("job.gpus=[]", "job.gpus=[]: must hold at least one number"),
        ("job.gpus=many", "job.gpus=many: not a whole number or a list of whole numbers or null"),
        ("plan.pairs=0", "plan.pairs=0: must be at least 1"),
        ("plan.tflops=0", "plan.tflops=0: must be above 0"),
    ],
)
def test_numbers_out_of_their_bounds(override: str, line: str) -> None:
    with pytest.raises(UserError) as caught:
        config.check([override], "plan", False)
    assert caught.value.lines == (line,)

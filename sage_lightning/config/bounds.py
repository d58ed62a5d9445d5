"""Numbers by themselves: how small and how large each may be."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

AT_LEAST_0 = (
    "seed",
    "augment.photometric.brightness",
    "augment.photometric.contrast",
    "augment.photometric.ir_gain",
    "augment.photometric.ir_noise",
    "augment.photometric.ir_offset",
    "augment.photometric.saturation",
    "augment.style.noise",
    "augment.style.shift",
    "augment.view.local_crops",
    "data.num_workers",
    "data.split.gap_days",
    "download.backoff",
    "download.least_rate",
    "download.retries",
    "health.coincide",
    "inventory.frames_per_group",
    "model.freeze_epochs",
    "model.ibot_weight",
    "model.intra_weight",
    "model.koleo_weight",
    "model.temperature_epochs",
    "model.weight_decay_end",
    "optimizer.weight_decay",
    "schedule.warmup_epochs",
    "trainer.gradient_clip_val",
)
AT_LEAST_1 = (
    "augment.view.global_crops",
    "callbacks.checkpoint_every_n_steps",
    "clustering.n_clusters",
    "data.batch_size",
    "data.days",
    "data.frames",
    "data.ir_local_size",
    "data.ir_patch",
    "data.ir_size",
    "data.ir_store_size",
    "data.nodes",
    "data.prepare_workers",
    "data.rgb_local_size",
    "data.rgb_patch",
    "data.rgb_size",
    "data.rgb_store_size",
    "download.workers",
    "inventory.gap_factor",
    "job.gpus",
    "model.grad_cache_pairs",
    "model.ir_backbone.regions",
    "model.ir_backbone.weights_size",
    "model.projector",
    "model.rgb_backbone.regions",
    "model.rgb_backbone.weights_size",
    "plan.pairs",
    "trainer.accumulate_grad_batches",
    "trainer.check_val_every_n_epoch",
    "trainer.log_every_n_steps",
    "trainer.num_nodes",
)
AT_LEAST_2 = ("clustering.min_cluster_size", "model.prototypes")
NOT_0 = ("data.thermal_scale",)  # below it hot and cold change places
POSITIVE = (
    "augment.photometric.blur_sigma",
    "augment.style.power",
    "augment.view.ratio",
    "download.timeout",
    "model.student_temperature",
    "model.teacher_temperature",
    "optimizer.lr",
    "plan.tflops",
    "thermal.softness",
)
FRACTIONS = (  # 0 and 1 included
    "augment.dropout",
    "augment.photometric.blur",
    "augment.photometric.gray",
    "augment.style.blur",
    "augment.style.invert",
    "augment.view.flip",
    "augment.view.jitter",
    "augment.view.vertical_flip",
    "data.crop_box",
    "model.centre_momentum",
    "model.momentum",
    "schedule.floor",
)
ABOVE_0 = (  # 1 included
    "augment.view.global_scale",
    "augment.view.local_scale",
    "augment.view.scale",
    "model.ibot_mask",
    "model.ibot_probability",
)
INSIDE = ("data.split.val", "data.split.test")  # neither 0 nor 1
BELOW_1 = (  # 0 included
    "data.faults",
    "model.ir_backbone.drop_path",
    "model.rgb_backbone.drop_path",
    "optimizer.betas",
)
RISING = (  # from the smaller to the larger, which may be one
    "augment.photometric.blur_sigma",
    "augment.style.power",
    "augment.view.global_scale",
    "augment.view.local_scale",
    "augment.view.ratio",
    "augment.view.scale",
    "model.ibot_mask",
)
STRICTLY_RISING = ("thermal.thresholds",)
NOT_EMPTY = {"model.projector": "number", "data.balance": "column", "job.gpus": "number"}


def get(config: dict[str, Any], key: str) -> Any:
    """The value of a dotted key, None where there is none."""
    node: Any = config
    for part in key.split("."):
        node = node.get(part) if isinstance(node, dict) else None
    return node


def show(value: Any) -> str:
    """A value as one writes it on the command line."""
    if isinstance(value, list | tuple):
        return f"[{','.join(map(show, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def bounds(config: dict[str, Any]) -> Iterator[str]:
    """A line for each number out of its bounds."""
    tests = (
        (AT_LEAST_0, lambda x: x >= 0, "must be at least 0"),
        (AT_LEAST_1, lambda x: x >= 1, "must be at least 1"),
        (AT_LEAST_2, lambda x: x >= 2, "must be at least 2"),
        (NOT_0, lambda x: abs(x) > 0, "must not be 0"),
        (POSITIVE, lambda x: x > 0, "must be above 0"),
        (FRACTIONS, lambda x: 0 <= x <= 1, "must lie between 0 and 1"),
        (ABOVE_0, lambda x: 0 < x <= 1, "must be above 0 and at most 1"),
        (INSIDE, lambda x: 0 < x < 1, "must lie between 0 and 1, neither of them included"),
        (BELOW_1, lambda x: 0 <= x < 1, "must be at least 0 and below 1"),
    )
    for keys, legal, words in tests:
        for key in keys:
            value = get(config, key)
            numbers = value if isinstance(value, list) else [value]
            # Only numbers: `data.nodes` is how many nodes a simulation has, and the node table of real files.
            if not all(legal(number) for number in numbers if isinstance(number, int | float)):
                yield f"{key}={show(value)}: {words}"
    for key, part in NOT_EMPTY.items():
        if get(config, key) == []:
            yield f"{key}=[]: must hold at least one {part}"
    for key in RISING:
        value = get(config, key)
        if isinstance(value, list) and any(low > high for low, high in pairwise(value)):
            yield f"{key}={show(value)}: must go from the smaller to the larger"
    for key in STRICTLY_RISING:
        value = get(config, key)
        if isinstance(value, list) and any(low >= high for low, high in pairwise(value)):
            yield f"{key}={show(value)}: must rise, each number above the one before"


def shares(config: dict[str, Any]) -> Iterator[str]:
    """Validation and test must leave something to train on."""
    val, test = get(config, "data.split.val"), get(config, "data.split.test")
    if val is not None and test is not None and val < 1 and test < 1 and val + test >= 1:
        yield f"data.split.val={val} and data.split.test={test} leave nothing to train on"

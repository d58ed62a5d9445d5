"""What conf/ cannot say of its own keys: hints, kinds that a default does not tell, owners, open nodes."""

from typing import Any

# How to give a value that a run cannot do without.
HINTS = {
    "data.root": "data.root=<folder of camera files>",
    "ckpt_path": "ckpt_path=<run folder or checkpoint>",
    "lag": "lag=<duration>, as 30min or 6h",
    "download.node": "download.node=<VSN or id>, as W057",
    "download.start": "download.start=<date or time>, as 2023-05-01",
    "download.end": "download.end=<date or time>, as 2023-05-08",
}

# What to write instead of a number, which in quotes would be as wrong.
EXAMPLES = {
    "lag": "it with its unit, as lag=3h or lag=30min",
    "tolerance": "it with its unit, as tolerance=5min",
    "download.start": "all of the date, as download.start=2023-05-01",
    "download.end": "all of the date, as download.end=2023-05-08",
}

# Kinds of keys that no `_target_` takes and whose default allows more, or less, than its own kind.
SIZE = int | tuple[int, int]
KINDS: dict[str, Any] = {
    "resume": str | None,
    "ckpt_path": str,
    "lag": str,
    "tolerance": str | None,
    "data.rgb_size": SIZE,
    "data.ir_size": SIZE,
    "data.rgb_local_size": SIZE | None,
    "data.ir_local_size": SIZE | None,
    "data.rgb_store_size": tuple[int, int],
    "data.ir_store_size": tuple[int, int],
    "data.table": str | None,
    "data.tables.train": str | None,
    "data.tables.val": str | None,
    "data.tables.test": str | None,
    "data.columns.split": str | None,
    "data.columns.group": str | None,
    "data.columns.node": str | None,
    "data.columns.position": str | None,
    "data.columns.time": str | None,
    "data.columns.labels": list[str] | None,
    "data.picture_size": str | SIZE,  # a lone number is answered with how a size is written
    "data.thermal_size": str | SIZE | None,
    "inventory.records": str | None,
    "prepare.part": str | int | None,  # a lone number is answered with how a part is written
    "paths.stage": str | None,
    "data.select": str | None,
    "data.split.by": str | None,
    "data.split.deal": list[str] | None,
    "data.balance": list[str] | None,
    "data.rgb_patch": int | None,
    "data.ir_patch": int | None,
    "model.projector": list[int],
    "download.node": str | list[str],
    "download.start": str,
    "download.end": str,
    "download.plugin": str | None,
    "download.task": str | None,
    "download.timeout": float,
    "plan.pairs": int | None,
    "plan.tflops": float,
    "job.gpus": int | list[int] | None,
}

# Lists that nobody sweeps: commas need no brackets around them.
LISTS = ("job.gpus",)

# Keys whose texts have signs of Hydra's grammar in them, and may come without a second pair of quotes.
TEXTS = ("data.select",)

# Nodes whose keys are not conf's to know: they go to another library by name.
OPEN = ("model.rgb_backbone.options", "model.ir_backbone.options")

# Nodes with keys of their own that may be left out as a whole.
MAY_BE_NULL = ("augment.photometric", "augment.style")

# Parameters that the program fills in from the one key that says them.
OWNERS = {
    "model.rgb_backbone.img_size": "data.rgb_size",
    "model.rgb_backbone.patch_size": "data.rgb_patch",
    "model.ir_backbone.img_size": "data.ir_size",
    "model.ir_backbone.patch_size": "data.ir_patch",
    "model.ir_backbone.in_chans": "thermal",
    "model.rgb_backbone.options.img_size": "data.rgb_size",
    "model.rgb_backbone.options.patch_size": "data.rgb_patch",
    "model.rgb_backbone.options.drop_path_rate": "model.rgb_backbone.drop_path",
    "model.ir_backbone.options.img_size": "data.ir_size",
    "model.ir_backbone.options.patch_size": "data.ir_patch",
    "model.ir_backbone.options.in_chans": "thermal",
    "model.ir_backbone.options.drop_path_rate": "model.ir_backbone.drop_path",
    "augment.view.rgb_size": "data.rgb_size",
    "augment.view.ir_size": "data.ir_size",
    "augment.view.rgb_local_size": "data.rgb_local_size",
    "augment.view.ir_local_size": "data.ir_local_size",
    "schedule.batch_size": "data.batch_size",
    "trainer.logger": "logger",
    "trainer.callbacks": "callbacks",
    "trainer.plugins": "trainer.strategy",
    "trainer.default_root_dir": "paths.output_dir",
}

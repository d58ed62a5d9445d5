"""How long a default training step on the CPU waits for its data.

python benchmarks/waiting.py     # about four minutes; prints a table, writes benchmarks/results/waiting.json

Trains as `python train.py` and `python train.py model=dino_vit_pico` do: their composed config, the package's
own build, only fewer steps. Lightning says what begins and ends, and a clock is read. Waiting is `next` of
the loader: with `data.num_workers=0` all reading is in it. Crops and colours are work on the batch, and
stand by themselves. A trace for chrome://tracing or Perfetto is left beside the table, not to be committed:
`waiting-<model>.json` in the folder that is the script's argument, else in the system's temporary one.
"""

import itertools
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from measure.clock import machine, save

from sage_lightning.evaluation.headline import print_table

if TYPE_CHECKING:
    from measure.spans import Spans

MODELS = {"vicreg_vit_pico": "the default", "dino_vit_pico": "DINO's default"}
WARM, STEPS = 15, 75  # that are not counted, and that are: an epoch of the default's, and five
ASKS, STEP = "train_dataloader_next", "step"
WAITS, VIEWS, FORWARD, BACKWARD, OPTIMISER, REST = (
    "waiting for the batch",
    "crops and colours",
    "forward",
    "backward",
    "optimiser",
    "the rest: callbacks, logs, checkpoints",
)
PARTS = {
    WAITS: ASKS,
    VIEWS: "on_after_batch_transfer",
    FORWARD: "training_step",
    BACKWARD: "backward",
    OPTIMISER: "optimizer_step",  # which calls for the two before it
}


def trained(model: str, root: Path) -> "Spans":
    # Not before: processes that write and decode frames import this module, and need nothing of that.
    from sage_lightning.build import learning as build  # isort: skip
    from hydra import compose, initialize_config_dir
    from measure.spans import Spans

    from sage_lightning.config import config_dir

    overrides = [f"model={model}", f"trainer.max_steps={WARM + STEPS + 1}", f"paths.data_dir={root}/cache"]
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        cfg = compose("train", [*overrides, "trainer.accelerator=cpu"])
    data = build.datamodule(cfg)
    method = build.method(cfg, data)
    trainer = build.trainer(cfg, root / model, data)
    spans = Spans()
    trainer.profiler = spans  # type: ignore[attr-defined]
    build.fit(trainer, method, data, None)
    return spans


def steps_of(spans: "Spans") -> pd.DataFrame:
    """Seconds of each step and of its parts; a step lasts until the next one asks for its batch.

    Validation, which comes after an epoch's last step, is taken off that step.
    """
    asked = spans.of(ASKS)
    validated = [span for span in spans.spans if span.name.endswith("OnlineMetrics.on_validation_epoch_end")]
    first = [span for span in spans.spans if span.name.endswith("OnlineMetrics.on_validation_start")]
    rows = []
    for this, following in itertools.pairwise(asked):
        pause = sum(
            end.end - start.start
            for start, end in zip(first, validated, strict=True)
            if this.start < start.start < following.start
        )
        row = {STEP: following.start - this.start - pause}
        for name, part in PARTS.items():
            within = [span for span in spans.of(part) if this.start <= span.start < following.start]
            if pause and name == VIEWS:
                within = within[:1]  # those of validation come after
            row[name] = sum(span.end - span.start for span in within)
        row[OPTIMISER] -= row[FORWARD] + row[BACKWARD]
        row[REST] = row[STEP] - sum(row[name] for name in PARTS)
        rows.append(row)
    return pd.DataFrame(rows[WARM:])


def shares(steps: pd.DataFrame) -> dict[str, dict[str, float]]:
    return {
        part: {
            "median_ms": statistics.median(steps[part]) * 1e3,
            "median_percent": statistics.median(100 * steps[part] / steps[STEP]),
            "percent_of_total": 100 * float(steps[part].sum() / steps[STEP].sum()),
        }
        for part in (*PARTS, REST)
    }


def main() -> None:
    traces = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.gettempdir())
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        for model, title in MODELS.items():
            spans = trained(model, Path(name))
            spans.write_trace(traces / f"waiting-{model}.json")
            steps = steps_of(spans)
            parts = shares(steps)
            rows = [
                {
                    "part": part,
                    "ms": f"{said['median_ms']:.2f}",
                    "% of a step, median": f"{said['median_percent']:.2f}",
                    "% of all steps": f"{said['percent_of_total']:.2f}",
                }
                for part, said in parts.items()
            ]
            took = statistics.median(steps[STEP]) * 1e3
            print_table(pd.DataFrame(rows), title=f"{model}, {title}: a step takes {took:.0f} ms")
            found[model] = {
                "steps": len(steps),
                "median_step_ms": took,
                "parts": parts,
                "all_seconds": {column: steps[column].tolist() for column in steps},
            }
    import torch

    said = machine(f"batch of 128, data.num_workers=0, torch {torch.__version__}", torch.get_num_threads())
    save("waiting", {"machine": said, "models": found})


if __name__ == "__main__":
    main()

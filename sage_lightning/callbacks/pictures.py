"""Pictures of what the model is fed, for every logger that takes pictures."""

from matplotlib.figure import Figure
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import Logger, TensorBoardLogger, WandbLogger
from torch import Tensor

from sage_lightning.batch import MultiCropBatch, PairBatch
from sage_lightning.evaluation.run import Evaluation


def log_figure(logger: Logger, name: str, figure: Figure, step: int) -> None:
    """Sends a figure to W&B or TensorBoard; loggers of numbers alone pass it by."""
    if isinstance(logger, WandbLogger):
        logger.log_image(name, [figure], step=step)
    elif isinstance(logger, TensorBoardLogger):
        logger.experiment.add_figure(name, figure, global_step=step, close=False)


def log_evaluation(logger: Logger, found: Evaluation, step: int) -> None:
    """Sends the report's pictures as `report/…` and the whole table as `scores/table`."""
    for name, figure in found.figures.items():
        log_figure(logger, f"report/{name}", figure, step)
    if isinstance(logger, WandbLogger):
        logger.log_table("scores/table", dataframe=found.scores)
        logger.experiment.finish()  # a next run of this process is a run of its own
    elif isinstance(logger, TensorBoardLogger):
        table = found.headline.to_string(index=False, float_format="%.3f")
        logger.experiment.add_text("scores/table", f"```\n{table}\n```", step)


def crop_sheet(batch: PairBatch | MultiCropBatch, pairs: int) -> Figure:
    """The first pairs of a batch as the model takes them, a column each: crop by crop, RGB above thermal."""
    if isinstance(batch, MultiCropBatch):
        crops = [*zip(batch.rgb, batch.ir, strict=True), *zip(batch.rgb_local, batch.ir_local, strict=True)]
    else:
        crops = [(batch.rgb, batch.ir)]
    count = min(pairs, len(batch.row))
    figure = Figure(figsize=(1.3 * count, 2.7 * len(crops)), layout="constrained")
    axes = figure.subplots(2 * len(crops), count, squeeze=False)
    for number, (rgb, ir) in enumerate(crops):
        for column in range(count):
            axes[2 * number, column].imshow(_stretched(rgb[column]).permute(1, 2, 0).numpy())
            axes[2 * number + 1, column].imshow(_stretched(ir[column]).mean(0).numpy(), cmap="inferno")
    for axis in axes.flat:
        axis.set_axis_off()
    return figure


def _stretched(image: Tensor) -> Tensor:
    image = image.detach().float().cpu()
    low, high = image.amin(), image.amax()
    return (image - low) / (high - low).clamp_min(1e-6)


class CropPictures(Callback):
    """Logs `pictures/crops`, the first training batch as the model sees it, once a run."""

    def __init__(self, pairs: int = 8) -> None:
        self.pairs = pairs

    def on_train_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: PairBatch | MultiCropBatch,
        batch_idx: int,
    ) -> None:
        """Draws at the run's first step only."""
        if trainer.global_step == 0 and trainer.is_global_zero:
            figure = crop_sheet(batch, self.pairs)
            for logger in trainer.loggers:
                log_figure(logger, "pictures/crops", figure, step=0)

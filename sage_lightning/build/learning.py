"""What training and evaluating are built from: data, model, Trainer, callbacks. Its import takes seconds."""

# First of all: timm imports wandb, which looks through all modules loaded by then, hundreds of times:
# after torch and Lightning that takes three seconds.
import wandb  # noqa: F401

from sage_lightning.build.data import datamodule
from sage_lightning.build.evaluation import evaluation
from sage_lightning.build.model import fetch_weights, method, towers
from sage_lightning.build.planning import plan, shortage
from sage_lightning.build.saved import data_of, load
from sage_lightning.build.training import fit, fit_or_stop_short, resume_from, trainer, training_data

__all__ = [
    "data_of",
    "datamodule",
    "evaluation",
    "fetch_weights",
    "fit",
    "fit_or_stop_short",
    "load",
    "method",
    "plan",
    "resume_from",
    "shortage",
    "towers",
    "trainer",
    "training_data",
]

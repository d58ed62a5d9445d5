"""Evaluate a checkpoint: `python evaluate.py ckpt_path=<run folder or checkpoint>`."""

from sage_lightning.cli import evaluate

if __name__ == "__main__":
    evaluate()

"""Train a model: `python train.py model=vicreg_vit_tiny data.ir_patch=8`."""

from sage_lightning.cli import train

if __name__ == "__main__":
    train()

"""No step waits for its device: nothing is read from it or copied to it, no size is known to it alone.

Tried on a GPU that is not there: fake tensors, which have a device and a shape but no numbers.
"""

from contextlib import contextmanager
from functools import partial

import pytest
import pytorch_lightning as pl
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from sage_lightning.batch import MultiCropBatch, PairBatch
from sage_lightning.methods.dino import DINO
from sage_lightning.methods.logged import on_device
from sage_lightning.methods.vicreg import VICReg
from sage_lightning.models.backbone import Backbone
from sage_lightning.models.projector import Projector
from sage_lightning.models.prototypes import PrototypeHead
from sage_lightning.models.towers import TwoTowers
from sage_lightning.optim.fused import fused
from sage_lightning.optim.lars import LARS
from sage_lightning.optim.schedule import WarmupCosine

VIT = partial(
    Backbone,
    "vit_tiny_patch16_224",
    options={"embed_dim": 16, "depth": 2, "num_heads": 2},
    any_size=True,
    drop_path=0.3,
)
RESNET = partial(Backbone, "resnet18", options={"layers": (1, 1, 1, 1), "channels": (4, 4, 8, 8)})
SCHEDULE = WarmupCosine(1, 0.1, steps_per_epoch=3, total_steps=9, batch_size=256)
ADAMW = fused(partial(torch.optim.AdamW, lr=0.1))
FEW = {"centring": "sinkhorn", "koleo_weight": 0.5, "weight_decay_end": 0.4, "freeze_epochs": 0}


class Still(TorchDispatchMode):
    """Refuses what moves numbers from one device to another; what reads them, fake tensors refuse."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        tensors = [leaf for leaf in tree_leaves((args, kwargs, out)) if isinstance(leaf, torch.Tensor)]
        devices = {tensor.device.type for tensor in tensors}
        assert len(devices) <= 1, f"{func} moves numbers: {devices}"
        return out


@contextmanager
def elsewhere(*modules, device):
    """On a device that need not be there, with what is taken along."""
    with FakeTensorMode(allow_non_fake_inputs=True):
        for module in modules:
            module.to(device)
        yield


def towers(head):
    rgb, ir = VIT(img_size=16, patch_size=8, in_chans=3), RESNET(img_size=16, patch_size=None, in_chans=1)
    return TwoTowers(rgb, ir, head(rgb.num_features), head(ir.num_features))


def vicreg(width, optimizer):
    model = VICReg(towers(lambda features: Projector(features, [16, width])), optimizer, SCHEDULE, seed=1)
    return model, PairBatch(torch.randn(8, 3, 16, 16), torch.randn(8, 1, 16, 16), *[torch.arange(8)] * 3)


def dino(direction="both", **settings):
    made = towers(lambda features: PrototypeHead(features, [16, 8], 12))
    crops = (
        torch.randn(n, 4, c, size, size) for n, c, size in ((2, 3, 16), (2, 1, 16), (3, 3, 8), (3, 1, 8))
    )
    return DINO(made, ADAMW, SCHEDULE, 1, 3, 9, direction, **settings), MultiCropBatch(
        *crops, *[torch.arange(4)] * 3
    )


# Backward needs a device that is there: the CPU, with tensors as fake as on the other.
@pytest.mark.parametrize("device", ["cuda:0", "cpu"])
@pytest.mark.parametrize(
    "make",
    [
        partial(vicreg, 8, ADAMW),
        partial(vicreg, 32, partial(LARS, lr=0.1)),  # its covariance from the other side
        dino,
        partial(dino, **FEW),
        partial(dino, "alternate_roles"),
    ],
)
def test_no_step_waits(make, device):
    model, batch = make()
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    logged = {}
    with elsewhere(model, device=device):
        batch = type(batch)(*(part.to(device) for part in batch))
        optimizer = model.configure_optimizers()["optimizer"]
        model.trainer, trainer.optimizers = trainer, [optimizer]
        # Lightning's own needs a running loop; what it would have to copy must not reach it.
        model.log_dict = lambda given: logged.update(given)
        with Still():
            model.train().on_train_batch_start(batch, 0)
            with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
                loss = model.training_step(batch, 0)
            weights = [weight for weight in model.parameters() if weight.requires_grad]
            if device == "cpu":
                loss.backward()
            else:
                for weight in weights:
                    weight.grad = torch.empty_like(weight)
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            model.on_before_optimizer_step(optimizer)
            optimizer.step()
            if isinstance(model, DINO):
                model.follow(0.9)
    assert {"train/loss", "train/lr"} < set(logged)
    for name, value in logged.items():
        assert isinstance(value, torch.Tensor), name
        assert value.device == torch.device(device), name


@pytest.mark.parametrize(
    "waiting",
    [
        lambda x: x.sum().item(),
        lambda x: float(x.sum()),
        lambda x: bool(x.sum() > 0),
        lambda x: x.nonzero(),
        lambda x: x[x > 0],
        lambda x: x.cpu(),
        lambda x: x.tolist(),
        lambda x: x.new_tensor([1.0]),
        lambda x: torch.tensor(1.0, device=x.device),
    ],
)
def test_what_waits_would_be_found(waiting):
    class Waits(torch.nn.Linear):
        def forward(self, x):
            return waiting(super().forward(x))

    with elsewhere(net := Waits(3, 2), device="cuda:0"):
        x = torch.empty(4, 3, device="cuda:0")
        with (
            Still(),
            pytest.raises(Exception, match=r"moves numbers|_local_scalar_dense|nonzero"),
        ):
            net(x)


def test_numbers_are_those_given():
    assert on_device({"a": 0.5, "b": 2}, torch.device("cpu")) == {"a": 0.5, "b": 2}

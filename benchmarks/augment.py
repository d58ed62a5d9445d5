"""Augmentation of a batch of 128 pairs, ours beside torchvision's transforms (v2) pair by pair, on one core.

python benchmarks/augment.py     # a minute; prints a table, writes benchmarks/results/augment.json

From what the store keeps, uint8 RGB of 288x384 and uint16 thermal of 252x336, to two crops of each sensor,
224 and 112 pixels, as `augment=paired` draws and changes them, normalised, in one contiguous batch.
torchvision's transforms get tensors one by one, RGB as bytes until it is cut, which is their fastest way; the
thermal crop is the RGB crop's, and its changes are written as one would by hand.
"""

import os
import statistics
from functools import partial

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

import pandas as pd
import torch
from measure.clock import machine, medians_ms, save, seconds, take_turns
from measure.made_up import IR_SIZE, RGB_SIZE
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from sage_lightning.batch import PairBatch
from sage_lightning.data.multicrop import MultiCrop
from sage_lightning.data.photometric import Photometric
from sage_lightning.data.thermal import Celsius
from sage_lightning.data.transform import PairTransform
from sage_lightning.evaluation.headline import print_table

PAIRS, CROPS, ROUNDS = 128, 2, 11
RGB_CROP, IR_CROP = 224, 112
SCALE, RATIO, FLIP = (0.4, 1.0), (3 / 4, 4 / 3), 0.5
RGB_MEAN, RGB_STD, IR_MEAN, IR_STD = [0.45, 0.47, 0.43], [0.25, 0.24, 0.26], 0.1, 0.3
BLURS = {"default changes": 0.0, "default changes and blur": 0.5}  # probability
SIGMA = (0.1, 2.0)


def stored() -> PairBatch:
    """Noise in the store's order of bytes; times do not depend on what the pictures show."""
    draw = torch.Generator().manual_seed(0)
    rgb = torch.randint(256, (PAIRS, *RGB_SIZE, 3), generator=draw, dtype=torch.uint8)
    ir = torch.randint(25000, 31000, (PAIRS, *IR_SIZE), generator=draw, dtype=torch.int32).to(torch.uint16)
    number = torch.arange(PAIRS)
    return PairBatch(rgb.permute(0, 3, 1, 2), ir, number * 31337, torch.zeros_like(number), number)


class Ours:
    """What a training step does with a batch from the store."""

    def __init__(self, blur: float) -> None:
        sizes = ((RGB_CROP, RGB_CROP), (IR_CROP, IR_CROP))
        self.view = MultiCrop(
            *sizes, *sizes, global_crops=CROPS, local_crops=0, global_scale=SCALE, ratio=RATIO, flip=FLIP
        )
        self.photometric = Photometric(blur=blur, blur_sigma=SIGMA)
        self.transform = PairTransform(Celsius(), RGB_MEAN, RGB_STD, [IR_MEAN], [IR_STD])

    def __call__(self, batch: PairBatch) -> tuple[Tensor, Tensor]:
        seen = self.transform.multi_crop(batch, self.view, self.photometric, 0)
        return seen.rgb.contiguous(), seen.ir.contiguous()


class Torchvision:
    """The same crops and changes, a pair at a time."""

    def __init__(self, blur: float) -> None:
        self.crop = v2.RandomResizedCrop(RGB_CROP, SCALE, RATIO, antialias=True)
        changes = Photometric()
        self.colour = v2.ColorJitter(changes.brightness, changes.contrast, changes.saturation)
        self.gray = v2.RandomGrayscale(changes.gray)
        # As wide as three of the largest standard deviations.
        self.blur = v2.RandomApply([v2.GaussianBlur(13, SIGMA)], blur) if blur else torch.nn.Identity()
        self.normalise = v2.Normalize(RGB_MEAN, RGB_STD)
        self.noise = v2.GaussianNoise(0.0, changes.ir_noise, clip=False)
        self.gain, self.offset = changes.ir_gain, changes.ir_offset

    def __call__(self, batch: PairBatch) -> tuple[Tensor, Tensor]:
        rgb = torch.empty(CROPS, PAIRS, 3, RGB_CROP, RGB_CROP)
        ir = torch.empty(CROPS, PAIRS, 1, IR_CROP, IR_CROP)
        for number in range(PAIRS):
            picture = batch.rgb[number]
            degrees = batch.ir[number][None].float().sub_(27315).div_(100)
            for crop in range(CROPS):
                rgb[crop, number], ir[crop, number] = self.pair(picture, degrees)
        return rgb, ir

    def pair(self, picture: Tensor, degrees: Tensor) -> tuple[Tensor, Tensor]:
        box = self.crop.make_params([picture])
        place = (box["top"], box["left"], box["height"], box["width"])
        picture = functional.resized_crop(picture, *place, [RGB_CROP, RGB_CROP], antialias=True)
        share = [IR_SIZE[0] / RGB_SIZE[0], IR_SIZE[1] / RGB_SIZE[1]] * 2
        place = tuple(round(number * part) for number, part in zip(place, share, strict=True))
        degrees = functional.resized_crop(degrees, *place, [IR_CROP, IR_CROP], antialias=True)
        flip, gain, offset = torch.rand(3).tolist()
        if flip < FLIP:
            picture, degrees = functional.horizontal_flip(picture), functional.horizontal_flip(degrees)
        picture = functional.to_dtype(picture, torch.float32, scale=True)
        picture = self.normalise(self.blur(self.gray(self.colour(picture))))
        gain, mean = 1 + (2 * gain - 1) * self.gain, degrees.mean()
        degrees = degrees.mul(gain).add_(mean * (1 - gain) + (2 * offset - 1) * self.offset)
        degrees = self.noise(degrees).add_(60).div_(60).sub_(1).clamp_(-1.5, 1.5)
        return picture, degrees.sub_(IR_MEAN).div_(IR_STD)


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    # A process that trains has had large tensors and gives the memory of small ones back to itself.
    torch.zeros(31 * 2**18)
    batch = stored()
    times = take_turns(
        {
            f"{name}, {what}": partial(seconds, partial(work(blur), batch))
            for what, blur in BLURS.items()
            for name, work in (("ours", Ours), ("torchvision v2", Torchvision))
        },
        ROUNDS,
    )
    milliseconds = medians_ms(times)
    rows = []
    for what in BLURS:
        ours, theirs = times[f"ours, {what}"], times[f"torchvision v2, {what}"]
        rows.append(
            {
                "batch of 128": what,
                "ours, ms": milliseconds[f"ours, {what}"],
                "torchvision v2, ms": milliseconds[f"torchvision v2, {what}"],
                "times as fast": statistics.median(b / a for a, b in zip(ours, theirs, strict=True)),
            }
        )
    print_table(pd.DataFrame(rows), caption="two 224-pixel RGB and two 112-pixel thermal crops a pair")
    save(
        "augment",
        {
            "machine": machine(f"torch {torch.__version__}"),
            "rounds": ROUNDS,
            "rows": rows,
            "all_seconds": times,
        },
    )


if __name__ == "__main__":
    main()

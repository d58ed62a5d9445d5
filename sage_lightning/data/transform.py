"""From stored pairs to model inputs, on the device: view, decode, photometric, look, style, dropout."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from sage_lightning.batch import MultiCropBatch, PairBatch
from sage_lightning.data.augment import View
from sage_lightning.data.crops import Crops
from sage_lightning.data.dropout import ModalityDropout
from sage_lightning.data.kernels.crops import frame_crops, picture_crops
from sage_lightning.data.look import CHANNELS, LOOKS, common_ir, common_rgb, levels
from sage_lightning.data.multicrop import MultiCrop
from sage_lightning.data.photometric import NOTHING, Photometric
from sage_lightning.data.store import PairStore
from sage_lightning.data.style import Style
from sage_lightning.data.thermal import ThermalChannels

STATISTICS_FRAMES = 512  # training frames that the channels' mean and standard deviation are taken over
_STATISTICS_BATCH = 32
_TOGETHER = 16  # crops in torch's calls on a CPU: what stays in its cache
_SMALLEST_STD = 1e-3  # a channel that never changes is not blown up


class PairTransform(nn.Module):
    """The one path from stored pairs, or from one picture and one thermal frame, to model inputs.

    Args:
        thermal: turns degrees into channels.
        rgb_mean: of red, green and blue in 0…1.
        rgb_std: likewise.
        ir_mean: of each channel that `thermal` gives.
        ir_std: likewise.
        look: "own", colours and thermal channels by the numbers above; or "common", where each frame is one
            grey channel standardised by itself, three times, and they and `thermal` tell `levels` alone.

    Raises:
        ValueError: there are not as many numbers as channels, or there is no such look.
    """

    def __init__(
        self,
        thermal: ThermalChannels,
        rgb_mean: Sequence[float],
        rgb_std: Sequence[float],
        ir_mean: Sequence[float],
        ir_std: Sequence[float],
        look: str = "own",
    ) -> None:
        super().__init__()
        if not (len(rgb_mean) == len(rgb_std) == 3 and len(ir_mean) == len(ir_std) == thermal.channels):
            raise ValueError(
                f"a mean and a std for 3 colours and for {thermal.channels} thermal channels are needed"
            )
        if look not in LOOKS:
            raise ValueError(f"look={look}: not one of {', '.join(LOOKS)}")
        self.thermal = thermal
        self.look = look
        self.rgb_mean, self.rgb_std = list(rgb_mean), list(rgb_std)
        self.ir_mean, self.ir_std = list(ir_mean), list(ir_std)

    @property
    def ir_channels(self) -> int:
        """C_ir, how many channels of a thermal frame a model gets."""
        return self.thermal.channels if self.look == "own" else CHANNELS

    @property
    def normalisation(self) -> dict[str, list[float]]:
        """The numbers, by the names of this class's arguments, as a checkpoint keeps them."""
        names = ("rgb_mean", "rgb_std", "ir_mean", "ir_std")
        return {name: list(getattr(self, name)) for name in names}

    def forward(
        self,
        batch: PairBatch,
        view: View,
        photometric: Photometric | None,
        seed: int,
        style: Style | None = None,
        dropout: ModalityDropout | None = None,
    ) -> PairBatch:
        """A batch as a model takes it; see `PairBatch` for what comes in and goes out."""
        crops = view.crops(seed, batch.epoch, batch.sample_id)
        rgb, ir = self._crops(batch, crops, photometric, seed, style, dropout)
        return batch._replace(rgb=rgb[0], ir=ir[0])

    def multi_crop(
        self,
        batch: PairBatch,
        view: MultiCrop,
        photometric: Photometric | None,
        seed: int,
        style: Style | None = None,
        dropout: ModalityDropout | None = None,
    ) -> MultiCropBatch:
        """A stored batch through many crops, each changed in colour, temperature and style for itself."""
        keys = (seed, batch.epoch, batch.sample_id)
        changes = (photometric, seed, style, dropout)
        large = self._crops(batch, view.large(*keys), *changes)
        small = view.small(*keys)
        if small is None:
            local_rgb = large[0].new_empty(0, *large[0].shape[1:3], *view.rgb_local_size)
            local_ir = large[1].new_empty(0, *large[1].shape[1:3], *view.ir_local_size)
        else:
            local_rgb, local_ir = self._crops(batch, small, *changes)
        return MultiCropBatch(*large, local_rgb, local_ir, batch.sample_id, batch.epoch, batch.row)

    def _crops(
        self,
        batch: PairBatch,
        crops: Crops,
        photometric: Photometric | None,
        seed: int,
        style: Style | None,
        dropout: ModalityDropout | None,
    ) -> tuple[Tensor, Tensor]:
        """(N, B, 3, H, W) and (N, B, C_ir, h, w)."""
        made = self._compiled_crops if _has_kernels(batch) else self._torch_crops
        rgb, ir = made(batch, crops, photometric, seed, style)
        if dropout is not None:  # 0 is each sensor's mean
            blank = dropout.blank(seed, batch.epoch, batch.sample_id, crops.crop_id)
            for whole, rows in zip((rgb, ir), blank, strict=True):
                whole.masked_fill_(rows.view(*whole.shape[:2], 1, 1, 1), 0.0)
        return rgb, ir

    def _compiled_crops(
        self,
        batch: PairBatch,
        crops: Crops,
        photometric: Photometric | None,
        seed: int,
        style: Style | None,
    ) -> tuple[Tensor, Tensor]:
        """Each crop cut and changed in one go, and written where it stays."""
        photometric = photometric or NOTHING
        changes = photometric.draw(seed, crops.epoch, crops.crop_id)
        normalised = (self.rgb_mean, self.rgb_std) if self.look == "own" else ([0.0] * 3, [1.0] * 3)
        rgb = picture_crops(batch.rgb, crops.rgb, changes, *normalised)
        degrees = frame_crops(batch.ir, crops.ir, changes, photometric.ir_noise)
        ir = degrees.new_empty(len(degrees), self.ir_channels, *crops.ir.size)
        for start in range(0, len(rgb), _TOGETHER):
            part = slice(start, start + _TOGETHER)
            ir[part] = self.ir(degrees[part])
            if self.look == "common":
                rgb[part] = common_rgb(rgb[part])
            if style is not None:
                keys = (seed, crops.epoch[part], crops.crop_id[part])
                rgb[part], ir[part] = style.rgb(rgb[part], *keys), style.ir(ir[part], *keys)
        return rgb.unflatten(0, (-1, crops.pairs)), ir.unflatten(0, (-1, crops.pairs))

    def _torch_crops(
        self,
        batch: PairBatch,
        crops: Crops,
        photometric: Photometric | None,
        seed: int,
        style: Style | None,
    ) -> tuple[Tensor, Tensor]:
        """The same on any device and in any precision."""
        rgb, frames = crops.cut(batch.rgb, batch.ir)
        degrees = frames if batch.ir.is_floating_point() else celsius(frames)
        if photometric is not None:
            changes = photometric.draw(seed, crops.epoch, crops.crop_id)
            rgb, degrees = photometric.rgb(rgb, changes), photometric.ir(degrees, changes)
        rgb, ir = self.rgb(rgb), self.ir(degrees)
        if style is not None:
            keys = (seed, crops.epoch, crops.crop_id)
            rgb, ir = style.rgb(rgb, *keys), style.ir(ir, *keys)
        # The common look's three channels are one in memory.
        rgb, ir = rgb.contiguous(), ir.contiguous()
        return rgb.unflatten(0, (-1, crops.pairs)), ir.unflatten(0, (-1, crops.pairs))

    def rgb(self, rgb: Tensor) -> Tensor:
        """(B, 3, H, W) pictures of a view, 0…1, as a model takes them."""
        return common_rgb(rgb) if self.look == "common" else self._own_rgb(rgb)

    def ir(self, degrees: Tensor) -> Tensor:
        """(B, h, w) thermal frames of a view, NaN where missing, to (B, C_ir, h, w) as a model takes them."""
        return common_ir(degrees) if self.look == "common" else self._own_ir(degrees)

    def rgb_levels(self, rgb: Tensor, regions: int) -> Tensor:
        """(B, K) of pictures as `rgb` takes them: what their look takes away of them, see `look.levels`.

        Args:
            rgb: (B, 3, H, W).
            regions: parts on a side. K is 0 where each sensor has its own look, which takes nothing away.
        """
        return levels(self._own_rgb(rgb), regions) if self.look == "common" else rgb.new_empty(len(rgb), 0)

    def ir_levels(self, degrees: Tensor, regions: int) -> Tensor:
        """Of thermal frames as `ir` takes them, in the channels of `thermal`; see `rgb_levels`."""
        if self.look == "common":
            return levels(self._own_ir(degrees), regions)
        return degrees.new_empty(len(degrees), 0)

    def _own_rgb(self, rgb: Tensor) -> Tensor:
        return _standardise(rgb, self.rgb_mean, self.rgb_std)

    def _own_ir(self, degrees: Tensor) -> Tensor:
        return _standardise(self.thermal(degrees), self.ir_mean, self.ir_std)


def _has_kernels(batch: PairBatch) -> bool:
    """Whether there are compiled loops for these: on the CPU, in the types of a store."""
    return (
        batch.rgb.device.type == "cpu"
        and batch.rgb.dtype in (torch.uint8, torch.float32)
        and batch.ir.dtype in (torch.uint16, torch.float32)
    )


def decode(ir: Tensor) -> Tensor:
    """Stored thermal frames as float32 in the collection's unit, NaN where missing.

    Args:
        ir: any shape; uint16 hundredths of a kelvin (0 is missing) become °C, float32 passes as it is.
    """
    if ir.dtype != torch.uint16:
        return ir
    code = ir.float()
    return celsius(code).masked_fill_(code == 0, torch.nan)


def celsius(code: Tensor) -> Tensor:
    """Hundredths of a kelvin as degrees Celsius; NaN stays."""
    return (code - 27315) / 100


def channel_statistics(thermal: ThermalChannels, store: PairStore) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel over up to 512 frames spread over the train split."""
    rows = store.rows("train")
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, STATISTICS_FRAMES).round().astype(np.int64))]
    count, total, squares = 0, torch.zeros(thermal.channels).double(), torch.zeros(thermal.channels).double()
    for start in range(0, len(rows), _STATISTICS_BATCH):
        _, ir = store.read(rows[start : start + _STATISTICS_BATCH])
        channels = thermal(decode(torch.from_numpy(ir)).double())
        count += channels[:, 0].numel()
        total += channels.sum((0, 2, 3))
        squares += channels.square().sum((0, 2, 3))
    mean = total / count
    std = (squares / count - mean.square()).clamp_min(0).sqrt().clamp_min(_SMALLEST_STD)
    return mean.tolist(), std.tolist()


def _standardise(images: Tensor, mean: list[float], std: list[float]) -> Tensor:
    """In place: what comes here is a view of its own, (B, C, H, W)."""
    shape = (1, len(mean), 1, 1)
    return images.sub_(images.new_tensor(mean).view(shape)).mul_(1 / images.new_tensor(std).view(shape))

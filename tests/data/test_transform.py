import numpy as np
import pytest
import torch

from sage_lightning.batch import PairBatch
from sage_lightning.data import centikelvin
from sage_lightning.data.augment import FullView, PairedCrop
from sage_lightning.data.counted import sample_id
from sage_lightning.data.dataset import StoreDataset
from sage_lightning.data.dropout import ModalityDropout
from sage_lightning.data.look import common_ir, common_rgb, levels
from sage_lightning.data.multicrop import MultiCrop
from sage_lightning.data.photometric import Photometric
from sage_lightning.data.store import PairStore
from sage_lightning.data.style import Style
from sage_lightning.data.thermal import Bins3, Celsius, Percentile, ThermalChannels
from sage_lightning.data.transform import PairTransform, channel_statistics, decode

FULL = FullView(rgb_size=(8, 8), ir_size=(6, 7))
RGB = {"rgb_mean": [0.4, 0.5, 0.6], "rgb_std": [0.2, 0.25, 0.3]}


def transform(store: PairStore, thermal: ThermalChannels, look: str = "own") -> PairTransform:
    ir_mean, ir_std = channel_statistics(thermal, store)
    return PairTransform(thermal, **RGB, ir_mean=ir_mean, ir_std=ir_std, look=look)


def stored(store: PairStore, rows: list[int], epoch: int = 0) -> PairBatch:
    ids = np.array([sample_id(pair) for pair in store.index["pair_id"]])
    return StoreDataset(store, np.arange(len(store)), ids).__getitems__([(epoch, row) for row in rows])


def test_decoding_is_the_stores_own():
    code = np.arange(2**16, dtype=np.uint16)
    found = decode(torch.from_numpy(code)).numpy()
    assert found.dtype == np.float32
    assert np.array_equal(found, centikelvin.decode(code), equal_nan=True)
    degrees = torch.tensor([1.5, torch.nan])
    assert torch.equal(decode(degrees).nan_to_num(7), degrees.nan_to_num(7))


@pytest.mark.parametrize("thermal", [Celsius(), Percentile(), Bins3()])
def test_statistics_make_training_frames_standard(small_store: PairStore, thermal: ThermalChannels):
    mean, std = channel_statistics(thermal, small_store)
    assert len(mean) == len(std) == thermal.channels
    _, ir = small_store.read(small_store.rows("train"))
    channels = thermal(torch.from_numpy(centikelvin.decode(ir)).double()).transpose(0, 1).flatten(1)
    np.testing.assert_allclose(mean, channels.mean(1), rtol=1e-10)
    np.testing.assert_allclose(std, channels.std(1, correction=0), rtol=1e-8)


def test_a_channel_that_never_changes_is_not_blown_up(small_store: PairStore):
    _, std = channel_statistics(Bins3((-300.0, 500.0), softness=1.0), small_store)
    assert std == [1e-3] * 3


@pytest.mark.parametrize("look", ["own", "common"])
@pytest.mark.parametrize("thermal", [Celsius(), Percentile(), Bins3()])
def test_one_picture_and_one_frame_go_the_way_of_a_batch(
    small_store: PairStore, thermal: ThermalChannels, look: str
):
    """What evaluation embeds is what training sees, but for what is drawn."""
    path = transform(small_store, thermal, look)
    batch = path(stored(small_store, [3, 9, 12]), FULL, None, 0)
    assert batch.rgb.shape == (3, 3, 8, 8)
    channels = thermal.channels if look == "own" else 3
    assert batch.ir.shape == (3, channels, 6, 7)
    assert path.ir_channels == channels
    assert batch.rgb.dtype == batch.ir.dtype == torch.float32
    rgb, ir = small_store.read([3, 9, 12])
    for i in range(3):
        picture = path.rgb(FULL.rgb(torch.from_numpy(rgb[i]).permute(2, 0, 1)[None].float() / 255))
        frame = path.ir(FULL.ir(torch.from_numpy(centikelvin.decode(ir[i]))[None]))
        torch.testing.assert_close(picture, batch.rgb[i : i + 1], rtol=0, atol=1e-5)
        torch.testing.assert_close(frame, batch.ir[i : i + 1], rtol=0, atol=1e-5)


def test_normalised_by_the_numbers_given(small_store: PairStore):
    view = FullView(small_store.rgb_size, small_store.ir_size)
    path = PairTransform(Celsius(-50, 50), **RGB, ir_mean=[0.1], ir_std=[0.5])
    batch = path(stored(small_store, [1]), view, None, 0)
    rgb, ir = small_store.read([1])
    expected = (rgb[0] / 255 - RGB["rgb_mean"]) / RGB["rgb_std"]
    np.testing.assert_allclose(batch.rgb[0].permute(1, 2, 0), expected, atol=1e-5)
    degrees = centikelvin.decode(ir[0])
    np.testing.assert_allclose(batch.ir[0, 0], (degrees / 50 - 0.1) / 0.5, atol=1e-5)
    assert path.normalisation == {**RGB, "ir_mean": [0.1], "ir_std": [0.5]}


def test_training_views_do_not_depend_on_the_batch(small_store: PairStore):
    path = transform(small_store, Celsius())
    view = PairedCrop((8, 8), (6, 7))
    whole = path(stored(small_store, list(range(40)), epoch=4), view, Photometric(blur=0.5), 1)
    assert whole.rgb.isfinite().all()
    assert whole.ir.isfinite().all()
    part = path(stored(small_store, [33, 2], epoch=4), view, Photometric(blur=0.5), 1)
    torch.testing.assert_close(part.rgb, whole.rgb[[33, 2]], rtol=0, atol=1e-4)
    torch.testing.assert_close(part.ir, whole.ir[[33, 2]], rtol=0, atol=1e-4)
    other = path(stored(small_store, [33, 2], epoch=5), view, Photometric(blur=0.5), 1)
    assert (other.rgb - part.rgb).abs().amax((1, 2, 3)).min() > 0.05
    assert torch.equal(part.sample_id, whole.sample_id[[33, 2]])
    assert part.row.tolist() == [33, 2]


@pytest.mark.parametrize("look", ["own", "common"])
@pytest.mark.parametrize("thermal", [Celsius(), Percentile(), Bins3()])
def test_compiled_loops_and_torch_see_the_same(small_store: PairStore, thermal: ThermalChannels, look: str):
    """What a store keeps is for the one, the same numbers in float64 for the other."""
    path, raw = transform(small_store, thermal, look), stored(small_store, list(range(20)), epoch=2)
    exact = raw._replace(rgb=raw.rgb.double() / 255, ir=decode(raw.ir).double())
    view = MultiCrop((8, 8), (6, 7), (5, 4), (3, 4), local_crops=3, vertical_flip=0.5, jitter=0.05)
    for photometric in (None, Photometric(gray=0.3, blur=0.5)):
        style = Style() if look == "common" else None
        options = (view, photometric, 1, style, ModalityDropout(0.3))
        found, expected = path.multi_crop(raw, *options), path.multi_crop(exact, *options)
        for name in ("rgb", "ir", "rgb_local", "ir_local"):
            one, other = getattr(found, name), getattr(expected, name)
            assert one.dtype == torch.float32
            assert other.dtype == torch.float64
            torch.testing.assert_close(one.double(), other, rtol=0, atol=5e-5)


def test_the_common_look_is_of_the_view_and_has_no_use_for_thermal(small_store: PairStore):
    path = transform(small_store, Celsius(), "common")
    batch = path(stored(small_store, [3, 9]), FULL, None, 0)
    rgb, ir = small_store.read([3, 9])
    pixels = FULL.rgb(torch.from_numpy(rgb).permute(0, 3, 1, 2).float() / 255)
    torch.testing.assert_close(batch.rgb, common_rgb(pixels))
    torch.testing.assert_close(batch.ir, common_ir(FULL.ir(torch.from_numpy(centikelvin.decode(ir)))))
    for other in (transform(small_store, Bins3(), "common"), transform(small_store, Percentile(), "common")):
        assert torch.equal(other(stored(small_store, [3, 9]), FULL, None, 0).ir, batch.ir)


@pytest.mark.parametrize("thermal", [Celsius(), Bins3()])
def test_levels_are_of_the_look_that_is_the_sensor_s_own(small_store: PairStore, thermal: ThermalChannels):
    own, common = (transform(small_store, thermal, look) for look in ("own", "common"))
    raw = stored(small_store, [3, 9])
    rgb, degrees = FULL.rgb(raw.rgb.float() / 255), FULL.ir(decode(raw.ir))
    assert own.rgb_levels(rgb, 2).shape == own.ir_levels(degrees, 2).shape == (2, 0)  # nothing is taken away
    seen = own(raw, FULL, None, 0)
    torch.testing.assert_close(common.rgb_levels(rgb, 2), levels(seen.rgb, 2))
    torch.testing.assert_close(common.ir_levels(degrees, 2), levels(seen.ir, 2))
    degrees[0] = torch.nan
    assert common.ir_levels(degrees, 2).isfinite().all()


def test_style_is_a_change_of_what_training_sees_and_each_pair_s_own(small_store: PairStore):
    path = transform(small_store, Celsius(), "common")
    whole = path(stored(small_store, list(range(40)), epoch=4), FULL, None, 1, Style())
    plain = path(stored(small_store, list(range(40)), epoch=4), FULL, None, 1)
    for changed, unchanged in ((whole.rgb, plain.rgb), (whole.ir, plain.ir)):
        assert ((changed - unchanged).abs().amax((1, 2, 3)) > 0.05).all()
        assert changed.isfinite().all()
    part = path(stored(small_store, [33, 2], epoch=4), FULL, None, 1, Style())
    torch.testing.assert_close(part.rgb, whole.rgb[[33, 2]], rtol=0, atol=1e-4)
    torch.testing.assert_close(part.ir, whole.ir[[33, 2]], rtol=0, atol=1e-4)


def test_an_unknown_look_is_refused():
    with pytest.raises(ValueError, match="look=grey: not one of own, common"):
        PairTransform(Celsius(), **RGB, ir_mean=[0.0], ir_std=[1.0], look="grey")


def test_numbers_must_fit_the_channels():
    with pytest.raises(ValueError, match="for 3 thermal channels"):
        PairTransform(Bins3(), **RGB, ir_mean=[0.0], ir_std=[1.0])

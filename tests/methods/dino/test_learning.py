"""Every tower of the teacher is better than it began, also the one that only teaches."""

import pytest
import torch

from sage_lightning.batch import MultiCropBatch

KINDS, PAIRS = 4, 16


def scenes(seed):
    """Pairs of four kinds of scene. Each crop is lit at random, by far more than kinds differ."""
    kinds = torch.arange(PAIRS) % KINDS
    number = torch.arange(PAIRS)
    crops = []
    for place, (count, channels, size) in enumerate(((2, 3, 16), (2, 1, 8), (3, 3, 8), (3, 1, 4))):
        fixed = torch.Generator().manual_seed(place % 2)  # small crops see what the sensor's large ones see
        drawn = torch.Generator().manual_seed(10 * seed + place)
        *seen, light = torch.nn.functional.interpolate(
            torch.randn(KINDS + 1, channels, 4, 4, generator=fixed), size
        )
        strength = 3 * torch.randn(count, PAIRS, 1, 1, 1, generator=drawn)
        noise = 0.3 * torch.randn(count, PAIRS, channels, size, size, generator=drawn)
        crops.append(torch.stack(seen)[kinds] + strength * light + noise)
    return MultiCropBatch(*crops, number, number * 0, number)


@torch.no_grad()
def told_apart(model, sensor):
    """Share of the variance of the teacher's embeddings, of new scenes, that their kind explains."""
    images = torch.cat([getattr(scenes(seed), sensor)[0] for seed in range(100, 108)])
    z = torch.nn.functional.normalize(model.teacher.embed(sensor, images), dim=1)
    means = torch.stack([z[kind::KINDS].mean(0) for kind in range(KINDS)])
    return float((means - z.mean(0)).square().sum() / KINDS / z.var(0, correction=0).sum())


def trained(method, fit, direction, **options):
    """What the teacher's towers tell apart before training and after."""
    settings = {"centring": "sinkhorn", "koleo_weight": 0.1, "teacher_temperature": (0.04, 0.04)}
    model = method(direction, epochs=30, momentum=0.8, **settings, **options)
    before = {sensor: told_apart(model, sensor) for sensor in ("rgb", "ir")}
    fit(model, epochs=30, make=scenes)
    return before, {sensor: told_apart(model, sensor) for sensor in ("rgb", "ir")}


@pytest.mark.parametrize(
    ("direction", "sharing"),
    [
        *((direction, "separate") for direction in ("rgb_teacher", "ir_teacher", "both", "alternate_roles")),
        ("alternate_sensor", "trunk"),
    ],
)
def test_every_tower_of_the_teacher_beats_its_beginning(method, fit, direction, sharing):
    before, after = trained(method, fit, direction, sharing=sharing)
    for sensor in ("rgb", "ir"):
        assert after[sensor] > before[sensor] + 0.1, sensor


def test_a_tower_that_nothing_teaches_does_not(method, fit):
    """What the test above would find, were there no same-sensor terms."""
    before, after = trained(method, fit, "rgb_teacher", intra_weight=0)
    assert after["rgb"] == before["rgb"]

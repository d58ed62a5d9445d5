"""What makes the simulation worth learning from: both sensors see one scene, each by its own physics."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sage_lightning.data.simulated.camera import SimulatedCamera
from sage_lightning.data.simulated.objects import WarmObject
from sage_lightning.data.simulated.scene import Scene
from sage_lightning.data.simulated.sensors import optical_picture, side_by_side, thermal_picture
from sage_lightning.data.simulated.sky import sky_temperature
from sage_lightning.data.simulated.view import ELEVATION
from sage_lightning.sage.picture import CROP_BOX, read_optical

OPTICAL = (384, 256)


def scenes(view: str, count: int, sun: tuple[float, float] = (-90, 90)) -> list[Scene]:
    """The first frames of the default simulation with this view and sun."""
    camera = SimulatedCamera(Path("unused"))
    found: list[Scene] = []
    for frame in range(camera.frames):
        if len(found) == count:
            break
        # The row of the view is known without drawing the scene.
        position = camera.positions[frame // camera.nodes % len(camera.positions)]
        if list(ELEVATION)[(position - 1) % 4] != view:
            continue
        scene, _ = camera.scene(frame)
        if sun[0] <= scene.moment.sun_elevation <= sun[1]:
            found.append(scene)
    return found


def weather(scene: Scene, **changes: float) -> Scene:
    return replace(scene, weather=replace(scene.weather, **changes))


def covered(scene: Scene, density: float) -> Scene:
    clouds = scene.clouds
    full = np.full_like(clouds.density, density)
    return replace(scene, clouds=replace(clouds, density=full, depth=full, thickness=6.0))


def thermal(scene: Scene, seed: int = 0) -> np.ndarray:
    return thermal_picture(np.random.default_rng(seed), 0, 0, scene)


def optical(scene: Scene, seed: int = 0) -> np.ndarray:
    return optical_picture(np.random.default_rng(seed), scene, OPTICAL)


def seen_by_rgb(scene: Scene, tmp_path: Path) -> np.ndarray:
    """(126, 168, 3): the crop box of the file, through the real reader."""
    path = tmp_path / "a.jpg"
    side_by_side(optical(scene), thermal(scene)).save(path, quality=92)
    return read_optical(path, CROP_BOX, (126, 168)).astype(float)


@pytest.mark.parametrize("view", ["sky", "ground"])
@pytest.mark.parametrize(("across", "up"), [(-0.35, 0.3), (0.0, 0.0), (0.35, -0.3)])
def test_a_warm_object_lands_at_the_same_place_in_both_sensors(
    tmp_path: Path, view: str, across: float, up: float
) -> None:
    scene = scenes(view, 1, sun=(20, 90))[0]
    grid = scene.grid
    body = WarmObject(
        "animal",
        azimuth=180 + 45 * grid.column + 45 * across,
        elevation=ELEVATION[grid.view] + 36 * up,
        turn=0.0,
        warmth=20.0,
        colour=(1.0, 0.0, 0.0),
    )
    without, with_it = replace(scene, warm_object=None), replace(scene, warm_object=body)
    warmer = thermal(with_it) - thermal(without)
    redder = np.abs(seen_by_rgb(with_it, tmp_path) - seen_by_rgb(without, tmp_path)).sum(axis=2)
    expected = np.array([126 * (0.5 - up), 168 * (0.5 + across)])
    for change in (warmer, redder):
        weight = np.where(change > 0.5 * change.max(), change, 0)
        place = np.array([(weight * index).sum() for index in np.indices(weight.shape) + 0.5]) / weight.sum()
        assert np.abs(place - expected).max() < 1.0, (place, expected)


def test_by_day_both_sensors_see_the_same_clouds(tmp_path: Path) -> None:
    broken = [
        s for s in scenes("sky", 60, sun=(15, 60)) if 0.25 < (s.labels()["cloud_fraction"] or 0) < 0.75
    ][:8]
    correlations = []
    for scene in broken:
        cloud = scene.grid.thermal(scene.clouds.density)
        rgb = seen_by_rgb(scene, tmp_path)
        whiteness = rgb.min(axis=2) / rgb.max(axis=2)
        warmth = thermal(scene)
        warmth = warmth - thermal(covered(scene, 0.0))
        correlations.append([np.corrcoef(cloud.ravel(), x.ravel())[0, 1] for x in (whiteness, warmth)])
    assert len(correlations) == 8
    assert np.median(correlations, axis=0).min() > 0.85


def test_clear_sky_is_colder_towards_the_zenith_and_when_dry() -> None:
    clear = covered(scenes("sky", 1)[0], 0.0)
    rows = sky_temperature(clear).mean(axis=1)
    assert (np.diff(rows) > 0).all()  # row 0 is the top
    assert rows[0] < clear.weather.air_temperature - 25
    dry, humid = (sky_temperature(weather(clear, humidity=value)).mean() for value in (0.15, 0.4))
    assert dry < humid - 5


def test_low_cloud_is_warmer_than_high_cloud_and_both_than_clear_sky() -> None:
    scene = scenes("sky", 1)[0]
    clear = sky_temperature(covered(scene, 0.0))
    low, middle, high = (
        sky_temperature(weather(covered(scene, 1.0), cloud_base_km=base)) for base in (0.5, 3.0, 7.5)
    )
    assert (low > middle).all()
    assert (middle > high).all()
    assert (high > clear).all()
    assert np.abs(low - scene.weather.air_temperature).max() < 6


def test_rgb_is_dark_at_night_and_tells_no_clouds_while_thermal_does() -> None:
    for scene in scenes("sky", 5, sun=(-90, -18)):
        clear, cloudy = covered(scene, 0.0), covered(scene, 1.0)
        assert optical(clear).mean() < 20
        assert abs(optical(clear).mean() - optical(cloudy).mean()) < 1.5
        assert thermal(cloudy).mean() - thermal(clear).mean() > 5


def test_the_mean_temperature_is_a_poor_measure_of_cloud() -> None:
    labels = [(s.labels()["cloud_fraction"], sky_temperature(s).mean()) for s in scenes("sky", 150)]
    fraction, temperature = np.array(labels, dtype=float).T
    assert np.corrcoef(fraction, temperature)[0, 1] ** 2 < 0.6
    assert np.histogram(fraction, bins=4, range=(0, 1))[0].min() > 10


def test_a_roof_shows_in_thermal_alone() -> None:
    scene = replace(scenes("horizon", 1, sun=(30, 90))[0], warm_object=None)
    cold = replace(scene, terrain=replace(scene.terrain, roof=np.zeros_like(scene.terrain.roof)))
    assert (thermal(scene) - thermal(cold)).max() > 5
    np.testing.assert_array_equal(optical(scene), optical(cold))


def test_the_sun_shows_in_rgb_alone() -> None:
    scene = covered(replace(scenes("sky", 1, sun=(30, 40))[0], warm_object=None), 0.0)
    centre = 180 + 45 * scene.grid.column
    facing, averted = (
        replace(scene, moment=replace(scene.moment, sun_azimuth=(centre + turn) % 360)) for turn in (0, 180)
    )
    assert (optical(facing).max(axis=2) > 250).sum() > (optical(averted).max(axis=2) > 250).sum() + 50
    np.testing.assert_array_equal(thermal(facing), thermal(averted))


def test_ground_is_warmer_in_the_afternoon_than_at_the_same_sun_in_the_morning() -> None:
    scene = scenes("ground", 1, sun=(20, 60))[0]
    past = scene.moment.past_sun_elevation
    morning = replace(scene, moment=replace(scene.moment, past_sun_elevation=past - 15))
    afternoon = replace(scene, moment=replace(scene.moment, past_sun_elevation=past + 15))
    assert thermal(afternoon).mean() > thermal(morning).mean() + 0.2


def test_shadow_darkens_rgb_and_cools_the_ground(tmp_path: Path) -> None:
    scene = replace(scenes("ground", 1, sun=(35, 60))[0], warm_object=None)
    sunny, shady = covered(scene, 0.0), covered(scene, 1.0)
    assert optical(shady).mean() < 0.85 * optical(sunny).mean()
    assert thermal(shady).mean() < thermal(sunny).mean()


def test_neighbouring_frames_of_one_position_differ_in_their_clouds() -> None:
    patterns = [s.clouds.depth.ravel() for s in scenes("sky", 6)]
    correlation = np.corrcoef(patterns) - np.eye(len(patterns))
    assert np.abs(correlation).max() < 0.8


def test_false_colours_fill_the_right_half() -> None:
    scene = scenes("sky", 1)[0]
    picture = side_by_side(optical(scene), thermal(scene))
    assert isinstance(picture, Image.Image)
    assert picture.size == (2 * OPTICAL[0], OPTICAL[1])
    np.testing.assert_array_equal(np.asarray(picture)[:, : OPTICAL[0]], optical(scene))

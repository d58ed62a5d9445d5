"""Who teaches whom: the directions of cross-modal DINO, step by step."""

from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

from sage_lightning.models.towers import Sensor

Direction = Literal["rgb_teacher", "ir_teacher", "both", "alternate_roles", "alternate_sensor"]
Kind = Literal["cross", "intra"]
SENSORS: tuple[Sensor, Sensor] = ("rgb", "ir")
OTHER: dict[Sensor, Sensor] = {"rgb": "ir", "ir": "rgb"}


class Lesson(NamedTuple):
    """One sensor's teacher to one sensor's student.

    Attributes:
        name: intra_rgb, or cross_rgb_to_ir where RGB teaches the other, as terms are logged.
        teacher: whose teacher speaks.
        learner: whose student listens.
    """

    name: str
    teacher: Sensor
    learner: Sensor


def lessons(kind: Kind, teaching: Iterable[Sensor]) -> list[Lesson]:
    """One for each sensor that teaches."""
    if kind == "intra":
        return [Lesson(f"intra_{sensor}", sensor, sensor) for sensor in teaching]
    return [Lesson(f"cross_{sensor}_to_{OTHER[sensor]}", sensor, OTHER[sensor]) for sensor in teaching]


class Roles:
    """Which sensors teach and which learn at a step.

    Args:
        direction: who teaches: `rgb_teacher`, `ir_teacher`, `both` (the mean of the two), `alternate_roles`
            (the two in turn, step by step), `alternate_sensor` (one sensor teaches itself, the other at the
            next step).
        intra_weight: of the terms in which a sensor's teacher teaches its own student.

    Raises:
        ValueError: an unknown direction.
    """

    def __init__(self, direction: Direction, intra_weight: float) -> None:
        if direction not in get_args(Direction):
            raise ValueError(f"model.direction={direction} is not one of {', '.join(get_args(Direction))}")
        self.direction = direction
        alone = direction == "alternate_sensor"  # a sensor and nothing else
        self.weights: dict[Kind, float] = {
            "cross": 0.0 if alone else 1.0,
            "intra": 1.0 if alone else intra_weight,
        }

    def teaching(self, step: int) -> tuple[Sensor, ...]:
        """The sensors whose teachers speak at a step."""
        if self.direction == "both":
            return SENSORS
        if self.direction.startswith("alternate"):
            return (SENSORS[step % 2],)
        return ("rgb",) if self.direction == "rgb_teacher" else ("ir",)

    def learning(self, step: int) -> tuple[Sensor, ...]:
        """The sensors whose students listen at a step; the other's tower rests."""
        given = [
            lesson.learner
            for kind, weight in self.weights.items()
            if weight > 0
            for lesson in lessons(kind, self.teaching(step))
        ]
        return tuple(sensor for sensor in SENSORS if sensor in given)

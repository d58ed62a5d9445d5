"""Values against annotations: what fits, and the words for what does not."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Optional, Union

import pytest

from sage_lightning.config.kinds import fits, kind_of, name
from sage_lightning.config.targets import target

KINDS = [
    (int, [3, -1], [3.0, "3", True, None, [3]], "a whole number"),
    (float, [3, 3.5], ["3", True, None], "a number"),
    (bool, [True], [1, "true"], "true or false"),
    (str, ["x", ""], [1, None], "text"),
    (str | Path, ["x"], [1], "text"),
    (int | None, [3, None], [1.5], "a whole number or null"),
    (Optional[int], [3, None], [1.5], "a whole number or null"),  # noqa: UP045
    (
        Union[list[int], str, int],  # noqa: UP007
        [1, "auto", [0, 1]],
        [1.5, ["a"]],
        "a list of whole numbers or text or a whole number",
    ),
    (Literal["a", 2], ["a", 2], ["b", 2.0, "2"], "one of a, 2"),
    (list[float], [[1, 2.5], []], [["a"], 1], "a list of numbers"),
    (Sequence[int], [[1]], [["a"], "1"], "a list of whole numbers"),
    (tuple[int, int], [[1, 2]], [[1], [1, 2, 3]], "a list of 2 whole numbers"),
    (tuple[int | float, ...], [[1, 2.5, 3]], ["x"], "a list of numbers"),
    (Mapping[str, Any] | None, [{"a": 1}, None], [1], "a group of keys or null"),
    (int | float, [1, 1.5], ["a"], "a number"),
    (Any, [1, None, "x"], [], ""),
]


@pytest.mark.parametrize(("kind", "right", "wrong", "words"), KINDS)
def test_a_kind(kind: Any, right: list[Any], wrong: list[Any], words: str) -> None:
    assert all(fits(value, kind) for value in right)
    assert not any(fits(value, kind) for value in wrong)
    assert name(kind) == words


def test_an_object_is_built_from_a_target() -> None:
    assert fits({"_target_": "torch.nn.ReLU"}, Path | Exception)
    assert not fits({"a": 1}, Exception)


@pytest.mark.parametrize("value", [True, 3, 2.5, "x", [1, 2], [1.5], [], ["a", "b"], [1, "a"]])
def test_a_default_is_of_its_own_kind(value: Any) -> None:
    assert fits(value, kind_of(value))


def test_the_parameters_of_a_callable() -> None:
    schedule = target("sage_lightning.optim.schedule.WarmupCosine")
    assert not schedule.takes_any
    assert schedule.parameters["steps_per_epoch"].required
    assert schedule.parameters["floor"].kind is float
    without_annotations = target("json.dumps")
    assert without_annotations.takes_any
    assert without_annotations.parameters["obj"].required
    assert without_annotations.parameters["skipkeys"].kind is bool  # from its default
    assert not without_annotations.parameters["skipkeys"].annotated

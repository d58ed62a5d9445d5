"""Compiled functions give what Python gives, are kept for the next process, and cost nothing until called."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sage_lightning.machine_code import machine_code

SOURCE = """
def total(numbers):
    sum = 0.0
    for number in numbers:
        sum += number
    return sum
"""


def defined_in(path: Path | str) -> Callable[[np.ndarray], float]:
    names: dict[str, Callable[[np.ndarray], float]] = {}
    exec(compile(SOURCE, str(path), "exec"), names)
    return machine_code("float64(float64[::1])")(names["total"])


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sage_lightning.machine_code._TOLD", set())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "totals.py"
    path.write_text(SOURCE)
    return path


def test_it_gives_what_python_gives_and_is_kept_beside_the_source(source: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=1000)
    total = defined_in(source)
    assert not list(source.parent.rglob("*.nbi"))
    assert total(numbers) == sum(numbers.tolist())
    assert list(source.parent.rglob("*.nbi"))
    assert list(source.parent.rglob("*.nbc"))


def test_other_types_are_refused(source: Path) -> None:
    with pytest.raises(TypeError, match="No matching definition"):
        defined_in(source)(np.zeros(3, np.float32))


def test_where_nothing_can_be_kept_it_is_compiled_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    assert defined_in("no folder")(np.ones(3)) == 3
    assert "no locator available" in caplog.text


@pytest.mark.parametrize("suffix", ["*.nbi", "*.nbc"])
@pytest.mark.parametrize("keep", [0, 7, 0.5])
def test_where_what_is_kept_is_damaged_it_is_compiled_all_the_same(
    source: Path, suffix: str, keep: float, caplog: pytest.LogCaptureFixture
) -> None:
    assert defined_in(source)(np.ones(3)) == 3
    (kept,) = source.parent.rglob(suffix)
    whole = kept.read_bytes()
    kept.write_bytes(whole[: int(len(whole) * keep) if keep < 1 else int(keep)])
    assert defined_in(source)(np.ones(4)) == 4
    assert caplog.text.count("Compiled for this process alone") == 1


def test_a_function_that_cannot_be_compiled_says_why() -> None:
    with pytest.raises(Exception, match="Failed in nopython mode"):
        machine_code("float64(float64[::1])")(lambda numbers: Path(numbers))(np.ones(3))


def test_an_import_does_not_load_the_compiler() -> None:
    rooms = "sage_lightning.cli, sage_lightning.sage.celsius, sage_lightning.data.kernels.crops"
    code = f"import sys, {rooms}; print('numba' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"

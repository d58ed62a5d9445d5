"""Accelerator, strategy and devices: what Lightning has passes, what it has not is answered with the list."""

from typing import Any

import pytest

from sage_lightning.config.bounds import show
from sage_lightning.config.processes import accelerator, compiler, devices, strategy
from sage_lightning.config.rules import Rule


@pytest.mark.parametrize(
    ("rule", "key", "wrong", "line", "right"),
    [
        (accelerator, "accelerator", "foo", "not one of auto, cpu, gpu, cuda, mps, tpu", "mps"),
        (strategy, "strategy", "nope", "not one of auto, ddp, ddp_fork, ", "single_device"),
        (strategy, "strategy", "ddp_spawn", "it would have to pickle a whole run, ", "ddp_fork"),
        (devices, "devices", "abc", "must be a whole number, -1 for all, a list of whole", "auto"),
        (devices, "devices", [], "must be a whole number, -1 for all, a list of whole", [0, 1]),
        (devices, "devices", 0, "must be at least 1, or -1 for all", -1),
    ],
)
def test_where_a_run_computes(rule: Rule, key: str, wrong: Any, line: str, right: Any) -> None:
    (said,) = rule({"trainer": {key: wrong}})
    assert said.startswith(f"trainer.{key}={show(wrong)}: {line}")
    assert list(rule({"trainer": {key: right}})) == []


@pytest.mark.parametrize(("wanted", "lines"), [(-1, 1), ([0, 1], 1), (2, 0), ("auto", 0)])
def test_a_cpu_is_divided_into_a_number_of_processes(wanted: Any, lines: int) -> None:
    assert len(list(devices({"trainer": {"accelerator": "cpu", "devices": wanted}}))) == lines


def test_what_compiles_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler -O2")
    (line,) = compiler({"compile": True})
    assert line.startswith("compile=true: no C++ compiler, no-such-compiler -O2 is not found; install it,")
    assert list(compiler({"compile": False})) == list(compiler({})) == []
    monkeypatch.setenv("CXX", "env")  # any command that is there
    assert list(compiler({"compile": True})) == []
    monkeypatch.setattr("sysconfig.get_paths", lambda: {"include": "/no/such/place"})
    (line,) = compiler({"compile": True})
    assert line.startswith("compile=true: Python's headers are missing (/no/such/place/Python.h)")

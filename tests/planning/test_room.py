"""How much memory there is, and what says that there was too little: in real processes with real limits."""

import os
import subprocess
import sys

import pytest
import torch

from sage_lightning.errors import ShortageError
from sage_lightning.planning.room import enough_memory_or, out_of_memory, peak_resident, resident, room

MEBI = 2**20


IMPORTS = """
import resource
import torch
from sage_lightning.planning.room import _status, out_of_memory, room, stay_within
"""


def alone(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS + code],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


LIMITED = """
taken = _status()["VmSize"]
resource.setrlimit(resource.RLIMIT_AS, (taken + 400 * 2**20,) * 2)
print(room(gpu=False) // 2**20)
try:
    torch.zeros(500 * 2**20, dtype=torch.uint8)
except RuntimeError as error:
    print(out_of_memory(error))
"""

WITHIN = """
stay_within(400 * 2**20)
kept = torch.ones(200 * 2**20, dtype=torch.uint8)
try:
    torch.ones(300 * 2**20, dtype=torch.uint8)
except RuntimeError as error:
    print(out_of_memory(error))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="what a process has taken is told in /proc")
def test_a_limit_of_the_process_is_seen_and_what_breaks_it_is_known() -> None:
    left, known = alone(LIMITED).split()
    assert 390 <= int(left) <= 400
    assert known == "True"
    assert alone(WITHIN) == "True"


def test_what_is_no_shortage_is_none() -> None:
    assert out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert out_of_memory(MemoryError())
    assert not out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not out_of_memory(ValueError("can't allocate memory"))
    with pytest.raises(ShortageError, match="too little"), enough_memory_or("too little"):
        raise MemoryError
    with pytest.raises(RuntimeError, match="shapes"), enough_memory_or("too little"):
        raise RuntimeError("shapes")


def test_the_peak_remembers_what_is_gone() -> None:
    before = peak_resident()
    torch.ones(max(before - resident(), 0) + 100 * MEBI, dtype=torch.uint8)
    assert peak_resident() >= before + 90 * MEBI
    assert resident() < peak_resident()
    left = room(gpu=False)
    assert left is None or left > 0

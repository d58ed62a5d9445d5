"""Runs a script's `check(rank, world)` in worlds of several processes, on the CPU, over gloo.

    python worlds.py SCRIPT FOLDER WORLD [WORLD ...]

writes what each rank returns to FOLDER/WORLD-RANK.pt. A world of 1 is a process without torch.distributed.
The script is imported once, in a process that has computed nothing, and every rank is a fork of it: forks are
safe there, and the seconds that torch and timm take to import are spent once.
"""

import multiprocessing
import os
import runpy
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

SECONDS = 200


def rank_main(check: Callable[[int, int], Any], rank: int, world: int, folder: Path) -> None:
    torch.set_num_threads(1)
    # What Lightning reads; the connection itself is made below, without a port.
    places = {
        "RANK": rank,
        "LOCAL_RANK": rank,
        "GROUP_RANK": 0,
        "WORLD_SIZE": world,
        "LOCAL_WORLD_SIZE": world,
    }
    os.environ.update({name: str(value) for name, value in places.items()})
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="1")
    if world > 1:
        dist.init_process_group(
            "gloo", init_method=f"file://{folder}/{world}.store", rank=rank, world_size=world
        )
    torch.save(check(rank, world), folder / f"{world}-{rank}.pt")
    if world > 1:
        dist.barrier()
        dist.destroy_process_group()


def main(script: str, folder: str, *worlds: str) -> None:
    check = runpy.run_path(script)["check"]
    fork = multiprocessing.get_context("fork")
    for world in map(int, worlds):
        ranks = [fork.Process(target=rank_main, args=(check, r, world, Path(folder))) for r in range(world)]
        for process in ranks:
            process.start()
        # When one rank fails the others wait for it in vain: end them at once.
        end = time.monotonic() + SECONDS
        while any(process.is_alive() for process in ranks) and not any(process.exitcode for process in ranks):
            wait([process.sentinel for process in ranks if process.is_alive()], timeout=1)
            if time.monotonic() > end:
                break
        codes = [process.exitcode for process in ranks]
        for process in ranks:
            process.kill()
        if any(code != 0 for code in codes):
            sys.exit(f"world {world}: exit codes {codes} (None: killed, for it waited or hung)")


if __name__ == "__main__":
    main(*sys.argv[1:])

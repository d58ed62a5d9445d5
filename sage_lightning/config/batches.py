"""The global batch divides over ranks and accumulation steps: one rule, for a run and for a plan of many."""

from collections.abc import Iterator
from typing import Any

from sage_lightning.config.bounds import get


def batch(config: dict[str, Any]) -> Iterator[str]:
    """The global batch divides, and is one that VICReg can use; of ranks to compare, over some of them."""
    size = get(config, "data.batch_size")
    steps = get(config, "trainer.accumulate_grad_batches") or 1
    vicreg = str(get(config, "model._target_")).endswith(".VICReg")
    if vicreg and steps > 1:
        yield (
            f"trainer.accumulate_grad_batches={steps}: VICReg's statistics need the whole batch at once; "
            "leave it at 1 and use model.grad_cache=true, more ranks or a smaller data.batch_size"
        )
    if size is None or size < 1:
        return
    if vicreg and size < 2:
        yield f"data.batch_size={size}: VICReg needs at least 2 pairs"
    counts = compared(config) or [ranks(config) or 1]
    lines = [
        f"data.batch_size={size} {line}" for number in counts if (line := indivisible(size, number, steps))
    ]
    if len(lines) == len(counts):  # what is compared is shown beside what divides
        yield from lines


def indivisible(size: int, number: int, steps: int) -> str | None:
    """Over what a batch does not divide, and the nearest that do; None if it divides.

    Args:
        size: the global batch.
        number: of ranks.
        steps: of accumulation.
    """
    parts = number * steps
    if number < 1 or size % parts == 0:
        return None
    over = [f"{number} ranks"] if number > 1 else []
    over += [f"{steps} accumulation steps"] if steps > 1 else []
    near = [multiple for multiple in (size - size % parts, size - size % parts + parts) if multiple]
    are = "nearest are" if len(near) > 1 else "the least is"
    return f"does not divide over {' × '.join(over)}: {are} {' and '.join(map(str, near))}"


def compared(config: dict[str, Any]) -> list[int]:
    """The numbers of ranks that a plan is to compare; none in other commands."""
    asked = get(config, "job.gpus")
    return [asked] if isinstance(asked, int) else list(asked or [])


def ranks(config: dict[str, Any]) -> int | None:
    """How many processes there will be; None where the machine decides."""
    wanted, machines = get(config, "trainer.devices"), get(config, "trainer.num_nodes") or 1
    if isinstance(wanted, list):
        return len(wanted) * machines
    if isinstance(wanted, int) and wanted >= 1:
        return wanted * machines
    return None

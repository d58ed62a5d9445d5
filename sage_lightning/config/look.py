"""How the sensors are shown to a model: which looks there are, and what only the common one can take."""

from collections.abc import Iterator
from typing import Any

from sage_lightning.config.bounds import get

LOOKS = ("own", "common")


def look(config: dict[str, Any]) -> Iterator[str]:
    """Looks that there are, and style changes of the one that they are for."""
    chosen = get(config, "data.look") or "own"  # runs of before there was a choice have no such key
    style = get(config, "augment.style")
    if chosen not in LOOKS:
        yield f"data.look={chosen}: not one of {', '.join(LOOKS)}"
    elif style is not None and get(config, "augment.style._target_") is None:
        yield f"augment.style={style}: a group of keys; use augment=multicrop_style"
    elif style is not None and chosen == "own":
        yield (
            "augment.style: its changes of sign and curve make no sense of colours; use data.look=common, "
            "or augment.style=null"
        )


def common(config: dict[str, Any]) -> bool:
    """Whether both sensors are shown as one grey channel three times, whatever `thermal` is."""
    return get(config, "data.look") == "common"

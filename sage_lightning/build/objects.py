"""From a node of the config to the object that its `_target_` names."""

from typing import Any

import hydra.utils
from hydra.errors import InstantiationException

from sage_lightning.errors import UserError


def instantiate(node: Any, **arguments: Any) -> Any:
    """Hydra's, but what an object says to the user arrives as it was said."""
    try:
        return hydra.utils.instantiate(node, **arguments)
    except InstantiationException as error:
        if isinstance(error.__cause__, UserError):
            raise error.__cause__ from error
        raise

"""A backbone begins with weights that were trained before."""

from torch import Tensor

from sage_lightning.errors import UserError
from sage_lightning.models.backbone import Backbone
from sage_lightning.models.weights import TIMM, fit, read_weights, timm_weights


def fitted(backbone: Backbone, sensor: str) -> tuple[dict[str, Tensor], list[str]]:
    """The starting weights as an architecture takes them, and the names of those that are left out.

    Args:
        backbone: says by `weights` which; nothing of it is changed.
        sensor: "rgb" or "ir", what it sees.

    Raises:
        UserError: they cannot be read, or do not fit; the lines begin with the key.
    """
    place, size = backbone.weights, backbone.weights_size
    if place is None:
        return {}, []
    sides = (size, size) if isinstance(size, int) else None if size is None else (size[0], size[1])
    try:
        if place == TIMM:
            found = timm_weights(backbone.name)
        else:
            found = read_weights(place, backbone.weights_sensor or sensor, sides)
    except UserError as error:
        raise UserError(*(f"weights={line}" for line in error.lines)) from error
    try:
        return fit(backbone.net, found, backbone.weights_channels)
    except UserError as error:
        raise UserError(f"weights={place}: do not fit {backbone.name}: {error.lines[0]}") from error


def begin(backbone: Backbone, sensor: str) -> list[str]:
    """Loads the starting weights, where there are any; see `fitted`.

    Returns:
        The names of weights that are left out: a classifier's.
    """
    state, left_out = fitted(backbone, sensor)
    if state:
        backbone.net.load_state_dict(state, strict=False)  # `fitted` has been strict
    return left_out

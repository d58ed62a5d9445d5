"""Finds conf/, checks what a user asks for, and says what is wrong in the user's own key names."""

from sage_lightning.config.archive import moment
from sage_lightning.config.checking import check
from sage_lightning.config.compose import config_dir, resolved
from sage_lightning.config.resume import PLACES, moved, settled
from sage_lightning.config.rules import notes
from sage_lightning.config.texts import quoted
from sage_lightning.config.values import bracketed

__all__ = [
    "PLACES",
    "bracketed",
    "check",
    "config_dir",
    "moment",
    "moved",
    "notes",
    "quoted",
    "resolved",
    "settled",
]

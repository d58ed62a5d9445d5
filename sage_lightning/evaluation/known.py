"""What a collection knows of its pairs, so that a report's words claim no more than that."""

from dataclasses import dataclass

import pandas as pd

from sage_lightning.data.files import UNKNOWN


@dataclass(frozen=True)
class Known:
    """What is known of at least one pair; Sage's files say all of it, a table may say none.

    Attributes:
        nodes: which camera took it.
        positions: where the camera pointed.
        days: its local day, and so its time.
        every_day: the local day of all of them.
    """

    nodes: bool
    positions: bool
    days: bool
    every_day: bool

    @property
    def intervals(self) -> str:
        """What intervals are over."""
        if not self.days:
            return "queries"
        return "local days" if self.every_day else "local days, or over queries where no day is known"


def known_of(index: pd.DataFrame) -> Known:
    """What the pairs of an index know."""
    return Known(
        nodes=bool(is_known_node(index["node"]).any()),
        positions=bool(index["position"].notna().any()),
        days=bool(index["local_day"].notna().any()),
        every_day=bool(index["local_day"].notna().all()),
    )


def is_known_node(nodes: pd.Series) -> pd.Series:
    """(N,) whether a node is a node, and not what stands for none."""
    return nodes.notna() & (nodes != UNKNOWN)

"""Which columns of an index can be read out of features, and on which rows."""

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
from numpy.typing import NDArray

from sage_lightning.data.index import IDENTIFIERS, is_whole, label_columns

KNOWN = ("daylight", "view", "sun_elevation")  # standard columns worth reading out
CONFOUNDS = ("position", "node")  # where the camera points and stands: what a model might learn instead
CLASSES = 32  # a text column of more kinds is an identifier
LEAST_OF_A_KIND = 2  # rows, on average; where nearly each has a text of its own, texts are identifiers
SIZES = {"width", "height", "size", "bytes", "pixels"}
OF_FILES = {"rgb", "ir", "visible", "thermal", "image", "picture", "frame", "file", "in", "label"}
NOWHERE = -1  # the place of a pair whose position is not known
INTEGER_CLASSES = 10  # a column of whole numbers, of at most so many values, is a kind, not a quantity

# The claim about clouds is one about views that see the sky, by day and by night.
VIEWS_OF = {"cloud_fraction": ("sky", "horizon")}
BY_DAYLIGHT = ("cloud_fraction",)


@dataclass(frozen=True)
class Label:
    """A column to read out.

    Attributes:
        name: the column.
        kind: "number" is scored by R², "class" by accuracy.
        confound: whether reading it well is a warning, not a success.
        subsets: of "all", "day", "night": where it is scored.
        views: the views it is scored in; empty for all.
    """

    name: str
    kind: Literal["number", "class"]
    confound: bool
    subsets: tuple[str, ...]
    views: tuple[str, ...]


def labels_of(index: pd.DataFrame) -> list[Label]:
    """The columns that vary and are no identifiers, those of the collection first.

    Args:
        index: the training rows.
    """
    found = []
    labels = [name for name in label_columns(index) if name not in IDENTIFIERS]
    for name in (*labels, *KNOWN, *CONFOUNDS):
        kind = _kind(index[name])
        if kind is not None:
            subsets = ("all", "day", "night") if name in BY_DAYLIGHT else ("all",)
            found.append(Label(name, kind, name in CONFOUNDS, subsets, VIEWS_OF.get(name, ())))
    return found


def telling(labels: list[Label]) -> list[Label]:
    """Those that say what a picture shows: classes first, no confounds, and no sizes of files."""
    shown = [label for label in labels if not label.confound and not is_size(label.name)]
    return sorted(shown, key=lambda label: (label.name in KNOWN, label.kind == "number"))


def is_size(name: str) -> bool:
    """Whether a column says how large a file is: "width", "visible_height", but not "tree_height"."""
    words = set(name.lower().split("_"))
    return bool(words & SIZES) and words <= SIZES | OF_FILES


def subset_rows(index: pd.DataFrame, subset: str) -> NDArray[Any]:
    """(N,) whether a row is in a subset: "all", a daylight ("day", "night") or a view ("sky" …)."""
    if subset == "all":
        return pd.Series(True, index=index.index).to_numpy()
    column = "daylight" if subset in ("day", "night") else "view"
    return (index[column] == subset).fillna(False).to_numpy(bool)


def labelled_rows(index: pd.DataFrame, label: Label, subset: str) -> NDArray[Any]:
    """(N,) whether a row has the label and counts for it."""
    rows = index[label.name].notna().to_numpy(bool) & subset_rows(index, subset)
    if label.views and index["view"].notna().any():
        rows &= index["view"].isin(label.views).to_numpy(bool)
    return rows


def units(index: pd.DataFrame) -> NDArray[Any]:
    """(N,) the bunch of each row, whose rows resemble each other: its local day, or itself if unknown."""
    return index["local_day"].fillna(index["pair_id"]).to_numpy(str)


def places(index: pd.DataFrame) -> NDArray[Any]:
    """(N,) a number for each (node, position), which is what "one position" means; `NOWHERE` if not known.

    Pairs of unknown position are no place: nothing says that they share a background.
    """
    place = index.groupby(["node", "position"], dropna=False).ngroup()
    return place.where(index["position"].notna(), NOWHERE).to_numpy()


def _kind(column: pd.Series) -> Literal["number", "class"] | None:
    values = column.dropna()
    kinds = values.nunique()
    if kinds < 2 or pd.api.types.is_datetime64_any_dtype(values):
        return None
    if pd.api.types.is_bool_dtype(values):
        return "class"
    if is_whole(values):
        if kinds <= INTEGER_CLASSES:
            return "class"
        return None if kinds == len(values) else "number"  # all different: a counter
    if pd.api.types.is_float_dtype(values):
        return "number"
    return "class" if kinds <= min(CLASSES, len(values) / LEAST_OF_A_KIND) else None

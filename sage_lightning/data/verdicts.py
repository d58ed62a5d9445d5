"""What only decoding can tell of an index's pairs: who cannot be used after all.

What is by comparison, a size that is not the others' or bytes that another file has, is derived here each
time from what is kept of the files (`facts`), so it follows the files that there are.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from sage_lightning.data.facts import SIDES
from sage_lightning.data.quarantine import DUPLICATE_CONTENT, WRONG_SIZE


def judged(index: pd.DataFrame, facts: pd.DataFrame, ir_size: tuple[int, int] | None) -> pd.DataFrame:
    """The index with what is known of its files: which pairs cannot be used after all, and why others cannot.

    Args:
        index: as names tell it.
        facts: of files, see `Facts.amiss`; those that are left out have nothing to say.
        ir_size: (h, w) that a thermal picture must have; None where any will do.
    """
    reason, held = index["reason"], index["status"] != "ok"
    for side in SIDES:  # where both are broken, the thermal file's reason is given
        said = own_reasons(facts[facts["side"] == side], ir_size)
        reason = reason.mask(index[side].isin(said.index), index[side].map(said))
    contents = [facts[facts["side"] == side].set_index("path")["content"].dropna() for side in SIDES]
    usable = ~held & (reason == "")
    digests = [index[side].where(usable).map(known) for side, known in zip(SIDES, contents, strict=True)]
    reason = reason.mask(_seen_before(digests), DUPLICATE_CONTENT).astype("str")
    return index.assign(status=index["status"].mask(~held & (reason != ""), "quarantined"), reason=reason)


def own_reasons(facts: pd.DataFrame, ir_size: tuple[int, int] | None) -> pd.Series:
    """Why each of some files cannot be used whatever others hold, by path; those that can are left out."""
    reason = facts["reason"]
    if ir_size is not None:
        other = (facts["height"] > 0) & ((facts["height"] != ir_size[0]) | (facts["width"] != ir_size[1]))
        reason = reason.mask(other, WRONG_SIZE)
    return pd.Series(reason.to_numpy(), facts["path"].to_numpy(), dtype="str").loc[lambda said: said != ""]


def settled(
    index: pd.DataFrame, failed: Mapping[str, str], contents: Mapping[str, Sequence[bytes]]
) -> pd.DataFrame:
    """The index with what decoding found out.

    Args:
        index: whose usable pairs have all been decoded, in its order.
        failed: reasons by pair id of those that could not be.
        contents: digests of picture and thermal file by pair id of those that could.
    """
    asked = index["status"] == "ok"
    kept = asked & ~index["pair_id"].isin(list(failed))
    reason = index["reason"].mask(asked & ~kept, index["pair_id"].map(failed))
    named = index["pair_id"].where(kept)
    digests = [named.map({pair_id: files[side] for pair_id, files in contents.items()}) for side in (0, 1)]
    reason = reason.mask(_seen_before(digests), DUPLICATE_CONTENT)
    usable = kept & (reason == "")
    return index.assign(status=index["status"].mask(asked & ~usable, "quarantined"), reason=reason)


def _seen_before(digests: Sequence[pd.Series]) -> pd.Series:
    """Whether a pair's picture or thermal file is, byte for byte, that of a pair before it.

    A camera that is stuck, or an upload that was sent twice, gives old pictures under new times.

    Args:
        digests: of the pictures and of the thermal files, in the index's order; null of what is not used.
    """
    found = pd.Series(False, digests[0].index)
    for side in digests:
        found |= side.notna() & side.duplicated()
    return found

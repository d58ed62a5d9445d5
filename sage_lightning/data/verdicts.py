"""What only decoding can tell of an index's pairs: who cannot be used after all."""

from collections.abc import Mapping, Sequence

import pandas as pd

from sage_lightning.data.quarantine import DUPLICATE_CONTENT


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
    reason = reason.mask(_seen_before(index["pair_id"].where(kept), contents), DUPLICATE_CONTENT)
    usable = kept & (reason == "")
    return index.assign(status=index["status"].mask(asked & ~usable, "quarantined"), reason=reason)


def _seen_before(pair_ids: pd.Series, contents: Mapping[str, Sequence[bytes]]) -> pd.Series:
    """Whether a pair's picture or thermal file is, byte for byte, that of a pair before it.

    A camera that is stuck, or an upload that was sent twice, gives old pictures under new times.
    """
    found = pd.Series(False, pair_ids.index)
    for side in (0, 1):
        digests = pair_ids.map({pair_id: files[side] for pair_id, files in contents.items()})
        found |= digests.notna() & digests.duplicated()
    return found

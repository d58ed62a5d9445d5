"""What stands under a figure is true of the towers and of the collection."""

import dataclasses

import numpy as np
import pytest

from sage_lightning.clustering.cluster import Clusters
from sage_lightning.evaluation.captions import captions
from sage_lightning.evaluation.known import Known, known_of

ALL = Known(nodes=True, positions=True, days=True, every_day=True)
NOTHING = Known(nodes=False, positions=False, days=False, every_day=False)


@pytest.mark.parametrize(
    ("rgb", "ir", "heads", "features"),
    [
        (True, True, "each tower's", None),
        (False, False, None, "each tower's"),
        (True, False, "the RGB tower's", "the thermal tower's"),
        (False, True, "the thermal tower's", "the RGB tower's"),
    ],
)
def test_only_what_has_heads_is_said_to_look(rgb, ir, heads, features):
    said = captions(ALL, {"rgb": rgb, "ir": ir}, {})["attention"]
    assert (f"each head of {heads} last block looks" in said) is (heads is not None)
    assert ("4 times an even share" in said) is (heads is not None)
    assert (f"How strong {features} last features are" in said) is (features is not None)
    assert ("the strongest place" in said) is (features is not None)


def test_intervals_are_over_what_the_scores_are_bunched_by():
    over = {known: captions(known, {"rgb": True, "ir": True}, {})["retrieval"] for known in (ALL, NOTHING)}
    assert "over local days;" in over[ALL]
    assert "over queries;" in over[NOTHING]
    some = captions(dataclasses.replace(ALL, every_day=False), {"rgb": True, "ir": True}, {})["retrieval"]
    assert "over local days, or over queries where no day is known;" in some


def test_known_is_what_one_pair_knows(test):
    assert known_of(test.index) == ALL
    index = test.index.assign(node="unknown", position=None, local_day=None)
    assert known_of(index) == NOTHING
    index.loc[3, ["node", "position", "local_day"]] = ["W001", "1", "2023-001"]
    assert known_of(index) == dataclasses.replace(ALL, every_day=False)


def test_clusters_are_in_time_only_where_there_is_time():
    found = Clusters(np.zeros(4, np.int64), [4], 0, float("nan"))
    for known, words in ((ALL, "evenly spaced in time."), (NOTHING, "evenly spaced.")):
        assert captions(known, {"rgb": True, "ir": True}, {"ir": found})["clusters_ir"].endswith(words)

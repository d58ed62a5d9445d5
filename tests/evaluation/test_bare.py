"""The report of a collection that knows no node, position or day of its pairs, as a table of files may."""

import dataclasses
import html
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import HDBSCAN, KMeans

from sage_lightning.data.files import UNKNOWN
from sage_lightning.evaluation.examples import search_examples
from sage_lightning.evaluation.features import Split
from sage_lightning.evaluation.gallery import gallery
from sage_lightning.evaluation.headline import headline
from sage_lightning.evaluation.report import write_report
from sage_lightning.evaluation.run import grouped
from sage_lightning.evaluation.scores import score_table

OF_PLACE_AND_TIME = ("position", "time", "local_day", "local_hour", "sun_elevation", "daylight", "view")
LABELS = ["cloud_fraction", "cloud_cover", "air_temperature", "ground_kind", "warm_object", "frame"]


def bare(split: Split) -> Split:
    """The split as a table of files gives it: widths, which tell nothing, before a class, which does."""
    rows = len(split.index)
    nothing = {name: pd.Series(None, split.index.index, dtype="str") for name in OF_PLACE_AND_TIME}
    nothing["time"] = pd.Series(pd.NaT, split.index.index, dtype="datetime64[ns, UTC]")
    nothing["local_hour"] = nothing["sun_elevation"] = pd.Series(np.nan, split.index.index)
    index = split.index.drop(columns=LABELS).assign(
        node=UNKNOWN,
        **nothing,
        pair_id=[f"visible/FLIR_{n:05d}.jpg" for n in range(rows)],
        rgb_path=[f"visible/FLIR_{n:05d}.jpg" for n in range(rows)],
        width=300 + split.index["frame"] % 37,
        day_night=split.index["daylight"],
        given_split=split.index["split"],
    )
    return dataclasses.replace(split, index=index)


@pytest.fixture(scope="module")
def report(train, test, source, tmp_path_factory):
    few, scored = bare(train), bare(test)
    clusters = grouped(scored, KMeans(3, n_init=1, random_state=0))
    clusters["ir"] = grouped(scored, HDBSCAN(min_cluster_size=200, copy=True))["ir"]
    table = score_table(few, scored, clusters, read_labels=True)
    figures = gallery(table, scored, clusters, source, None)
    path = tmp_path_factory.mktemp("bare") / "report.html"
    write_report(
        path,
        scores=table,
        short=headline(table),
        figures=figures,
        clusters=clusters,
        clustering="KMeans(3)",
        attends={"rgb": True, "ir": False},
        index=pd.concat([few.index, scored.index], ignore_index=True),
        split="test",
        facts={},
    )
    return plain(path), figures


def plain(path):
    """The page without styles, glyphs and pictures, its white space as single blanks."""
    text = re.sub('<style>.*?</style>|<defs>.*?</defs>|data:[^"]*', "", path.read_text(), flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", text))


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_what_is_not_known_is_not_spoken_of(report):
    words = re.sub("<[^>]*>", " ", report[0])
    for wrong in (r"\bnan\b", "unknown", "nown,", r"\bdays\b", r"\blocal\b", r"\bnodes?\b", "(?i)position"):
        found = re.search(wrong, words)
        assert found is None, words[max(found.start() - 80, 0) : found.end() + 80]
    assert "740 usable pairs; 0 rows in quarantine. Splits are those of the collection's table." in words
    assert "95 %: interval of what was learned, over queries." in words
    assert "sought among those of the whole split" in words


def test_the_words_are_there_where_it_is_known(table, test, train, clusters, source, tmp_path):
    """So that the test above has something to miss."""
    path = tmp_path / "report.html"
    write_report(
        path,
        scores=table,
        short=headline(table),
        figures={},
        clusters=clusters,
        clustering="KMeans(3)",
        attends=source.attends,
        index=pd.concat([train.index, test.index]),
        split="test",
        facts={},
    )
    words = plain(path)
    assert "740 usable pairs from 2 nodes" in words
    assert "Of 48 local days none is in more than one split." in words
    assert "over local days." in words
    assert "Position and node are the confound" in words
    assert "much agreement with position" in words


def test_a_search_is_called_by_its_file_and_a_label(test):
    scored = bare(test)
    searches = search_examples(test.learned["rgb_projection"], test.learned["ir_projection"], scored.index)
    assert searches
    for search in searches:
        pair = scored.index.iloc[search.query]
        assert search.title == f"FLIR_{search.query:05d}, {pair['day_night']}"
    named = search_examples(test.learned["rgb_projection"], test.learned["ir_projection"], test.index)
    assert all(re.fullmatch(r"…78e[9a], position \d, 2023-\d{3} \d\d h", search.title) for search in named)


def test_maps_are_coloured_by_what_pictures_show_and_noise_is_called_so(report):
    maps = report[1]["maps"]
    titles = [axes.get_title(loc="left") for axes in maps.axes if axes.get_title(loc="left")]
    assert titles == ["day night", "cluster"]
    assert {"day", "night", "twilight", "0", "noise"} <= set(texts(maps))
    assert "-1" not in texts(maps)


def test_no_cluster_has_no_size_and_is_said(report):
    words = re.sub("<[^>]*>", "|", report[0])
    assert re.search(r"thermal\W+0\W+–\W+240\W+–", words)
    assert "The thermal embedding has no cluster, only noise; examples are evenly spaced." in words
    assert "Clusters of the RGB embedding, the largest first; examples are evenly spaced." in words


def test_a_tower_without_heads_is_not_said_to_have_them(report):
    words = report[0]
    assert "Where each head of the RGB tower's last block looks" in words
    assert "How strong the thermal tower's last features are" in words
    assert "each tower's" not in words.partition('id="attention"')[2].partition("</section>")[0]

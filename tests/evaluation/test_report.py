import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.cluster import HDBSCAN

from sage_lightning.evaluation.examples import search_examples, spaced
from sage_lightning.evaluation.figures.curves import training_curves
from sage_lightning.evaluation.figures.scores import retrieval_dots
from sage_lightning.evaluation.figures.sheet import Pictures
from sage_lightning.evaluation.figures.sheets import Search, attention_sheet, cluster_sheet, retrieval_sheet
from sage_lightning.evaluation.figures.svg import svg
from sage_lightning.evaluation.gallery import gallery
from sage_lightning.evaluation.headline import headline
from sage_lightning.evaluation.report import write_report
from sage_lightning.evaluation.run import UNIT_SIGNS, grouped
from sage_lightning.evaluation.sections import confound, retrieval

VOID = {"meta", "link", "br", "img", "hr", "input", "image", "path", "use", "rect", "circle"}


class Strict(HTMLParser):
    """Fails on a tag that is closed wrongly; collects ids and addresses."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.addresses = [], [], []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids += [given["id"]] if "id" in given else []
        self.addresses += [given[name] for name in ("href", "src", "xlink:href") if name in given]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(train, test, source, clusters, table, tmp_path_factory):
    steps = np.arange(0, 50, 5)
    history = pd.DataFrame({"step": steps, "train/loss": 40.0 - steps, "val/loss": np.nan})
    figures = gallery(table, test, clusters, source, history)
    path = tmp_path_factory.mktemp("report") / "report.html"
    index = pd.concat(
        [
            train.index,
            test.index,
            test.index.head(3).assign(status="quarantined", reason="truncated", split=""),
        ]
    )
    write_report(
        path,
        scores=table,
        short=headline(table),
        figures=figures,
        clusters=clusters,
        clustering="KMeans(3)",
        attends=source.attends,
        index=index,
        split="test",
        facts={"method": "VICReg <two towers>", "config": "seed: 1\nmodel: vit"},
    )
    return path.read_text(encoding="utf-8"), figures


def test_the_report_needs_nothing_beside_it(page):
    text, _ = page
    parser = Strict()
    parser.feed(text)
    assert parser.open == []
    assert all(address.startswith(("#", "data:")) for address in parser.addresses)
    assert "@import" not in text
    assert "<script" not in text
    targets = {address[1:] for address in parser.addresses if address.startswith("#")}
    assert targets <= set(parser.ids)
    assert len(parser.ids) == len(set(parser.ids))


def test_the_report_shows_every_section_and_escapes_what_it_is_told(page):
    text, figures = page
    for section in (
        "claim",
        "data",
        "training",
        "retrieval",
        "readouts",
        "maps",
        "attention",
        "examples",
        "clusters",
        "health",
        "provenance",
    ):
        assert f'<section id="{section}">' in text
    assert text.count("<svg") == len(figures)
    assert "VICReg &lt;two towers&gt;" in text
    assert "<pre>seed: 1\nmodel: vit</pre>" in text
    assert re.search(r"<td>truncated</td>\s*<td>3</td>", text)


def test_figures_take_the_page_s_ink_and_pictures_become_jpeg(page):
    _, figures = page
    curves, sheet = svg(figures["curves"], "curves"), svg(figures["attention"], "attention")
    assert "var(--ink)" in curves
    assert "#1c2026" not in curves
    assert "image/jpeg" in sheet
    assert "image/png" not in sheet


def test_no_history_no_curves_and_no_columns_no_panel():
    assert training_curves(pd.DataFrame({"step": [1, 2], "other": [1.0, 2.0]})) is None
    figure = training_curves(pd.DataFrame({"step": [1, 2], "train/loss": [2.0, 1.0]}))
    assert isinstance(figure, Figure)
    assert [axes.get_title(loc="left") for axes in figure.axes if axes.axison] == ["loss"]


def test_searches_are_what_retrieval_found(test):
    rgb, ir = test.learned["rgb_projection"], test.learned["ir_projection"]
    searches = search_examples(rgb, ir, test.index)
    assert searches
    for search in searches:
        pair = test.index.iloc[search.query]
        found = test.index.iloc[search.found]
        assert (found["node"] == pair["node"]).all()
        assert (found["position"] == pair["position"]).all()
        assert (found["daylight"] == "day").all()
        if search.rank == 1:
            assert search.found[0] == search.query
        if search.rank > 5:
            assert search.query not in search.found


def test_a_search_is_among_its_own_position_s_or_where_none_is_known_among_all(test):
    rgb, ir = test.learned["rgb_projection"], test.learned["ir_projection"]
    unknown = np.arange(len(test.index)) % 2 == 0
    some = test.index.assign(position=test.index["position"].mask(unknown, None))
    searches = search_examples(rgb, ir, some)
    assert searches
    for search in searches:
        assert not unknown[[search.query, *search.found]].any()
    day = int((test.index["daylight"] == "day").sum())
    assert {search.among for search in search_examples(rgb, ir, test.index.assign(position=None))} == {day}


def test_misses_are_shown_whatever_their_rank(test):
    """Where none of five candidates can be far down, those at ranks 2 to 5 are the wrong ones."""
    rng = np.random.default_rng(0)
    index = test.index.head(10).assign(node="a", position=list("12") * 5, daylight="day")
    content = rng.normal(size=(10, 8))
    noisy = content + 2 * rng.normal(size=(10, 8))
    searches = search_examples(noisy, content, index)
    wrong = [search.rank for search in searches if search.rank > 1]
    assert len(wrong) == 3
    assert max(wrong) <= 5
    far = content[(np.arange(10) + 4) % 10]  # and yet, where some are far down, these alone are shown
    searches = search_examples(far, content, index.assign(position="1"))
    assert searches
    assert all(search.rank == 1 or search.rank > 5 for search in searches)


def test_spaced_takes_first_and_last():
    assert spaced(np.arange(100), 4) == [0, 33, 66, 99]
    assert spaced(np.arange(2), 4) == [0, 1]
    assert spaced(np.arange(0), 4) == []


def test_missing_pixels_are_gray_and_a_flat_frame_has_a_scale():
    degrees = np.full((1, 2, 2), 5.0)
    degrees[0, 0, 0] = np.nan
    pictures = Pictures(np.zeros((1, 2, 2, 3), np.uint8), degrees, "°C")
    assert pictures.heat(0)[0, 0].tolist() == [0.5, 0.5, 0.5]
    assert pictures.limits()[0] < pictures.limits()[1]


def test_clusters_of_noise_alone_still_give_a_report(test, source, table):
    clusters = grouped(test, HDBSCAN(min_cluster_size=200, copy=True))
    assert clusters["rgb"].sizes == []
    assert "clusters_ir" in gallery(table, test, clusters, source, None)


@pytest.mark.parametrize(("heads", "lines"), [(4, 2), (12, 4)])
def test_every_head_has_its_map_on_what_the_tower_sees(heads, lines):
    """RGB and thermal side by side where there is room, one under the other where there is not."""
    rng = np.random.default_rng(0)
    pictures = Pictures(rng.integers(0, 256, (2, 8, 8, 3), dtype=np.uint8), rng.random((2, 8, 8)), "°C")
    maps = rng.random((2, heads, 4, 4))
    figure = attention_sheet(pictures, maps, maps, {"rgb": True, "ir": True})
    images = figure.axes[0].get_images()
    assert len(images) == 2 * 2 * (heads + 1)
    assert len({image.get_extent()[2] for image in images}) == lines


@pytest.mark.parametrize("heads", [4, 14])
def test_what_is_no_head_is_not_called_one(heads):
    """Names stand above whatever there is, and the strength of features is lit up to its own strongest."""
    pictures = Pictures(np.zeros((1, 8, 8, 3), np.uint8), np.zeros((1, 8, 8)), "°C")
    even = np.full((1, heads, 2, 2), 0.25)
    strong = np.array([[[[3.0, 6.0], [3.0, 3.0]]]])
    figure = attention_sheet(pictures, strong, even, {"rgb": False, "ir": True})
    names = [text.get_text() for text in figure.axes[0].texts]
    if heads == 4:
        assert names == ["features", "RGB", "head 1", "head 2", "head 3", "head 4", "thermal"]
    else:
        assert names == ["seen", *map(str, range(1, heads + 1))]
    drawn = figure.axes[0].get_images()[1].get_array()
    brightest = attention_sheet(pictures, strong / 6, even, {"rgb": False, "ir": True})
    np.testing.assert_allclose(drawn, brightest.axes[0].get_images()[1].get_array())
    np.testing.assert_allclose(drawn[0, 7], 0.6 * np.array(colormaps["magma"](1.0)[:3]), atol=1e-6)


@pytest.mark.parametrize("unit", UNIT_SIGNS.values())
def test_nothing_on_a_sheet_is_cut_off_or_lies_on_something(unit):
    degrees = 200 * np.random.default_rng(0).random((6, 8, 8))
    pictures = Pictures(np.zeros((6, 8, 8, 3), np.uint8), degrees, unit)
    searches = [Search(0, [1, 2, 3, 4, 5], 40, 44, "a title")]
    for figure in (
        retrieval_sheet(pictures, searches, by="rgb"),
        cluster_sheet(pictures, [("0\n6 pairs", range(4)), ("noise\n1 pairs", range(1))]),
    ):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        sheet, scale = figure.axes
        assert unit in [text.get_text() for text in sheet.texts]
        assert scale.get_tightbbox(canvas.get_renderer()).x1 <= figure.bbox.width
        boxes = [text.get_window_extent(canvas.get_renderer()) for text in sheet.texts]
        for box in boxes:
            assert box.x0 >= -1
            assert box.x1 <= figure.bbox.width + 1
            assert sum(box.overlaps(other) for other in boxes) == 1  # itself


def test_searches_go_both_ways(page):
    text, figures = page
    assert "then some that did not, from below rank 5 if any stood there, else from below the first" in text
    assert {"searches_rgb", "searches_ir"} <= set(figures)


def test_the_confound_is_told_where_positions_are_known(table):
    (line,) = confound(table)
    assert re.search(r"right in \d+ % from RGB \(random weights \d+ %\) and \d+ % from ", line)
    assert confound(table[table["label"] != "position"]) == []


@pytest.mark.parametrize(("known", "title"), [(True, "within one position"), (False, "over the whole split")])
def test_curves_have_retrieval_where_positions_are_known_and_where_they_are_not(known, title):
    history = {"step": [1, 2], "val/retrieval_rgb_to_ir_r1": [0.1, 0.2]}
    if known:
        history |= {"val/retrieval_within_position_rgb_to_ir_r1": [0.1, 0.2]}
    figure = training_curves(pd.DataFrame(history))
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.axison]
    assert titles == [f"R@1 {title}, val"]


def test_curves_show_what_any_method_logs():
    names = ("train/loss", "train/loss_intra_ir", "train/teacher_entropy_ir", "train/momentum", "train/lr")
    figure = training_curves(pd.DataFrame({"step": [1, 2], **{name: [2.0, 1.0] for name in names}}))
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.axison]
    assert len(titles) == 4
    assert titles[-1] == "schedules, as a share of the largest"


def drawn(*names):
    figure = training_curves(pd.DataFrame({"step": [1, 2], **{name: [2.0, 1.0] for name in names}}))
    return {
        axes.get_title(loc="left"): [line.get_label() for line in axes.lines]
        for axes in figure.axes
        if axes.axison
    }


def test_losses_that_are_compared_can_be():
    """A term in training beside the same term in validation; DINO's whole loss has no counterpart there."""
    assert drawn("train/loss", "val/loss") == {"loss": ["train", "val"]}
    crosses = ("train/loss_cross_ir_to_rgb", "val/loss_cross_rgb_to_ir", "val/loss_cross_ir_to_rgb")
    panels = drawn("train/loss", "val/loss", "train/loss_intra_ir", *crosses)
    assert panels == {
        "loss": ["train"],
        "loss between the sensors": ["train, IR teaches", "val, RGB teaches", "val, IR teaches"],
        "unweighted terms": ["within IR"],
    }


def test_where_no_position_is_known_there_is_no_panel_of_it(table):
    titles = [axes.get_title(loc="left") for axes in retrieval_dots(table).axes]
    assert titles == ["within one (node, position)", "over the whole split"]
    whole = table[~table["task"].str.startswith("retrieval_within_position")]
    assert [axes.get_title(loc="left") for axes in retrieval_dots(whole).axes] == ["over the whole split"]
    assert "the gallery is the whole split" in retrieval(whole, []).text[0]
    assert "the gallery is the whole split" not in retrieval(table, []).text[0]

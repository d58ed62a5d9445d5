import dataclasses

import numpy as np
import pandas as pd
import pytest

from sage_lightning.evaluation import scores as scores_module
from sage_lightning.evaluation.headline import headline, print_table
from sage_lightning.evaluation.labels import NOWHERE, labels_of, places, telling
from sage_lightning.evaluation.scores import score_table, thinned
from sage_lightning.evaluation.sections import retrieval as retrieval_section
from sage_lightning.evaluation.table import FEATURES, Row, pick
from sage_lightning.metrics.retrieval import retrieval


def value(table, **keys):
    found = pick(table, **keys)
    assert len(found) == 1, keys
    return found["value"].iloc[0]


def test_one_row_a_number(table):
    assert list(table.columns) == list(Row.__annotations__)
    keys = [column for column in table.columns if column not in ("value", "n", "low", "high")]
    assert not table.duplicated(keys).any()


def test_retrieval_is_that_of_the_rows_within_one_node_and_position(table, test):
    day = (test.index["daylight"] == "day").to_numpy()
    rgb, ir = (test.learned[f"{sensor}_projection"][day] for sensor in ("rgb", "ir"))
    group = test.index.loc[day, "node"] + test.index.loc[day, "position"]
    found = retrieval(ir, rgb, groups=group.to_numpy(str))
    keys = {"task": "retrieval_within_position_ir_to_rgb", "subset": "day"}
    assert value(table, **keys, features="learned", space="projection", metric="r1") == found.recall[1]
    assert value(table, **keys, features="chance", metric="r1") == found.chance[1]
    assert value(table, **keys, features="chance", metric="gallery_size") == found.gallery_size


def test_learned_beats_what_is_free_where_it_should_and_noise_does_not(table):
    for direction in ("rgb_to_ir", "ir_to_rgb"):
        keys = {"task": f"retrieval_within_position_{direction}", "subset": "all", "metric": "r1"}
        chance = value(table, **keys, features="chance")
        assert value(table, **keys, features="learned", space="projection") > 5 * chance
        assert value(table, **keys, features="random initialisation", space="projection") < 3 * chance
    keys = {"task": "probe", "label": "cloud_fraction", "metric": "r2", "sensor": "ir"}
    for subset in ("day", "night"):
        assert value(table, **keys, subset=subset, features="learned", space="backbone") > 0.5
        assert value(table, **keys, subset=subset, features="random initialisation") < 0.1
    keys = {"task": "probe", "label": "air_temperature", "metric": "r2", "sensor": "ir"}
    assert value(table, **keys, features="mean") == pytest.approx(1, abs=1e-3)  # the stand-in's mean is it
    assert value(table, **keys, features="learned", space="backbone") < 0.2


def test_every_read_out_stands_beside_chance_and_random_weights(table):
    read = table[table["task"].isin(["probe", "knn"])]
    for _, group in read.groupby(["task", "label", "subset", "metric"]):
        assert {"chance", "learned", "random initialisation", "mean"} <= set(group["features"])


def test_clouds_are_scored_where_the_sky_is_seen(table, test):
    sees = test.index["view"].isin(["sky", "horizon"]) & (test.index["daylight"] == "night")
    rows = pick(table, task="probe", label="cloud_fraction", subset="night")
    assert set(rows["n"]) == {int(sees.sum())}


def test_labels_are_what_varies_and_is_no_identifier(train):
    labels = {
        label.name: label
        for label in labels_of(train.index.assign(fault="none", note=train.index["pair_id"]))
    }
    assert not {"frame", "fault", "note", "pair_id", "rgb_width"} & set(labels)
    assert labels["cloud_fraction"].kind == labels["air_temperature"].kind == "number"
    assert labels["warm_object"].kind == labels["ground_kind"].kind == labels["daylight"].kind == "class"
    assert [name for name, label in labels.items() if label.confound] == ["position", "node"]


def test_what_pictures_show_is_told_before_numbers_and_never_the_sizes_of_files(train):
    index = train.index.rename(columns={"cloud_cover": "width", "air_temperature": "thermal_height"})
    index["tree_height"] = index["width"] + 1
    names = [label.name for label in telling(labels_of(index))]
    assert names[:4] == ["ground_kind", "warm_object", "cloud_fraction", "tree_height"]
    assert set(names[4:]) == {"daylight", "view", "sun_elevation"}


def test_what_tells_pairs_apart_is_no_label(train):
    rows = len(train.index)
    dealt = {name: np.arange(rows) % 3 for name in ("given_split", "group", "split_label", "group_label")}
    numbers = {name: np.arange(rows) / 7 for name in ("pair_id_label", "store_row_label")}
    named = {
        "daylight_label": np.where(np.arange(rows) % 3, "day", "night")
    }  # what the table itself says of it
    few = (
        train.index.assign(**dealt, **numbers, **named)
        .head(40)
        .assign(file=[f"{n}.png" for n in range(20)] * 2)
    )
    names = {label.name for label in labels_of(few)}
    assert not names & {*dealt, *numbers}
    assert {"daylight_label", "file"} <= names
    names = {label.name for label in labels_of(few.assign(file=[f"{n % 30}.png" for n in range(40)]))}
    assert "file" not in names


def test_whole_numbers_are_of_one_kind_with_gaps_and_without(train):
    rows = np.arange(len(train.index))
    columns = {"few": rows % 3, "many": rows % 30, "counter": rows + 1, "amount": rows % 3 / 7}
    for gaps in (0, 1, 9):
        given = {name: pd.Series(values).where(rows >= gaps) for name, values in columns.items()}
        kinds = {label.name: label.kind for label in labels_of(train.index.assign(**given))}
        found = {name: kinds.get(name) for name in columns}
        assert found == {"few": "class", "many": "number", "counter": None, "amount": "number"}


def test_one_place_is_one_node_and_position_and_unknown_is_none():
    index = pd.DataFrame(
        {"node": ["a", "a", "b", "a", None, "b"], "position": ["1", None, "1", "1", None, "NEH"]}
    )
    found = places(index)
    assert found[0] == found[3]
    assert len({*found[[0, 2, 5]]}) == 3
    assert (found == NOWHERE).tolist() == [False, True, False, False, True, False]


def test_pairs_of_unknown_position_are_left_out_within_one_and_alone_there(train, test):
    """As of files whose names had no position yet: they are of as many backgrounds as there are."""
    unknown = np.arange(len(test.index)) % 3 == 0
    mixed = dataclasses.replace(
        test, index=test.index.assign(position=test.index["position"].mask(unknown, None))
    )
    found = score_table(train, mixed, {}, read_labels=False)
    known = {
        key: {name: rows[~unknown] for name, rows in getattr(test, key).items()}
        for key in ("learned", "random", "pixels")
    }
    kept = dataclasses.replace(test, index=test.index[~unknown].reset_index(drop=True), **known)
    alone = score_table(train, kept, {}, read_labels=False)
    within, whole = ("retrieval_within_position", "retrieval_rgb_to_ir")
    parts = [table[table["task"].str.startswith(within)].reset_index(drop=True) for table in (found, alone)]
    assert len(parts[0])
    pd.testing.assert_frame_equal(*parts)
    assert set(pick(found, task=f"{within}_rgb_to_ir", subset="all")["n"]) == {int((~unknown).sum())}
    assert set(pick(found, task=whole, subset="all")["n"]) == {len(unknown)}
    said = " ".join(table.caption for table in retrieval_section(found, []).tables)
    assert f"left out are {int(unknown.sum())} whose position is not known" in said
    none = dataclasses.replace(test, index=test.index.assign(position=None))
    tasks = set(score_table(train, none, {}, read_labels=False)["task"])
    assert not [task for task in tasks if task.startswith(within)]


def test_without_a_node_table_or_labels_there_is_still_a_table(train, test):
    bare = ["local_hour", "sun_elevation", "daylight", "view", "position"]
    labels = ["cloud_fraction", "cloud_cover", "air_temperature", "ground_kind", "warm_object", "frame"]

    def stripped(split):
        return dataclasses.replace(
            split, index=split.index.assign(**dict.fromkeys(bare)).drop(columns=labels)
        )

    table = score_table(stripped(train), stripped(test), {}, read_labels=True)
    assert set(table["subset"]) == {"all"}
    assert set(pick(table, task="probe")["label"]) == {"node"}
    assert len(headline(table)) == 3


def test_towers_of_different_widths_are_compared_in_projection_only(train, test):
    def narrowed(split):
        learned = split.learned | {"ir_embedding": split.learned["ir_embedding"][:, :9]}
        return dataclasses.replace(split, learned=learned)

    table = score_table(narrowed(train), narrowed(test), {}, read_labels=False)
    learned = table[table["task"].str.startswith("retrieval") & (table["features"] == "learned")]
    assert set(learned["space"]) == {"projection"}
    assert not set(table["task"]) & {"probe", "knn"}


def test_what_a_look_took_away_is_read_out_and_compares_no_sensors(train, test, table):
    """Columns beyond a tower's: of both sensors different ones, and different in number."""

    def widened(split):
        rng = np.random.default_rng(len(split.index))
        cloud = split.index[["cloud_cover"]].to_numpy()
        told = {"rgb_embedding": rng.normal(size=(len(cloud), 5)), "ir_embedding": 9 * cloud}
        learned = {
            key: np.hstack([told[key], x][::-1]) if key in told else x for key, x in split.learned.items()
        }
        return dataclasses.replace(split, learned=learned)

    wide = score_table(widened(train), widened(test), {}, read_labels=True)
    tasks = ("retrieval", "health")
    same = [found[found["task"].str.startswith(tasks)].reset_index(drop=True) for found in (table, wide)]
    assert {"backbone", "projection"} <= set(same[0]["space"])
    pd.testing.assert_frame_equal(*same)
    keys = {
        "label": "cloud_cover",
        "metric": "r2",
        "sensor": "ir",
        "space": "backbone",
        "features": "learned",
    }
    for task in ("probe", "knn"):
        assert value(wide, task=task, **keys) > value(table, task=task, **keys)


def test_a_large_split_is_thinned_evenly(test, monkeypatch):
    monkeypatch.setattr(scores_module, "MOST_ROWS", 48)
    few = thinned(test)
    assert len(few.index) == len(few.learned["rgb_embedding"]) == len(few.pixels["ir_mean"]) == 48
    assert few.index["pair_id"].iloc[-1] == test.index["pair_id"].iloc[-1]
    row = test.index.index[test.index["pair_id"] == few.index["pair_id"].iloc[20]][0]
    np.testing.assert_array_equal(few.random["ir_projection"][20], test.random["ir_projection"][row])


def test_the_headline_is_short_and_says_the_table_s_numbers(table, capsys):
    short = headline(table)
    assert len(short) <= 10
    assert list(short.columns) == ["what", "n", *FEATURES, "95 %"]
    keys = {"task": "retrieval_within_position_rgb_to_ir", "subset": "day", "metric": "r1"}
    line = short.set_index("what").loc["R@1 in position, day, RGB→IR"]
    assert line["learned"] == value(table, **keys, features="learned", space="projection")
    assert line["gradient grid"] == value(table, **keys, features="gradient grid")
    assert any("cloud fraction from IR, night" in what for what in short["what"])
    print_table(short, title="What it learned")
    printed = capsys.readouterr().out
    assert f"{line['learned']:.3f}" in printed
    assert "R² cloud fraction from IR, night" in printed


def test_a_table_shows_brackets_as_they_are(capsys):
    print_table(pd.DataFrame({"what": ["[/x] :smile: [red]y"], "n": ["1"]}), "[b]", "[/c]", numbers=["n"])
    said = capsys.readouterr().out
    assert "[/x] :smile: [red]y" in said
    assert "[b]" in said
    assert "[/c]" in said

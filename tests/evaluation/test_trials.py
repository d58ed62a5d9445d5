import json

import pandas as pd

from sage_lightning.evaluation.trials import trials_table


def test_one_line_a_trial_in_the_order_of_their_numbers(tmp_path):
    for number in (10, 9, 1):
        folder = tmp_path / str(number)
        folder.mkdir()
        summary = {
            "overrides": [f"data.ir_patch={number}", "model.projector=[8,8]"],
            "metrics": {"test/r1": number / 100},
            "seconds": 3.5,
            "status": "done",
        }
        (folder / "summary.json").write_text(json.dumps(summary))
    (tmp_path / "2").mkdir()  # killed before it could say anything
    (tmp_path / "notes").mkdir()
    table = trials_table(tmp_path)
    assert table["trial"].tolist() == [1, 2, 9, 10]
    assert table["status"].tolist() == ["done", "not started", "done", "done"]
    assert table["data.ir_patch"].dropna().tolist() == ["1", "9", "10"]
    assert table["model.projector"].dropna().tolist() == ["[8,8]"] * 3
    assert table["test/r1"].dropna().tolist() == [0.01, 0.09, 0.1]
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "trials.csv")[["trial", "test/r1"]], table[["trial", "test/r1"]]
    )

"""From a query to files that pair, through the real client and a real server."""

import dataclasses

from sage_lightning.data.scan import scan_folder
from sage_lightning.sage.archive.download import download

HOUR = 3600 * 10**9
START = 1682899200 * 10**9


def test_both_files_of_each_frame_come_and_pair(archive, order):
    paths = [path for hour in range(3) for path in archive.add_frame(START + hour * HOUR + 7, str(hour + 1))]
    tally = download(order)
    assert dataclasses.asdict(tally) == {
        "files": 6,
        "bytes": sum(len(archive.files[path]) for path in paths),
        "there": 0,
        "failed": 0,
    }
    for path in paths:
        assert (order.folder / path).read_bytes() == archive.files[path]
    index = scan_folder(order.folder).index
    assert (index["status"] == "ok").all()
    assert len(index) == 3

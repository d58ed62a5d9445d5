"""What is shown of files that come over a line, on a terminal and elsewhere."""

import logging
import re
import sys
import threading

from sage_lightning import progress
from sage_lightning.progress import Transfers


def test_a_terminal_has_a_bar_with_files_bytes_rate_and_time(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with Transfers("Downloading") as transfers:
        transfers.add_bytes(2_000_000)
        transfers.advance(0.5, files=1)
        with transfers.aside():
            print("a line of the log", file=sys.stderr)
        transfers.advance(0.5, files=1)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err)
    assert "Downloading" in shown
    assert "2 files, 2.0 MB, " in shown
    assert "B/s" in shown
    assert "0:00:0" in shown
    assert "\na line of the log\n" in shown  # not into the bar


def test_elsewhere_a_line_says_how_far_it_is(monkeypatch, caplog):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    caplog.set_level(logging.INFO, "sage_lightning")
    with Transfers("Downloading") as transfers:
        transfers.add_bytes(1000)
        transfers.advance(0.25, files=3)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("Downloading: 25 %, 3 files, 1.0 kB, ")
    assert line.endswith(" s left")


def test_threads_lose_nothing():
    with Transfers("Downloading") as transfers:
        work = [
            threading.Thread(target=lambda: [transfers.add_bytes(1) for _ in range(2000)]) for _ in range(8)
        ]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()
    assert transfers.bytes == 16_000

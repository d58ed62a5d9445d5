"""What is asked of the archive is checked before it is asked."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sage_lightning import config
from sage_lightning.errors import UserError

WHOLE = ["download.node=W057", "download.start=2023-05-01", "download.end=2023-05-08"]


def lines(*overrides: str) -> tuple[str, ...]:
    try:
        config.check(list(overrides), "download", False)
    except UserError as error:
        return error.lines
    return ()


def test_what_must_be_given_is_said_with_how() -> None:
    assert lines() == (
        "download.node has no value: give download.node=<VSN or id>, as W057",
        "download.start has no value: give download.start=<date or time>, as 2023-05-01",
        "download.end has no value: give download.end=<date or time>, as 2023-05-08",
    )


@pytest.mark.parametrize(
    "given",
    [
        "download.dry_run=true",
        "download.node=[W057,W08F]",
        "download.node=000048b02d15bc42",
        "download.node=00004812345678e9",  # neither a number nor, as in YAML, one with an exponent
        "download.start=2023-05-01T06:30",
        "download.start=2023-05-01T06:30:00Z",
        "download.end='2023-05-08 06:30:00+02:00'",
        "download.plugin=null",
        "download.task=mobotix-scan",
        "download.timeout=0.5",
        "download.retries=0",
        "download.least_rate=0",
        "download.endpoint=http://127.0.0.1:8080/api/v1/query",
        "download.folder=somewhere/else",
    ],
)
def test_what_is_right_passes(given: str) -> None:
    key = given.partition("=")[0]
    assert lines(*(whole for whole in WHOLE if not whole.startswith(key)), given) == ()


NODES = "a VSN is written as W057, an id as 16 hexadecimal digits in lower case"
DATES = "not a date or time; write {0}=2023-05-01 or {0}=2023-05-01T06:00"


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("download.node=w057", f"download.node=w057: w057 is no node; {NODES}"),
        ("download.node=[W057,57]", "download.node=[W057,57]: not text or a list of texts"),
        ("download.node=[W057,W57]", f"download.node=[W057,W57]: W57 is no node; {NODES}"),
        ("download.node=[]", "download.node=[]: must hold at least one node"),
        ("download.node=.*", f"download.node=.*: .* is no node; {NODES}"),
        (
            "download.node=1234567890123456",
            "download.node=1234567890123456: not text or a list of texts; "
            "quote it: download.node='\"1234567890123456\"'",
        ),
        (
            "download.start=2023",
            "download.start=2023: not text; write all of the date, as download.start=2023-05-01",
        ),
        ("download.start=yesterday", f"download.start=yesterday: {DATES.format('download.start')}"),
        ("download.end=2023-02-30", f"download.end=2023-02-30: {DATES.format('download.end')}"),
        ("download.end=9999-12-31", f"download.end=9999-12-31: {DATES.format('download.end')}"),
        (
            "download.start=2023-05-08",
            "download.start=2023-05-08 must be before download.end=2023-05-08, which is not included",
        ),
        (
            "download.start=2023-05-07T23:00:00-02:00",
            "download.start=2023-05-07T23:00:00-02:00 must be before download.end=2023-05-08, "
            "which is not included",
        ),
        ("download.workers=0", "download.workers=0: must be at least 1"),
        ("download.retries=-1", "download.retries=-1: must be at least 0"),
        ("download.timeout=0", "download.timeout=0: must be above 0"),
        ("download.timeout=soon", "download.timeout=soon: not a number"),
        ("download.least_rate=-1", "download.least_rate=-1: must be at least 0"),
        ("download.backoff=-1", "download.backoff=-1: must be at least 0"),
        ("download.dry_run=perhaps", "download.dry_run=perhaps: not true or false"),
        (
            "download.endpoint=file:///etc/passwd",
            "download.endpoint=file:///etc/passwd: not a web address, as https://… is",
        ),
        (
            "download.storage=storage.example.org",
            "download.storage=storage.example.org: not a web address, as https://… is",
        ),
        ("download.storage=http://x:y/", "download.storage=http://x:y/: not a web address, as https://… is"),
        (
            "download.storage=https://me:secret@x/",
            "download.storage: no user or token in an address; "
            "SAGE_USER and SAGE_TOKEN or ~/.netrc have them",
        ),
        (
            "download.endpoint='https://x/?token=secret'",
            "download.endpoint: no user or token in an address; "
            "SAGE_USER and SAGE_TOKEN or ~/.netrc have them",
        ),
        ("download.nodes=W057", "download.nodes=W057: no such key; did you mean download.node?"),
    ],
)
def test_mistakes_have_their_lines(given: str, line: str) -> None:
    key = f"{given.partition('=')[0]}="
    assert lines(*(whole for whole in WHOLE if not whole.startswith(key)), given) == (line,)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    assert lines(*WHOLE, f"download.folder={path}") == (f"download.folder={path}: not a folder",)


def test_a_moment_is_utc_unless_it_says_otherwise() -> None:
    assert config.moment("2023-05-01") == datetime(2023, 5, 1, tzinfo=UTC)
    assert config.moment("2023-05-01T06:00+02:00") == datetime(2023, 5, 1, 4, tzinfo=UTC)

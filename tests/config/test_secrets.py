"""No secret is told of, whatever else is wrong with the line that it stands in."""

import pytest

from sage_lightning import config
from sage_lightning.config.secrets import without_secrets
from sage_lightning.errors import UserError

WHOLE = ["download.node=W057", "download.start=2023-05-01", "download.end=2023-05-08"]
SECRET = "s3cr3t"


@pytest.mark.parametrize(
    "given",
    [
        f"download.storage=https://h/api?token={SECRET}",
        f"download.endpoint=https://h/api?x&key={SECRET}",
        f"download.storage='https://h/api?token={SECRET}'",
        f"download.storage=https://h/api#{SECRET}{{",
        f"download.storage=https://me:{SECRET}@h/api{{",
        f"download.storage=[https://me:{SECRET}@h/api]",
        f"download.stroage=https://h?token={SECRET}",
        f"download.token={SECRET}",
        f"+download.password={SECRET}",
        f"download.SAGE_TOKEN={SECRET}",
        f"download.node=https://me:{SECRET}@h",
        f"download.start=https://h?{SECRET}",
        f"download.folder=x,https://h?{SECRET}",
    ],
)
def test_no_secret_is_echoed(given: str) -> None:
    with pytest.raises(UserError) as caught:
        config.check(
            [*(one for one in WHOLE if one.split("=")[0] != given.split("=")[0]), given], "download", False
        )
    assert SECRET not in str(caught.value.lines)
    assert "download" in caught.value.lines[0]


@pytest.mark.parametrize(
    "line",
    [
        "download.storage=http://x:y/: not a web address, as https://… is",
        "data.select=view == 'sky' and node == 'W057@x'? really",
        "model.prototypes=1: must be at least 2; https://example.org/a/b is no use",
    ],
)
def test_other_lines_stay_as_they_are(line: str) -> None:
    assert without_secrets(line) == line

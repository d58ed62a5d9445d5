"""Names from the network: a place in the folder, or a refusal, whatever they are."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sage_lightning.sage.archive.destination import destination
from sage_lightning.sage.archive.troubles import Refused

STORAGE = "https://storage.example.org/api/v1/data"
NODE = "000048b02d15bc42"
NAME = "1682899200000000007-6144x2048_position10.jpg"
GOOD = f"sage/sage-mobotix-scan-0.24.8/{NODE}/{NAME}"


def test_an_address_is_the_archive_s_own_layout():
    place = destination(f"{STORAGE}/{GOOD}", STORAGE)
    assert place.path == GOOD
    assert (place.node, place.time_ns) == (NODE, 1682899200000000007)
    assert place.filename == "6144x2048_position10.jpg"


@pytest.mark.parametrize(
    "path",
    [
        f"my%20job-12/sage-mobotix-scan-0.24.8/{NODE}/{NAME}",
        f"Pluginctl/sage-x-1+b2/{NODE}/1682899200000000007-right_336x252_14bit.thermal.celsius.csv",
    ],
)
def test_what_real_jobs_are_called_is_followed(path):
    assert destination(f"{STORAGE}/{path}", STORAGE).path == path.replace("%20", " ")


@pytest.mark.parametrize(
    "path",
    [
        f"../sage-a-1/{NODE}/{NAME}",
        f"%2e%2e/sage-a-1/{NODE}/{NAME}",
        f"%252e%252e/sage-a-1/{NODE}/{NAME}",
        f"sage/../{NODE}/{NAME}",
        f"sage/./{NODE}/{NAME}",
        f"sage//{NODE}/{NAME}",
        f"/etc/{NODE}/{NAME}",
        f"sage/sage-a-1/{NODE}/../{NAME}",
        f"sage/sage-a-1/{NODE}/16828992000000000-..%2f..%2fx.jpg",
        f"sage/sage-a-1/{NODE}/1682899200000000007-..%5c..%5cx.jpg",
        f"sage/sage-a-1/{NODE}/1682899200000000007-x%00.jpg",
        f"sage/sage-a-1/{NODE}/1682899200000000007-x%0a.jpg",
        f"sage/sage-a-1/{NODE}/1682899200000000007-x%1b[2J.jpg",
        f"sage/sage-a-1/{NODE}/1682899200000000007-%e2%80%aegpj.jpg",
        f"sage/sage-a-1/{NODE}/1682899200000000007-%ff.jpg",
        f"sage/sage-a-1/{NODE}/1682899200000000007-x.jpg.",
        f"sage/sage-a-1/{NODE}/1682899200000000007-x:stream.jpg",
        f"sage/sage-a-1/{NODE}/1682899200000000007-{'x' * 300}.jpg",
        f"_download/sage-a-1/{NODE}/{NAME}",
        f".hidden/sage-a-1/{NODE}/{NAME}",
        f"~root/sage-a-1/{NODE}/{NAME}",
        f"-rf/sage-a-1/{NODE}/{NAME}",
        f"NUL/sage-a-1/{NODE}/{NAME}",
        f"com1.x/sage-a-1/{NODE}/{NAME}",
        f"sage/sage-a-1/{NODE.upper()}/{NAME}",
        f"sage/sage-a-1/W057/{NAME}",
        f"sage/sage-a-1/{NODE}/6144x2048.jpg",
        f"sage/sage-a-1/{NODE}/more/{NAME}",
        f"sage/{NODE}/{NAME}",
        f"sage/sage-a-1/{NODE}/{2**63}-6144x2048.jpg",
        f"{GOOD}?x=1",
        f"{GOOD}#x",
        f"{GOOD};x",
        f"{GOOD}\n",
        "",
    ],
)
def test_what_could_lead_elsewhere_is_refused(path):
    with pytest.raises(Refused, match=r"^refused: "):
        destination(f"{STORAGE}/{path}", STORAGE)


@pytest.mark.parametrize(
    "url",
    [
        f"https://evil.example.org/api/v1/data/{GOOD}",
        f"https://storage.example.org@evil.example.org/api/v1/data/{GOOD}",
        f"https://storage.example.org.evil.example.org/api/v1/data/{GOOD}",
        f"https://user:secret@storage.example.org/api/v1/data/{GOOD}",
        f"http://storage.example.org/api/v1/data/{GOOD}",
        f"https://storage.example.org:8443/api/v1/data/{GOOD}",
        f"https://storage.example.org/api/v1/database/{GOOD}",
        f"file:///etc/passwd/{GOOD}",
        f"//storage.example.org/api/v1/data/{GOOD}",
        GOOD,
        None,
        7.0,
        float("nan"),
    ],
)
def test_another_host_s_address_is_refused(url):
    with pytest.raises(Refused, match=r"^refused: "):
        destination(url, STORAGE)


@given(st.text() | st.text(alphabet="./%2efFcC5\\ab:~0\x00", max_size=40))
@example("%2e%2e/%2e%2e/%2e%2e/x")
def test_nothing_leaves_the_folder(name):
    """Whatever stands where the job or the file's name should."""
    for path in (f"{name}/sage-a-1/{NODE}/{NAME}", f"sage/sage-a-1/{NODE}/1682899200000000007-{name}"):
        try:
            place = destination(f"{STORAGE}/{path}", STORAGE)
        except Refused:
            continue
        root = Path("/somewhere/files")
        inside = Path(f"{root}/{place.path}").resolve()
        assert inside.relative_to(root).as_posix() == place.path
        assert len(inside.relative_to(root).parts) == 4
        assert re.fullmatch(r"[A-Za-z0-9._+@=,~ /-]+", place.path)
        assert not place.path.startswith("_")

"""A small archive on 127.0.0.1 that runs during a test, and what is ordered from it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sage_lightning.sage.archive.order import Order

from .contents import QUERY, Archive
from .server import serving


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No credentials and no proxy of the machine that the tests run on."""
    for name in ("SAGE_USER", "SAGE_TOKEN", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture
def archive() -> Iterator[Archive]:
    with serving(Archive()) as made:
        yield made


@pytest.fixture
def order(archive: Archive, tmp_path: Path) -> Order:
    """Of the archive's first day."""
    day = datetime(2023, 5, 1, tzinfo=UTC)
    return Order(
        nodes=["W057"],
        start=day,
        end=day.replace(day=2),
        folder=tmp_path / "files",
        plugin=".*mobotix.*",
        task=None,
        endpoint=f"{archive.address}{QUERY}",
        storage=archive.storage,
        workers=4,
        timeout=10.0,
        least_rate=1.0,
        retries=3,
        backoff=0.01,
    )


def brought(folder: Path) -> dict[str, bytes]:
    """The files of a folder by their paths, what it keeps of itself left out."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return {name: content for name, content in names.items() if not name.startswith("_download/")}

"""A small collection that a table describes, in a folder of its own."""

from pathlib import Path

import pytest

from .collection import collection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    collection(tmp_path / "data")
    return tmp_path

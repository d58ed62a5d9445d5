"""That no test is left out without a word."""

from pathlib import Path

import pytest


def test_every_file_of_tests_is_collected(request: pytest.FixtureRequest) -> None:
    """Unless it is told otherwise, pytest leaves out folders by name, `build` among them."""
    root = Path(__file__).parent
    avoided = request.config.getini("norecursedirs")
    files = list(root.rglob("test_*.py"))
    left_out = [
        path
        for path in files
        for part in path.relative_to(root).parts[:-1]
        for name in avoided
        if Path(part).match(name)
    ]
    assert {path.parent.name for path in files} >= {"build", "models"}
    assert left_out == []

"""docs/exactness.md is a contract: each of its rows names tests, and they exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/exactness.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def functions(path: str) -> list[str]:
    tree = ast.parse((ROOT / path).read_text())
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def test_every_test_that_is_named_exists() -> None:
    assert len(set(NAMED)) > 30
    missing = [f"{path}::{name}" for path, name in NAMED if name not in functions(path)]
    assert missing == []
    assert all(name.startswith("test_") for _, name in NAMED)  # what pytest collects


def test_every_row_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and "---" not in line]
    claims = [row for row in rows if not row.rstrip("| ").endswith("held by")]
    assert len(claims) == len(rows) - 2 > 20
    assert [row for row in claims if "::test_" not in row.rsplit("|", 2)[1]] == []


def test_nothing_that_looks_like_a_test_is_overlooked() -> None:
    """A name with a typing error in its path would not be checked above."""
    assert len(re.findall(r"::test_\w+", PAGE)) == len(NAMED) + 1  # the command at the top

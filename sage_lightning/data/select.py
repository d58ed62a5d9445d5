"""Which pairs a run uses: an expression over the index, as `pandas.DataFrame.query` takes it.

It comes from command lines and from checkpoints of strangers, so it may compare columns and nothing else: no
calls but a few of columns' own, no attributes, no local variables. What pandas would take for "none of them"
without a word, such as a text compared with numbers, is refused.
"""

import ast
import operator
import re
from collections.abc import Callable, Collection
from itertools import pairwise
from typing import Any

import pandas as pd

from sage_lightning.data.index import own_names
from sage_lightning.errors import UserError

_ALLOWED = (
    *(ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Invert),
    *(ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn),
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod),
    *(ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple),
)
_SWEEP = """-m "data.select='view == \\"sky\\"','view == \\"ground\\"'\""""
_METHODS = ("isna", "notna")  # of a column, without arguments
# Texts, which stay as they are; a column in backticks; and `&` and `|`, by which pandas means `and` and `or`.
_PARTS = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`([^`]+)`|[&|]""")
_WORDS = {"&": " and ", "|": " or "}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, those: one.isin(those),
    ast.NotIn: lambda one, those: ~one.isin(those),
}


def columns_of(expression: str) -> set[str]:
    """The columns that an expression names.

    Raises:
        UserError: it cannot be read, or asks for more than comparing columns.
    """
    tree, stand_ins = _parsed(expression)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return {stand_ins.get(name, name) for name in names}


def _parsed(expression: str) -> tuple[ast.Expression, dict[str, str]]:
    """Its tree, in which names stand in for columns in backticks, and these columns by their stand-ins."""
    stand_ins: dict[str, str] = {}

    def plain(part: re.Match[str]) -> str:
        if part[1] is None:
            return _WORDS.get(part[0], part[0])
        return stand_ins.setdefault(part[1], f"_column_{len(stand_ins)}")

    try:
        tree = ast.parse(_PARTS.sub(plain, expression).strip(), mode="eval")
    except (SyntaxError, ValueError) as error:  # a NUL is of the latter
        problem = error.msg if isinstance(error, SyntaxError) else error
        raise UserError(
            f"data.select={expression}: cannot be read ({problem}); write it as in "
            "data.select=\"view == 'sky' and daylight == 'night'\""
        ) from error
    if isinstance(tree.body, ast.Tuple):
        said = f"{len(tree.body.elts)} expressions, not one; a sweep is written {_SWEEP}"
        raise UserError(f"data.select={expression}: {said}")
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    legal = {id(part) for call in calls if _is_plain(call) for part in (call, call.func)}
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED) and id(node) not in legal:
            what = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
            raise UserError(
                f"data.select={expression}: {what} is not allowed; compare columns with numbers, texts and "
                "lists, join with and, or, not; column.isna() and column.notna() are known"
            )
    return tree, {stand_in: column for column, stand_in in stand_ins.items()}


def _is_plain(call: ast.Call) -> bool:
    """`column.isna()`."""
    function = call.func
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.attr in _METHODS
        and not call.args
        and not call.keywords
    )


def check_names(expression: str, columns: Collection[str]) -> None:
    """Refuses names that are none of an index's columns.

    Raises:
        UserError: with those that are.
    """
    if unknown := sorted(columns_of(expression) - set(columns)):
        legal = ", ".join(sorted(columns))
        line = f"data.select={expression}: no column {', '.join(unknown)}; the index has {legal}"
        raise UserError(line + own_names(unknown, columns))


def check_columns(expression: str, index: pd.DataFrame) -> None:
    """Refuses names that the index has not, and comparisons with what a column does not hold.

    Raises:
        UserError: with the columns that it has, or what the column holds.
    """
    _question(expression, index)


def _question(expression: str, index: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """The expression as pandas reads it, and the index with the columns that it names."""
    check_names(expression, index.columns)
    tree, stand_ins = _parsed(expression)
    index = index.assign(**{stand_in: index[column] for stand_in, column in stand_ins.items()})
    comparisons = _Comparisons(index, stand_ins)
    try:
        text = ast.unparse(comparisons.visit(tree))
    except ValueError as error:
        raise UserError(f"data.select={expression}: {error}") from error
    except (TypeError, AttributeError) as error:  # `in` one moment, or a moment in a column
        raise UserError(f"data.select={expression}: cannot be asked of the index ({error})") from error
    return text, comparisons.index


class _Comparisons(ast.NodeTransformer):
    """Refuses what a column cannot be compared with, and answers itself what is asked of times.

    pandas finds no time equal to a text, and refuses to say whether a day is before one.
    """

    def __init__(self, index: pd.DataFrame, stand_ins: dict[str, str]) -> None:
        self.index = index
        self.stand_ins = stand_ins
        self.answers = 0

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """A comparison of times with texts becomes the name of its answer."""
        self.generic_visit(node)
        sides = [node.left, *node.comparators]
        for one, other in pairwise(sides):
            for side, value in ((one, other), (other, one)):
                if isinstance(side, ast.Name) and (literal := _literal(value)) is not None:
                    self._check(side.id, literal)
        times = [isinstance(side, ast.Name) and _is_time(self.index[side.id]) for side in sides]
        if not any(times) or any(_literal(side) is None for side in sides if not isinstance(side, ast.Name)):
            return node
        values = [
            self.index[side.id] if isinstance(side, ast.Name) else _moments(_literal(side)) for side in sides
        ]
        answer = pd.Series(True, self.index.index)
        for (one, other), kind in zip(pairwise(values), node.ops, strict=True):
            equal = isinstance(kind, ast.Eq) and isinstance(other, list)  # which pandas takes for `in`
            answer &= _COMPARE[ast.In if equal else type(kind)](one, other)
        self.answers += 1
        name = f"_answer_{self.answers}"
        self.index = self.index.assign(**{name: answer})
        return ast.Name(name, ast.Load())

    def _check(self, name: str, literal: Any) -> None:
        column, shown = self.index[name], self.stand_ins.get(name, name)
        for value in literal if isinstance(literal, list | tuple) else [literal]:
            if isinstance(value, str):
                if pd.api.types.is_numeric_dtype(column):
                    raise ValueError(f"{shown} holds numbers, and {value!r} is a text; leave out the quotes")
            elif pd.api.types.is_string_dtype(column.dtype) and column.dtype != object:
                raise ValueError(f"{shown} holds texts, and {value} is none; write it as '{value}'")
            elif _is_time(column):
                raise ValueError(f"{shown} holds times, and {value} is none; write one as '2023-05-01'")


def _is_time(column: pd.Series) -> bool:
    return isinstance(column.dtype, pd.DatetimeTZDtype)


def _literal(node: ast.expr) -> Any:
    """The value of a number, a text or a list of these; None where a column is in it."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _moments(value: Any) -> Any:
    """Texts as moments of UTC."""
    if isinstance(value, list | tuple):
        return [_moments(part) for part in value]
    try:
        moment = pd.Timestamp(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is no time; write one as '2023-05-01' or '2023-05-01 12:00'") from error
    return moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")


def selected(expression: str, index: pd.DataFrame) -> pd.DataFrame:
    """The rows of an index that an expression chooses; what is in quarantine stays, as a record.

    Raises:
        UserError: an unknown column, or an expression that is not yes or no for each pair.
    """
    question, asked = _question(expression, index)
    try:
        chosen = asked.eval(question, engine="python")
    except (TypeError, ValueError, AttributeError) as error:
        raise UserError(f"data.select={expression}: cannot be asked of the index ({error})") from error
    if not isinstance(chosen, pd.Series) or not pd.api.types.is_bool_dtype(chosen):
        raise UserError(f"data.select={expression}: must say yes or no for each pair, as a comparison does")
    keep = chosen.fillna(value=False).astype(bool)
    return index[keep | (index["status"] != "ok")].reset_index(drop=True)

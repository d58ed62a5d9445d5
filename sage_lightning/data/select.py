"""Which pairs a run uses: an expression over the index, as `pandas.DataFrame.query` takes it.

It comes from command lines and from checkpoints of strangers, so it may compare columns and nothing else: no
calls but a few of columns' own, no attributes, no local variables.
"""

import ast

import pandas as pd

from sage_lightning.errors import UserError

_ALLOWED = (
    *(ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Invert),
    *(ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn),
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod, ast.BitAnd, ast.BitOr),
    *(ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple),
)
_METHODS = ("isna", "notna")  # of a column, without arguments


def columns_of(expression: str) -> set[str]:
    """The columns that an expression names.

    Raises:
        UserError: it cannot be read, or asks for more than comparing columns.
    """
    try:
        tree = ast.parse(expression, mode="eval")
    except SyntaxError as error:
        raise UserError(
            f"data.select={expression}: cannot be read ({error.msg}); write it as in "
            "data.select=\"view == 'sky' and daylight == 'night'\""
        ) from error
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    legal = {id(part) for call in calls if _is_plain(call) for part in (call, call.func)}
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED) and id(node) not in legal:
            what = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
            raise UserError(
                f"data.select={expression}: {what} is not allowed; compare columns with numbers, texts and "
                "lists, join with and, or, not; column.isna() and column.notna() are known"
            )
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


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


def check_columns(expression: str, index: pd.DataFrame) -> None:
    """Refuses names that the index has not.

    Raises:
        UserError: with the columns that it has.
    """
    unknown = sorted(columns_of(expression) - set(index.columns))
    if unknown:
        legal = ", ".join(sorted(index.columns))
        raise UserError(f"data.select={expression}: no column {', '.join(unknown)}; the index has {legal}")


def selected(expression: str, index: pd.DataFrame) -> pd.DataFrame:
    """The rows of an index that an expression chooses; what is in quarantine stays, as a record.

    Raises:
        UserError: an unknown column, or an expression that is not yes or no for each pair.
    """
    check_columns(expression, index)
    try:
        chosen = index.eval(expression, engine="python")
    except (TypeError, ValueError, AttributeError) as error:
        raise UserError(f"data.select={expression}: cannot be asked of the index ({error})") from error
    if not isinstance(chosen, pd.Series) or not pd.api.types.is_bool_dtype(chosen):
        raise UserError(f"data.select={expression}: must say yes or no for each pair, as a comparison does")
    keep = chosen.fillna(value=False).astype(bool)
    return index[keep | (index["status"] != "ok")].reset_index(drop=True)

"""The design matrix of a meta-regression, from a formula or from plain columns, and how to build it for new values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.vocabulary.problems import InputError


@dataclass(frozen=True, eq=False)
class Design:
    """``matrix`` (k, p), one ``name`` a column, ``terms`` (term -> its columns), and ``rebuild(new data) -> matrix``.

    ``formula`` is the text it came from ("" for plain columns). ``intercept`` is True when the first column is 1.
    """

    matrix: Floats
    names: tuple[str, ...]
    terms: Mapping[str, tuple[int, ...]]
    intercept: bool
    formula: str
    rebuild: Callable[[Any], Floats]


INTERCEPT = "intercept"


def from_columns(columns: Any, names: Sequence[str] | None, intercept: bool, k: int) -> Design:
    """Moderators as they are: a (k,) or (k, m) array, or a mapping of name to (k,) numbers; None for none."""
    if columns is None:
        columns = {}
    if isinstance(columns, Mapping):
        names = tuple(str(n) for n in columns)
        values = [_numbers(str(n), v) for n, v in columns.items()]
        body = np.column_stack(values) if values else np.empty((k, 0))
    else:
        body = _numbers("moderators", columns)
        if body.ndim == 0:
            raise InputError(f"moderators must be a formula, columns or a mapping of name to numbers; got {columns!r}")
        if body.ndim == 1:
            body = body[:, None]
        names = tuple(names) if names is not None else tuple(f"x{i + 1}" for i in range(body.shape[1]))
    if body.shape[0] != k:
        raise InputError(f"moderators have {body.shape[0]} rows; there are {k} studies")
    if len(names) != body.shape[1]:
        raise InputError(f"names has {len(names)} entries for {body.shape[1]} moderators")

    def rebuild(new: Any) -> Floats:
        rows = np.column_stack([_numbers(n, new[n]) for n in names]) if isinstance(new, Mapping) else new
        rows = np.atleast_2d(_numbers("new values", rows))
        if rows.shape[1] != len(names):
            raise InputError(f"new values need {len(names)} columns {list(names)}; got {rows.shape[1]}")
        return np.column_stack([np.ones(len(rows)), rows]) if intercept else rows

    matrix = np.column_stack([np.ones(k), body]) if intercept else body
    shift = 1 if intercept else 0
    terms = {n: (i + shift,) for i, n in enumerate(names)}
    return check(Design(matrix, (INTERCEPT, *names) if intercept else names, terms, intercept, "", rebuild))


def _numbers(name: str, values: Any) -> Floats:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(
            f"{name} must hold numbers; got {values!r}: a factor needs a formula, with data= for its column"
        ) from None


def from_formula(formula: str, data: Any, k: int) -> Design:
    """``"~ latitude + factor(alloc)"`` in Wilkinson's notation (formulaic); ``factor()`` and ``C()`` make factors."""
    if data is None:
        raise InputError(f"formula {formula!r} needs data= with the columns it names")
    try:
        formulaic, pd = import_module("formulaic"), import_module("pandas")
    except ImportError:
        raise InputError(
            "a formula needs the formulaic package (pip install 'balm[formulas]'); or pass moderators as arrays"
        ) from None
    frame = _used_levels(_frame(data, pd), pd)
    if len(frame) != k:
        raise InputError(f"data has {len(frame)} rows; there are {k} studies")
    text = formula.strip()
    text = text if text.startswith("~") else f"~ {text}"
    text = text.replace("factor(", "C(")
    try:
        _refuse_missing(formulaic.Formula(text).required_variables, frame)
        built = formulaic.model_matrix(text, frame, na_action="raise", output="pandas")
        matrix = np.asarray(built, dtype=np.float64)
    except InputError:
        raise
    except Exception as problem:
        raise InputError(
            f"formula {formula!r}: {str(problem).splitlines()[0]}; columns are {list(frame.columns)}"
        ) from None
    spec = built.model_spec
    names = tuple(INTERCEPT if n == "Intercept" else str(n) for n in built.columns)
    terms = {
        str(term): tuple(range(*piece.indices(len(names))))
        for term, piece in spec.term_slices.items()
        if str(term) != "1"
    }

    def rebuild(new: Any) -> Floats:
        rows = _frame(new, pd)
        try:
            return np.asarray(spec.get_model_matrix(rows), dtype=np.float64)
        except Exception as problem:
            raise InputError(f"new values do not fit formula {formula!r}: {str(problem).splitlines()[0]}") from None

    return check(Design(matrix, names, terms, INTERCEPT in names, text, rebuild))


def _used_levels(frame: Any, pd: Any) -> Any:
    """Levels of a factor that no row has left (of rows taken out earlier) are no moderators."""
    unused = {
        name: column.cat.remove_unused_categories()
        for name, column in frame.items()
        if isinstance(column.dtype, pd.CategoricalDtype)
    }
    return frame.assign(**unused) if unused else frame


def _refuse_missing(names: Any, frame: Any) -> None:
    for name in sorted(str(n) for n in names):
        if name not in frame.columns:
            continue
        lacking = np.flatnonzero(frame[name].isna().to_numpy())
        if len(lacking):
            raise InputError(
                f"row {int(lacking[0]) + 1}, column {name}: the moderator is missing; complete it, or leave the study "
                "out of the effects and of data"
            )


def _frame(data: Any, pd: Any) -> Any:
    if isinstance(data, Mapping):
        return pd.DataFrame({str(n): np.asarray(v) if np.ndim(v) else [v] for n, v in data.items()})
    if hasattr(data, "to_pandas"):
        return data.to_pandas()
    return data


def check(design: Design) -> Design:
    """Refuse what cannot be estimated: missing values, too few studies, columns that repeat each other."""
    k, p = design.matrix.shape
    bad = ~np.isfinite(design.matrix)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        raise InputError(f"moderator {design.names[column]} is missing or not finite in study {row + 1}")
    if p == 0:
        raise InputError("the model has no coefficients: keep the intercept or name a moderator")
    if k <= p:
        raise InputError(f"{k} studies cannot estimate {p} coefficients and what is left over; drop moderators")
    scale = np.linalg.norm(design.matrix, axis=0)
    if (scale == 0.0).any():
        raise InputError(f"moderator {design.names[int(np.argmin(scale))]} is 0 in every study")
    triangle = np.linalg.qr(design.matrix / scale, mode="r")  # has the singular values of the whole
    rank = int(np.linalg.matrix_rank(triangle, tol=1e-11 * np.sqrt(k)))
    if rank < p:
        raise InputError(
            f"the moderators repeat each other: {p} columns {list(design.names)} hold only {rank} independent ones"
        )
    return design

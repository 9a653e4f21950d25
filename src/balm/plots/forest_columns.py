"""The columns of a forest plot left of its plot, cell by cell as text, and what else stands in a study's row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from balm.plots.forest_options import ForestOptions
from balm.plots.risk_of_bias_signs import SIGNS
from balm.vocabulary.numbers import MINUS, fixed_all
from balm.vocabulary.problems import InputError

#: The data as given, by family of measures: for each arm, (raw column, heading). First match wins.
DATA_COLUMNS: tuple[tuple[tuple[tuple[str, str], ...], ...], ...] = (
    ((("events_1", "Events"), ("n_1", "Total")), (("events_2", "Events"), ("n_2", "Total"))),
    ((("mean_1", "Mean"), ("sd_1", "SD"), ("n_1", "Total")), (("mean_2", "Mean"), ("sd_2", "SD"), ("n_2", "Total"))),
    ((("events_1", "Events"), ("time_1", "Time")), (("events_2", "Events"), ("time_2", "Time"))),
    ((("o_minus_e", "O−E"), ("v", "V")),),
    ((("events", "Events"), ("n", "Total")),),
    ((("events", "Events"), ("time", "Time")),),
    ((("mean", "Mean"), ("sd", "SD"), ("n", "Total")),),
    ((("r", "Correlation"), ("n", "Total")),),
)
#: Columns with a sum in the row of the pooled result, and in the row of total events.
ADDED_UP = frozenset(("n", "n_1", "n_2", "time", "time_1", "time_2"))
COUNTED = frozenset(("events", "events_1", "events_2"))


def data_columns(raw: Any) -> tuple[tuple[tuple[str, str], ...], ...]:
    """The row of :data:`DATA_COLUMNS` that ``raw`` has every column of; empty for generic effects."""
    if raw:
        for family in DATA_COLUMNS:
            if all(key in raw for arm in family for key, _ in arm):
                return family
    return ()


def floats(values: Any) -> list[float]:
    """Numbers of any kind, in an array or not, as plain floats."""
    return list(map(float, values.tolist() if hasattr(values, "tolist") else values))


def number_texts(numbers: list[float]) -> list[str]:
    """Numbers as given, all with the same decimals (at most two more than none need), so that they line up."""
    if all(map(float.is_integer, numbers)) and numbers and min(numbers) > -1 and max(numbers) < 1e15:
        return list(map(str, map(int, numbers)))
    texts = fixed_all(numbers, 2, minus=MINUS, missing="")
    digits = 0 if all(t[-3:] in (".00", "") for t in texts) else 1 if all(t[-1:] in ("0", "") for t in texts) else 2
    return texts if digits == 2 else fixed_all(numbers, digits, minus=MINUS, missing="")


def extra_texts(heading: str, values: Any, labels: list[str]) -> list[str]:
    """A column of the caller's own: values in the order of the studies, or by study."""
    if hasattr(values, "get") and hasattr(values, "keys"):
        return [_plain(values.get(label, "")) for label in labels]
    texts = [_plain(v) for v in (values.tolist() if hasattr(values, "tolist") else values)]
    if len(texts) != len(labels):
        raise InputError(f"extra column {heading!r} needs {len(labels)} values, one a study; got {len(texts)}")
    return texts


def _plain(value: Any) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        return f"{value:.10g}".replace("-", MINUS)
    return str(value)


def links(options: ForestOptions, labels: list[str]) -> list[str | None]:
    """Where each study's name leads."""
    given = options.study_link
    if given is None:
        return [None] * len(labels)
    find: Callable[[str], str | None] = given if callable(given) else given.get
    return [find(label) for label in labels]


def judgements(options: ForestOptions, labels: list[str]) -> list[tuple[str, ...]]:
    """Each study's risk of bias, one judgement a domain, all equally long."""
    given = options.risk_of_bias
    if given is None:
        return [()] * len(labels)
    rows = []
    for label in labels:
        found = given.get(label, ())
        row = tuple(
            [str(j or "").lower().replace("_", " ") for j in (found.values() if hasattr(found, "values") else found)]
        )
        for judgement in row:
            if judgement and judgement not in SIGNS:
                raise InputError(f"risk_of_bias of {label!r} must be one of {list(SIGNS)}; got {judgement!r}")
        rows.append(row)
    most = max(map(len, rows), default=0)
    return [row + ("",) * (most - len(row)) for row in rows]

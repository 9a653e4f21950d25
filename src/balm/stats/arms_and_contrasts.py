"""Tables with a row an arm and tables with a row a comparison, and the way from one to the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from balm.stats.columns import column_names
from balm.stats.frame import frame
from balm.vocabulary.problems import InputError, Problem, check_option, unknown_option

#: What is of an arm even where all arms of every study happen to have the same.
ALWAYS_OF_AN_ARM = frozenset({"events", "n", "time", "mean", "sd"})

PAIRS = ("reference", "all")


def contrasts_from_arms(
    data: Any,
    *,
    study: str = "study",
    treatment: str = "treatment",
    reference: str | Sequence[str] | None = None,
    pairs: str = "reference",
    arm_columns: Sequence[str] | None = None,
) -> Any:
    """One row a comparison from a table with one row an arm; studies may have any number of arms.

    data        : pandas, polars or a dict of columns.
    study       : the column that says which rows belong together.  treatment : that which tells the arms apart.
    reference   : the treatment that is group 2, or several, the first that a study has; the others, and without
                  ``reference`` all, follow by how many studies have them.
    pairs       : "reference", each other arm against the study's reference arm; "all", every pair of arms.
    arm_columns : what is known of each arm ("events", "n", "mean" ...); by default every column in which the arms of
                  some study differ, and events, n, time, mean and sd in any case. The others stay as they are.

    A DataFrame (a dict of columns without pandas) with ``study``, ``treatment_1``, ``treatment_2``, each arm column
    with ``_1`` and ``_2``, the other columns, and ``design``, the treatments of the study. Its columns are what
    :func:`balm.effect_sizes` takes; comparisons of one study share an arm, so their effects are correlated:
    ``balm.sampling_covariance(..., group_1="treatment_1", group_2="treatment_2")``, or pool whole networks of arms with
    :func:`balm.network`.

    >>> arms = {"study": ["a", "a", "a", "b", "b"], "treatment": ["drug", "dose", "placebo", "placebo", "drug"],
    ...         "events": [4, 6, 9, 3, 1], "n": [50, 52, 51, 30, 31]}
    >>> rows = contrasts_from_arms(arms, reference="placebo")
    >>> [list(map(str, rows[name])) for name in ("study", "treatment_1", "events_1", "events_2")]
    [['a', 'a', 'b'], ['drug', 'dose', 'drug'], ['4', '6', '1'], ['9', '9', '3']]
    """
    check_option("pairs", pairs, PAIRS)
    table = _columns(data)
    for said, name in (("study", study), ("treatment", treatment)):
        _there(said, name, table)
    studies = _labels(table, study)
    treatments = _labels(table, treatment)
    rows = _rows_of_studies(studies, treatments)
    own = _arm_columns(table, rows, (study, treatment), arm_columns)
    rank = _ranks(treatments, reference)
    chosen: list[tuple[int, int]] = []
    design: list[str] = []
    for arms in rows.values():
        ordered = sorted(arms, key=lambda i: rank[treatments[i]])
        if pairs == "reference":
            found = [(i, ordered[0]) for i in arms if i != ordered[0]]
        else:
            found = [(b, a) for a, b in combinations(ordered, 2)]
        chosen += found
        design += ["-".join(treatments[i] for i in reversed(ordered))] * len(found)
    out: dict[str, list[Any]] = {study: [table[study][i] for i, _ in chosen]}
    for name in (treatment, *own):
        out |= {f"{name}_{side + 1}": [table[name][pair[side]] for pair in chosen] for side in (0, 1)}
    rest = [name for name in table if name not in (study, treatment, *own)]
    out |= {name: [table[name][i] for i, _ in chosen] for name in rest}
    return frame(out | ({} if "design" in out else {"design": design}))


def arms_from_contrasts(data: Any, *, study: str = "study", treatment: str = "treatment") -> Any:
    """One row an arm from a table with one row a comparison, its columns named ``events_1``, ``events_2`` and so on.

    Each pair of columns ``x_1, x_2`` becomes one column ``x``; the others are repeated. Where ``treatment_1`` and
    ``treatment_2`` say what was compared, an arm that stands in several comparisons of a study comes once, and must be
    the same in all of them; without them each row gives two arms. ``arm`` numbers the arms of a study (1 is group 1 of
    its first comparison). ``study``: the column that says which rows belong together; without it each row is a study.

    >>> rows = {"study": ["a", "a"], "treatment_1": ["drug", "dose"], "treatment_2": ["placebo", "placebo"],
    ...         "events_1": [4, 6], "events_2": [9, 9]}
    >>> arms = arms_from_contrasts(rows)
    >>> [list(map(str, arms[name])) for name in ("study", "arm", "treatment", "events")]
    [['a', 'a', 'a'], ['1', '2', '3'], ['drug', 'placebo', 'dose'], ['4', '9', '6']]
    """
    table = _columns(data)
    k = len(next(iter(table.values())))
    stems = [name[:-2] for name in table if name.endswith("_1") and name[:-2] + "_2" in table]
    if not stems:
        raise InputError(f"no pair of columns ends in _1 and _2 among {list(table)}: there are no two arms in a row")
    if study not in table:
        if study != "study":
            raise unknown_option("study: the column", study, list(table))
        table = {"study": list(range(1, k + 1)), **table}
    for name in (*stems, "arm"):
        if name in table:
            raise InputError(f"the table has a column {name!r} already, which the arms need: rename it")
    studies = _labels(table, study)
    named = treatment in stems
    sides = [_labels(table, f"{treatment}_{side}") for side in (1, 2)] if named else []
    rest = [n for n in table if n != study and n[:-2] not in stems]
    seen: dict[tuple[str, str], list[Any]] = {}
    count: Counter[str] = Counter()
    out: list[list[Any]] = []
    for i in range(k):
        for side in (0, 1):
            values = [table[f"{stem}_{side + 1}"][i] for stem in stems]
            if named:
                arm = (studies[i], sides[side][i])
                if arm in seen:
                    _refuse_other(arm, stems, seen[arm], values, i)
                    continue
                seen[arm] = values
            count[studies[i]] += 1
            out.append([table[study][i], count[studies[i]], *values, *(table[n][i] for n in rest)])
    names = (study, "arm", *stems, *rest)
    return frame({name: [row[at] for row in out] for at, name in enumerate(names)})


def _columns(data: Any) -> dict[str, list[Any]]:
    """The table as lists, every column as long as the others."""
    if not (hasattr(data, "columns") or hasattr(data, "keys")):
        raise InputError(f"data must be a pandas or polars table, or a dict of columns; got {type(data).__name__}")
    table: dict[str, list[Any]] = {}
    for name in column_names(data):
        given = data[name]
        table[name] = given.tolist() if hasattr(given, "tolist") else list(given)
    lengths = {len(values) for values in table.values()}
    if len(lengths) > 1:
        counted = ", ".join(f"{name} has {len(values)}" for name, values in table.items())
        raise InputError(f"columns differ in length: {counted}")
    if not table or lengths == {0}:
        raise InputError("data has no rows")
    return table


def _there(said: str, name: str, table: dict[str, list[Any]]) -> None:
    if name not in table:
        raise unknown_option(f"{said}: the column", name, list(table))


def _missing(value: Any) -> bool:
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def _labels(table: dict[str, list[Any]], name: str) -> list[str]:
    absent = [i for i, value in enumerate(table[name]) if _missing(value)]
    if absent:
        raise InputError(Problem(f"row {absent[0] + 1}: {name} is missing", row=absent[0] + 1, column=name))
    return [str(int(v)) if isinstance(v, float) and v.is_integer() else str(v) for v in table[name]]


def _rows_of_studies(studies: list[str], treatments: list[str]) -> dict[str, list[int]]:
    """The rows of each study; two arms or more, each with a treatment of its own."""
    rows: dict[str, list[int]] = {}
    for i, name in enumerate(studies):
        rows.setdefault(name, []).append(i)
    problems = []
    for name, arms in rows.items():
        if len(arms) < 2:
            problems.append(
                Problem(f"{name}: one arm only ({treatments[arms[0]]}), nothing to compare", row=arms[0] + 1)
            )
        twice = [t for t, n in Counter(treatments[i] for i in arms).items() if n > 1]
        if twice:
            problems.append(
                Problem(
                    f"{name}: {twice[0]!r} is the treatment of several arms; combine them first "
                    "(balm.convert.combine_events, combine_means) or name them apart",
                    row=arms[0] + 1,
                )
            )
    if problems:
        raise InputError(problems)
    return rows


def _arm_columns(
    table: dict[str, list[Any]], rows: dict[str, list[int]], ids: tuple[str, str], given: Sequence[str] | None
) -> list[str]:
    others = [name for name in table if name not in ids]
    if given is not None:
        names = [given] if isinstance(given, str) else list(given)
        for name in names:
            if name not in others:
                raise unknown_option("arm_columns", name, others)
        return names
    return [name for name in others if name in ALWAYS_OF_AN_ARM or _differs(table[name], rows)]


def _differs(values: list[Any], rows: dict[str, list[int]]) -> bool:
    return any(not _same(values[arms[0]], values[i]) for arms in rows.values() for i in arms[1:])


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) or (_missing(a) and _missing(b))


def _ranks(treatments: list[str], reference: str | Sequence[str] | None) -> dict[str, int]:
    """The place of each treatment: the nearer to 0, the rather it is group 2."""
    common = [name for name, _ in Counter(treatments).most_common()]
    first = [reference] if isinstance(reference, str) else list(reference or ())
    for name in first:
        check_option("reference", name, common)
    return {name: place for place, name in enumerate(dict.fromkeys([*first, *common]))}


def _refuse_other(arm: tuple[str, str], stems: list[str], before: list[Any], now: list[Any], i: int) -> None:
    for stem, a, b in zip(stems, before, now, strict=True):
        if not _same(a, b):
            raise InputError(
                Problem(
                    f"{arm[0]}: the arm {arm[1]!r} has {stem} {a} in one comparison and {b} in another; "
                    "it is one arm only where it is the same",
                    row=i + 1,
                    column=stem,
                )
            )

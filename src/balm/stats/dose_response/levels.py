"""The doses of each study, read and checked once: the reference first, the others in the order given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from balm.stats import columns as tables
from balm.stats.dose_response.covariance import DESIGNS, covariance
from balm.stats.effect_sizes import Floats
from balm.stats.pooling.size import check_sizes
from balm.vocabulary.problems import InputError, Problem, unknown_option
from balm.vocabulary.quick_dataclass import dataclass

#: How far a log ratio of the reference may be from 0: printed ratios of 1.00 have no more.
REFERENCE_TOLERANCE = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class StudyDoses:
    """One study: doses (m,) with the reference first, log ratios (m - 1,) against it, and their covariance."""

    study: str
    dose: Floats
    log_ratio: Floats
    variance: Floats


def read_levels(
    data: Any, study: Any, dose: Any, log_ratio: Any, se: Any, cases: Any, n: Any, design: Any, kind: str
) -> list[StudyDoses]:
    """Every study with the covariance of its log ratios; all problems found are reported together."""
    given = {"dose": dose, "log_ratio": log_ratio, "se": se}
    counted = kind != "independent"
    if counted:
        for name, value in (("cases", cases), ("n", n), ("design", design)):
            if value is None:
                raise InputError(f"covariance={kind!r} needs {name}: give it, or covariance='independent'")
        given |= {"cases": cases, "n": n}
    found = {name: tables.numeric_column(name, value, data) for name, value in given.items()}
    k = tables.same_length(list(found.values()))
    values = {name: np.broadcast_to(c.values, k) for name, c in found.items()}
    if study is None:
        raise InputError("study is missing: it says which rows belong together")
    names = tables.labels(study, data, k)
    designs = _designs(design, data, k) if counted else ("",) * k
    problems = [
        Problem(f"{c.unreadable[i]!r} is not a number", row=i + 1, column=c.label)
        for c in found.values()
        for i in c.unreadable
    ]
    problems += [Problem("the study has no name", row=i + 1, column="study") for i in range(k) if not names[i]]
    problems += _row_problems(values, k, designs)
    if problems:
        raise InputError(problems)
    against = values["se"] > 0.0
    with np.errstate(over="ignore", under="ignore"):  # said by the check
        spread = values["se"][against] ** 2
    if against.any():
        check_sizes(np.concatenate([values["log_ratio"][against], values["dose"]]), spread)
    rows: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        rows.setdefault(name, []).append(i)
    studies = []
    for name, own in rows.items():
        try:
            studies.append(_study(name, np.array(own), values, {designs[i] for i in own}, kind))
        except InputError as error:
            problems.append(Problem(f"{name}: {error}"))
    if problems:
        raise InputError(problems)
    return studies


def _designs(given: Any, data: Any, k: int) -> tuple[str, ...]:
    if isinstance(given, str) and given in DESIGNS:
        return (given,) * k
    try:
        found = tables.labels(given, data, k)
    except InputError as error:
        if isinstance(given, str) and data is None:
            raise unknown_option("design", given, DESIGNS) from None
        raise InputError(str(error).replace("study", "design", 1)) from None
    for i, value in enumerate(found):
        if value not in DESIGNS:
            raise InputError(Problem(str(unknown_option("design", value, DESIGNS)), row=i + 1))
    return found


def _row_problems(values: dict[str, Floats], k: int, designs: Sequence[str]) -> list[Problem]:
    problems = []
    for i in range(k):
        row = {name: float(column[i]) for name, column in values.items()}
        reference = not row["se"] > 0.0
        if not math.isfinite(row["dose"]):
            problems.append(Problem(f"dose must be a number; got {row['dose']:g}", row=i + 1))
        if row["se"] < 0.0 or math.isinf(row["se"]):
            problems.append(
                Problem(f"se must be above 0, or 0 (or missing) at the reference; got {row['se']:g}", row=i + 1)
            )
        if not reference and not math.isfinite(row["log_ratio"]):
            problems.append(Problem("log_ratio is missing where there is a standard error", row=i + 1))
        if reference and abs(row["log_ratio"]) > REFERENCE_TOLERANCE:
            problems.append(
                Problem(f"a log ratio of {row['log_ratio']:g} has no standard error; the reference has 0", row=i + 1)
            )
        if "cases" in row:
            if not 0.0 < row["cases"] < math.inf:
                problems.append(Problem(f"cases must be above 0; got {row['cases']:g}", row=i + 1))
            elif not 0.0 < row["n"] < math.inf:
                problems.append(Problem(f"n must be above 0; got {row['n']:g}", row=i + 1))
            elif designs[i] != "incidence-rate" and row["cases"] >= row["n"]:
                problems.append(
                    Problem(f"cases ({row['cases']:g}) must be fewer than n ({row['n']:g}), everybody", row=i + 1)
                )
    return problems


def _study(name: str, rows: Any, values: dict[str, Floats], designs: set[str], kind: str) -> StudyDoses:
    if len(designs) > 1:
        raise InputError(f"one study has one design; got {sorted(designs)}")
    se = values["se"][rows]
    reference = np.flatnonzero(~(se > 0.0))
    if len(reference) != 1:
        what = "no row" if len(reference) == 0 else f"{len(reference)} rows"
        raise InputError(f"{what} with se 0 or missing; one row a study, its reference dose, has log_ratio 0 and se 0")
    if len(rows) < 2:
        raise InputError("only the reference dose: a trend needs another")
    order = rows[np.concatenate((reference, np.delete(np.arange(len(rows)), reference)))]
    own = {key: column[order] for key, column in values.items()}
    nothing = np.ones(len(order))
    variance = covariance(
        kind,
        design=next(iter(designs)),
        log_ratio=own["log_ratio"][1:],
        se=own["se"][1:],
        cases=own.get("cases", nothing),
        n=own.get("n", nothing),
    )
    return StudyDoses(name, own["dose"], own["log_ratio"][1:], variance)

"""From raw columns to effects: which conventions are in force, and what they do to each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from balm.stats.arrays import np
from balm.stats.measures.arguments import ARGUMENTS
from balm.stats.measures.conventions import (
    ABSOLUTE,
    CONVENTIONS,
    OPTION_NAMES,
    RD_SINGLE_ZERO,
    RELATIVE,
    RR_SINGLE_ZERO,
    TO,
)
from balm.stats.measures.measure import Floats, Measure
from balm.stats.measures.two_group_association import as_two_groups
from balm.stats.measures.zero_cells import correct
from balm.vocabulary.problems import InputError, Problem, check_option, refuse


def settle(
    row: Measure, explicit: Mapping[str, Any], profile: str | None, columns: Mapping[str, Any]
) -> dict[str, Any]:
    """The conventions in force: the measure's own, then the profile's, then the caller's."""
    settled = row.options()
    if row.code in RELATIVE:
        settled["rr_single_zero"] = RR_SINGLE_ZERO[0]
    if row.code in ABSOLUTE:
        settled["rd_single_zero"] = RD_SINGLE_ZERO[0]
    if "ci_low" in columns and "ci_low" in row.accepts:
        settled["level"] = 0.95
    if profile is not None:
        settled |= of_profile(row, CONVENTIONS[check_option("profile", profile, list(CONVENTIONS))])
    problems = [
        Problem(f"{name} has no effect on {row.code} ({row.name.lower()}); leave it out (given: {value!r})")
        for name, value in explicit.items()
        if name not in settled
    ]
    if problems:
        raise InputError(problems)
    settled |= explicit
    if row.zero_cells == "on-request" and "add" in explicit and "to" not in explicit:
        settled["to"] = "only-zero"
    for name, allowed in (
        ("to", TO),
        ("variance_type", row.variance_types),
        ("small_sample", row.small_sample),
        ("rr_single_zero", RR_SINGLE_ZERO),
        ("rd_single_zero", RD_SINGLE_ZERO),
    ):
        if name in settled:
            check_option(name, settled[name], allowed)
    if "add" in settled and not (isinstance(settled["add"], (int, float)) and 0.0 <= settled["add"] < np.inf):
        refuse(f"add must be a number, 0 or more; got {settled['add']!r}")
    if "level" in settled and not (isinstance(settled["level"], (int, float)) and 0.0 < settled["level"] < 1.0):
        refuse(f"level must lie between 0 and 1 (0.95 for 95%); got {settled['level']!r}")
    return settled


def of_profile(row: Measure, profile: Mapping[str, Any]) -> dict[str, Any]:
    """What a profile says about effects of this measure, under our option names."""
    found = {}
    for name, option, concerns in OPTION_NAMES:
        if name in profile and concerns(row):
            found[option] = profile[name]
    return found


def derive(row: Measure, raw: Mapping[str, Floats], conventions: Mapping[str, Any]) -> dict[str, Any]:
    """Effects, variances and what was done to each row."""
    k = len(next(iter(raw.values())))
    columns: dict[str, Floats] = {name: np.asarray(values, dtype=np.float64) for name, values in raw.items()}
    if not row.columns:
        raw = columns = as_two_groups(columns)
    note = [""] * k
    double = np.zeros(k, dtype=bool)
    if row.zero_cells:
        drop = bool(conventions["drop_double_zero"])
        rr_n_plus = 1.0 if conventions.get("rr_single_zero") == "n+0.5" else 2.0
        cells = correct(
            columns, add=float(conventions["add"]), to=conventions["to"], drop_double_zero=drop, rr_n_plus=rr_n_plus
        )
        columns, double = cells.columns, cells.double_zero
        said = f"{conventions['add']:g} added to each cell"
        if conventions.get("rr_single_zero") == "n+0.5":
            said = f"{conventions['add']:g} added to events and to people"
        if conventions.get("rd_single_zero") == "variance":
            said += ", for the variance only"
        for i in np.flatnonzero(cells.corrected).tolist():
            note[i] = said
    options = {name: conventions[name] for name in ("variance_type", "small_sample", "level") if name in conventions}
    with np.errstate(all="ignore"):
        effect, variance = row.function(**columns, **options)
        if conventions.get("rd_single_zero") == "variance":
            observed = row.function(**{name: raw[name] for name in row.columns})[0]
            effect = np.where(np.isnan(effect), effect, observed)
    undefined = ~(np.isfinite(effect) & np.isfinite(variance))
    effect = np.where(undefined, np.nan, effect)
    variance = np.where(undefined, np.nan, variance)
    estimable = ~undefined & (variance > 0.0)
    for i in np.flatnonzero(~estimable).tolist():
        note[i] = "not estimable: " + _why(row, raw, i, bool(double[i]), float(variance[i]))
    flagged = double if row.double_zero == "excluded" else np.zeros(k, dtype=bool)
    return {"effect": effect, "variance": variance, "note": note, "estimable": estimable, "double_zero": flagged}


def _why(row: Measure, raw: Mapping[str, Floats], i: int, double: bool, variance: float) -> str:
    """Why row ``i`` has no usable effect, in words."""
    if double:
        events = raw["events_1"][i] + raw["events_2"][i] if "events_1" in raw else 0.0
        return "no events in either arm" if events == 0 else "events in everyone in both arms"
    if variance <= 0.0:
        return f"the variance of the effect is {variance:g}"
    if row.zero_cells and any(ARGUMENTS[c].kind == "count" and values[i] == 0 for c, values in raw.items()):
        return "a zero cell without correction"
    if any(name.startswith("sd") and values[i] == 0 for name, values in raw.items()):
        return "a standard deviation of 0"
    if any(name.startswith("n") and values[i] < 3 for name, values in raw.items()):
        return "too few people for this measure"
    return f"{row.code} is not defined for these values"

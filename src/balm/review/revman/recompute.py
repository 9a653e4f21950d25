"""Every number that RevMan stored, computed again from the rows and compared, one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite, isnan, log10

from balm.review.revman.analyse import Recomputed, analyse, is_ratio, mean_of_totals, measure_of, subgroup_test
from balm.review.revman.comparison import (
    ABSOLUTE,
    RELATIVE,
    RESULT_FIELDS,
    Agreement,
    Difference,
    OutcomeResult,
    Result,
)
from balm.review.revman.guess import guess
from balm.review.revman.model import OTHER, Outcome, RevManReview, Row, Settings
from balm.stats.distributions import chi2_sf
from balm.vocabulary.problems import check_option

#: Profiles that stand for a RevMan, and the choices they bring where they are asked for by name.
PROFILES = {
    "revman5": {"tau2": "DL", "inference": "wald", "prediction": "none", "profile": "revman5"},
    "revman-web": {"tau2": "REML", "inference": "hartung-knapp", "prediction": "wald-t-k-1", "profile": "revman-web"},
}
#: How close RevMan's own p values of chi-square statistics come to the exact ones; see the explanation below.
P_ROUTINE = 1e-6

_ROUTINE = (
    "does not follow from the Chi2 and df beside it: RevMan's own chi-square tail is right to about six decimals; "
    "the exact value is ours"
)


def recompute(review: RevManReview, profile: str | None = None) -> Agreement:
    """Compare every stored number of ``review``; see :meth:`RevManReview.recompute`."""
    if profile is not None:
        check_option("profile", profile, list(PROFILES))
    book = _Book(review.decimals)
    outcomes = []
    for outcome in review.outcomes:
        if outcome.type == OTHER:
            continue
        if outcome.settings.guessed:
            outcome = guess(outcome, book.close)
        if profile is not None:
            outcome = replace(outcome, settings=_under(outcome.settings, profile))
        outcomes.append(_outcome(outcome, book))
    return Agreement(
        review, tuple(outcomes), book.stored, book.agree, book.numbers, tuple(book.disagree), tuple(book.inconsistent)
    )


def _under(settings: Settings, profile: str) -> Settings:
    if settings.model != "random":
        return settings
    return replace(settings, **PROFILES[profile])  # type: ignore[arg-type]


def settled(outcome: Outcome, decimals: int | None) -> Outcome:
    """The outcome with its settings; those that the file does not hold are found by its numbers."""
    return guess(outcome, _Book(decimals).close) if outcome.settings.guessed else outcome


def shown_inference(outcome: Outcome, decimals: int | None) -> str:
    """The interval that the file shows for the total; that of the settings where it cannot be told."""
    if outcome.settings.inference == "wald":
        return "wald"
    rows = [row for row in outcome.all_rows if row.in_overall]
    found = as_shown(outcome, rows, outcome.stored, _Book(decimals)).fit
    return str(found.conventions.get("inference", outcome.settings.inference)) if found else outcome.settings.inference


class _Book:
    """Takes stored numbers and ours in pairs, and keeps the differences and the counts."""

    def __init__(self, decimals: int | None) -> None:
        self.rounding = 0.0 if decimals is None else 0.500001 * 10.0**-decimals
        self.numbers = self.stored = self.agree = 0
        self.disagree: list[Difference] = []
        self.inconsistent: list[Difference] = []

    def close(self, ours: float, stored: float) -> bool:
        """Equal to 1e-6, or to the decimals that the file prints."""
        if isnan(ours) or not isfinite(stored):
            return False
        return abs(ours - stored) <= max(RELATIVE * abs(stored), ABSOLUTE, self.rounding)

    def compare(self, where: str, stored: Mapping[str, str], ours: Mapping[str, float]) -> bool:
        """Compare the numbers both sides have; ``True`` when none disagrees."""
        numbers = {name: value for name, text in stored.items() if (value := number(text)) is not None}
        fine = True
        for name, value in numbers.items():
            if name not in ours:
                continue
            self.numbers += 1
            if self.close(ours[name], value):
                continue
            why = self._contradiction(name, numbers, ours)
            found = Difference(where, name, value, ours[name], why)
            (self.inconsistent if why else self.disagree).append(found)
            fine = fine and bool(why)
        return fine

    def _contradiction(self, name: str, stored: Mapping[str, float], ours: Mapping[str, float]) -> str:
        """Why a stored number cannot be right by the other numbers of the file; empty when it can."""
        value = stored[name]
        if name in ("p_chi2", "p_q"):
            chi2, df = ("chi2", "df") if name == "p_chi2" else ("q", "q_df")
            q, d = stored.get(chi2), stored.get(df, ours.get(df))
            if d == 0:
                return "has no meaning with 0 degrees of freedom"
            if q is not None and d and 1 <= d < 1e6 and q >= 0 and self.close(q, ours.get(chi2, q)):
                slack = P_ROUTINE + self.rounding
                if abs(value - ours[name]) <= slack and abs(chi2_sf(q, int(d)) - value) > RELATIVE * abs(value):
                    return _ROUTINE
                if self.rounding == 0.0 and abs(chi2_sf(q, int(d)) - value) > 10 * P_ROUTINE:
                    return f"does not follow from the Chi2 and df beside it, which give {chi2_sf(q, int(d)):.6g}"
        if name in ("i2", "i2_q"):
            chi2, df = ("chi2", "df") if name == "i2" else ("q", "q_df")
            if stored.get(df, ours.get(df)) == 0:
                return "has no meaning with 0 degrees of freedom: it comes from a Chi2 that is rounding error"
            if abs(stored.get(chi2, 1.0)) < ABSOLUTE:
                return "comes from a Chi2 that is rounding error"
        follows = name == "p" and "z" in stored and self.close(stored["z"], ours.get("z", stored["z"]))
        if follows and abs(value - ours[name]) <= P_ROUTINE + self.rounding:
            return "does not follow from the Z beside it: RevMan's own normal tail is right to about six decimals"
        if name.startswith("log_"):
            plain = stored.get(name.removeprefix("log_"))
            if plain and plain > 0 and abs(log10(plain) - value) > RELATIVE * max(1.0, abs(value)):
                return f"is not the base-10 logarithm of the {plain:.6g} beside it"
        return ""


def number(text: str | None) -> float | None:
    """A stored number, ``None`` where the text is none (empty, ``NaN``, ``#N/A``)."""
    try:
        value = float((text or "").strip().rstrip("%"))
    except ValueError:
        return None
    return None if isnan(value) else value


def holds(stored: Mapping[str, str], estimable: bool | None, ratio: bool) -> bool:
    """Whether the file holds a result here; RevMan writes zeros where nothing can be estimated."""
    values = [number(stored.get(name)) for name in ("estimate", "ci_low", "ci_high")]
    if estimable is False or any(v is None or not isfinite(v) for v in values):
        return False
    low, high = values[1], values[2]
    return any(v != 0.0 for v in values) and not (ratio and low == high == 0.0)


def _outcome(outcome: Outcome, book: _Book) -> OutcomeResult:
    settings = outcome.settings
    overall = [row for row in outcome.all_rows if row.in_overall]
    whole = as_shown(outcome, overall, outcome.stored, book)
    parts = [as_shown(outcome, [r for r in s.rows if r.in_subgroup], s.stored, book) for s in outcome.subgroups]
    ratio = is_ratio(outcome)
    totals = settings.totals
    test = subgroup_test(parts)
    weights = {id(row): found for row, found in zip(overall, whole.rows, strict=True)}
    results = []
    for subgroup, part in zip(outcome.subgroups, parts, strict=True):
        inside = [row for row in subgroup.rows if row.in_subgroup]
        ours = dict(part.total or {})
        if totals == "YES":
            shares = [found.get("weight") for row in inside if (found := weights.get(id(row))) is not None]
            if all(w is not None for w in shares):
                ours["weight"] = sum(w for w in shares if w is not None)
        elif totals == "SUB" and part.total is not None:
            ours["weight"] = 100.0
        ours["studies"] = float(len({row.study_id or row.study for row in inside}))
        held = totals != "NO" and holds(subgroup.stored, subgroup.estimable, ratio)
        results.append(_total(subgroup.id, subgroup.name, subgroup.stored, subgroup.estimable, part, ours, held, book))
        if totals != "YES":
            _rows(outcome, inside, part, book, weighted=totals == "SUB")
    ours = dict(whole.total or {}, **(test if outcome.subgroups and settings.subgroup_test else {}))
    ours["studies"] = float(len({row.study_id or row.study for row in overall}))
    if totals == "YES" and whole.total is not None:
        ours["weight"] = 100.0
    held = totals == "YES" and holds(outcome.stored, outcome.estimable, ratio)
    if totals == "YES" or not outcome.subgroups:
        _rows(outcome, overall, whole, book, weighted=totals == "YES")
    else:
        loose = [row for row in outcome.rows if row.in_overall]
        if loose:
            _rows(outcome, loose, analyse(outcome, loose), book, weighted=False)
    total = _total(outcome.id, outcome.name, outcome.stored, outcome.estimable, whole, ours, held, book)
    if totals == "SUB" and not held and holds(outcome.stored, outcome.estimable, ratio):
        _unseen(outcome, whole, parts, ours, book)
    return OutcomeResult(
        total=total,
        type=outcome.type,
        measure=settings.measure or settings.measure_name or measure_of(outcome),
        method=settings.method,
        model=settings.model,
        subgroups=tuple(results),
        guessed=settings.guessed,
    )


def as_shown(outcome: Outcome, rows: list[Row], stored: Mapping[str, str], book: _Book) -> Recomputed:
    """The rows pooled; where RevMan Web's interval is a Hartung-Knapp one, the variant of it that the file shows.

    Whether RevMan Web turns to the Wald interval without heterogeneity, or widens a narrower interval, is not settled
    by any file seen so far: the stored interval decides, and ours is plain Hartung-Knapp where none of them matches.
    """
    first = analyse(outcome, rows)
    low, high = number(stored.get("ci_low")), number(stored.get("ci_high"))
    if outcome.settings.inference != "hartung-knapp" or first.total is None or low is None or high is None:
        return first
    for inference in ("hartung-knapp", "wald", "hartung-knapp-guarded"):
        tried = analyse(replace(outcome, settings=replace(outcome.settings, inference=inference)), rows)
        plain = tried.fit is not None and tried.fit.tau2 == 0.0
        if inference == "wald" and not plain:
            continue
        if tried.total and book.close(tried.total["ci_low"], low) and book.close(tried.total["ci_high"], high):
            return tried
    return first


def _total(
    identity: str,
    name: str,
    stored: Mapping[str, str],
    estimable: bool | None,
    part: Recomputed,
    ours: Mapping[str, float],
    held: bool,
    book: _Book,
) -> Result:
    if held:
        book.stored += 1
        if part.total is None:
            value = number(stored.get("estimate")) or 0.0
            book.numbers += 1
            book.disagree.append(Difference(identity, "estimate", value, None))
        else:
            book.agree += book.compare(identity, stored, _counted(stored, ours, part, book))
    numbers: dict[str, float | None] = {field: (part.total or {}).get(field) for field in RESULT_FIELDS}
    return Result(identity, name, numbers, held, part.fit.k if part.fit is not None else 0, part.why)


def _counted(
    stored: Mapping[str, str], ours: Mapping[str, float], part: Recomputed, book: _Book
) -> Mapping[str, float]:
    """Events and participants as the file counts them: over all studies, or over those with an effect (RevMan 5.4)."""
    found = dict(ours)
    for name, fewer in part.estimable_sums.items():
        value = number(stored.get(name))
        if value is not None and name in found and not book.close(found[name], value) and book.close(fewer, value):
            found[name] = fewer
    return found


def _unseen(
    outcome: Outcome, whole: Recomputed, parts: list[Recomputed], ours: Mapping[str, float], book: _Book
) -> None:
    """An overall result in the file that RevMan does not show: only subgroups are totalled."""
    if whole.total is None:
        return
    of_totals = mean_of_totals(outcome, parts)
    book.compare(outcome.id, outcome.stored, {**ours, **of_totals})
    value = number(outcome.stored.get("estimate"))
    if value is not None and not book.close(ours["estimate"], value) and book.close(of_totals["estimate"], value):
        why = (
            'TOTALS="SUB": RevMan shows no overall total; the stored one is the inverse-variance mean of the subgroup '
            "totals (reproduced), not the pool of the studies"
        )
        book.inconsistent.append(Difference(outcome.id, "estimate", value, ours["estimate"], why))


def _rows(outcome: Outcome, rows: list[Row], part: Recomputed, book: _Book, *, weighted: bool) -> None:
    ratio = is_ratio(outcome)
    whole = sum(number(row.stored.get("weight")) or 0.0 for row in rows)
    why = ""
    if abs(whole - 100.0) > 0.01:
        why = f"the stored weights of the rows of this total add up to {whole:.2f}, not 100"
    for row, found in zip(rows, part.rows, strict=True):
        where = f"{outcome.id}, study {row.study}"
        held = holds(row.stored, row.estimable, ratio)
        if found is None:
            if held:
                book.numbers += 1
                stored = number(row.stored.get("estimate")) or 0.0
                book.disagree.append(Difference(where, "estimate", stored, None))
            continue
        if not held:
            continue
        ours = {name: value for name, value in found.items() if name != "weight"}
        book.compare(where, row.stored, ours)
        share = number(row.stored.get("weight"))
        if weighted and share is not None and "weight" in found:
            book.numbers += 1
            if not book.close(found["weight"], share):
                odd = Difference(where, "weight", share, found["weight"], why)
                (book.inconsistent if why else book.disagree).append(odd)

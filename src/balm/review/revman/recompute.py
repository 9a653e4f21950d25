"""Every number that RevMan stored, computed again from the rows and compared, one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import replace
from math import isfinite, isnan, log10
from types import MappingProxyType

from balm.review.revman.analyse import (
    Recomputed,
    analyse,
    group_sums,
    is_ratio,
    mean_of_totals,
    measure_of,
    subgroup_test,
)
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
from balm.review.revman.split_studies import split_weights
from balm.review.revman.stored_number import number
from balm.stats.distributions import chi2_sf
from balm.vocabulary.problems import check_option

#: Profiles that stand for a RevMan, and the choices they bring where they are asked for by name.
PROFILES = {
    "revman5": {"tau2": "DL", "inference": "wald", "prediction": "none", "profile": "revman5"},
    "revman-web": {"tau2": "REML", "inference": "hartung-knapp", "prediction": "wald-t-k-1", "profile": "revman-web"},
}
#: How close RevMan's own p values of chi-square statistics come to the exact ones; see the explanation below.
P_ROUTINE = 1e-6

#: RevMan Web's REML ends its steps where they are small; of the maximum it leaves out less than this share of tau2.
REML_LEFT = 1e-3
#: Weights of a total that add up to 100 within this are the weights of one calculation.
WEIGHTS_LEFT = 1e-3

#: Intervals for a new study that RevMan Web may show; which one is not settled by any file seen so far.
PREDICTIONS = ("wald-t-k-1", "wald-t-k-2", "wald-normal", "hartung-knapp-t-k-1", "hartung-knapp-t-k-2")
#: Counts of a total, which RevMan stores whether or not it could estimate anything.
COUNTED = ("events_1", "n_1", "events_2", "n_2", "studies")
_ENDS = ("estimate", "ci_low", "ci_high", "z")
#: Why a number in the file has nothing to be compared with.
NOTHING = "zeros and infinities that RevMan writes where nothing can be estimated or tested"
NOT_SHOWN = "of a result or row that RevMan neither shows nor weighs (TOTALS, subgroups without rows)"

_ROUTINE = (
    "does not follow from the Chi2 and df beside it: RevMan's own chi-square tail is right to about six decimals; "
    "the exact value is ours"
)


_REML = (
    "RevMan's REML stopped its steps before the maximum of the restricted likelihood, which is ours; the other numbers "
    "of this total follow from the tau2 where it stopped (reproduced)"
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
        review,
        tuple(outcomes),
        book.stored,
        book.agree,
        book.numbers,
        tuple(book.disagree),
        tuple(book.inconsistent),
        MappingProxyType(dict(book.left)),
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
        self.left: Counter[str] = Counter()

    def leave(self, stored: Mapping[str, str], but: Container[str] = ()) -> None:
        """Count numbers that have nothing to be compared with, by reason."""
        for name, text in stored.items():
            value = number(text)
            if value is not None and name not in but:
                empty = value == 0.0 or not isfinite(value) or (name.startswith("p_") and value == 1.0)
                self.left[NOTHING if empty else NOT_SHOWN] += 1

    def close(self, ours: float, stored: float) -> bool:
        """Equal to 1e-6, or to the decimals that the file prints."""
        if isnan(ours) or not isfinite(stored):
            return False
        return abs(ours - stored) <= max(RELATIVE * abs(stored), ABSOLUTE, self.rounding)

    def compare(
        self, where: str, stored: Mapping[str, str], ours: Mapping[str, float], but: Container[str] = ()
    ) -> bool:
        """Compare the numbers both sides have, and count the others, save ``but``; ``True`` when none disagrees."""
        self.leave({k: v for k, v in stored.items() if k not in but}, ours)
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
    whole = as_shown(outcome, overall, outcome.stored, book, outcome.id)
    parts = [as_shown(outcome, [r for r in s.rows if r.in_subgroup], s.stored, book, s.id) for s in outcome.subgroups]
    ratio = is_ratio(outcome)
    totals = settings.totals
    test = subgroup_test(parts)
    weights = {id(row): found for row, found in zip(overall, whole.rows, strict=True)}
    results = []
    for subgroup, part in zip(outcome.subgroups, parts, strict=True):
        inside = [row for row in subgroup.rows if row.in_subgroup]
        ours = dict(part.total or group_sums(outcome, inside))
        if totals == "YES":
            shares = [found.get("weight") for row in inside if (found := weights.get(id(row))) is not None]
            if all(w is not None for w in shares):
                ours["weight"] = sum(w for w in shares if w is not None)
        elif totals == "SUB" and part.total is not None:
            ours["weight"] = 100.0
        ours["studies"] = float(len({row.study_id or row.study for row in inside}))
        held = totals != "NO" and holds(subgroup.stored, subgroup.estimable, ratio)
        results.append(_total(subgroup.id, subgroup.name, subgroup.stored, part, ours, held, book))
        if not held:
            _counts(subgroup.id, subgroup.stored, ours, part, book)
        if totals != "YES":
            _rows(outcome, inside, part, book, weighted=totals == "SUB")
    ours = dict(whole.total or group_sums(outcome, overall), **(test if outcome.subgroups else {}))
    ours["studies"] = float(len({row.study_id or row.study for row in overall}))
    if totals == "YES" and whole.total is not None:
        ours["weight"] = 100.0
    held = totals == "YES" and holds(outcome.stored, outcome.estimable, ratio)
    if totals == "YES" or not outcome.subgroups:
        split = _split_as_stored(outcome, whole, book) if totals == "YES" else {}
        _rows(outcome, overall, whole, book, weighted=totals == "YES", split=split)
        parts_alone = [row for row in outcome.all_rows if row.in_subgroup and not row.in_overall]
        if totals == "YES" and parts_alone:
            _rows(outcome, parts_alone, analyse(outcome, parts_alone), book, weighted=False, split=split)
    else:
        loose = [row for row in outcome.rows if row.in_overall]
        if loose:
            _rows(outcome, loose, analyse(outcome, loose), book, weighted=False)
    total = _total(outcome.id, outcome.name, outcome.stored, whole, ours, held, book)
    if totals == "SUB" and not held and (number(outcome.stored.get("estimate")) or 0.0) != 0.0:
        _unseen(outcome, whole, parts, ours, book)
    elif not held:
        _counts(outcome.id, outcome.stored, ours, whole, book)
    return OutcomeResult(
        total=total,
        type=outcome.type,
        measure=settings.measure or settings.measure_name or measure_of(outcome),
        method=settings.method,
        model=settings.model,
        subgroups=tuple(results),
        guessed=settings.guessed,
    )


def as_shown(outcome: Outcome, rows: list[Row], stored: Mapping[str, str], book: _Book, where: str = "") -> Recomputed:
    """The rows pooled; with the variants of RevMan Web's intervals that the file shows.

    Whether RevMan Web turns to the Wald interval without heterogeneity, or widens a narrower interval, and which
    prediction interval it draws, is not settled by any file seen so far: the stored interval decides, and ours is plain
    Hartung-Knapp, and a t interval with k - 1 degrees of freedom, where none of them matches.
    """
    found = analyse(outcome, rows)
    stopped = _where_reml_stopped(rows, stored, found, book) if outcome.settings.tau2 == "REML" else None
    if stopped is not None and found.fit is not None:
        field = "tau2" if number(stored.get("tau2")) is not None else "tau2 of the weights"
        book.inconsistent.append(Difference(where, field, stopped, found.fit.tau2, _REML))
        found = analyse(outcome, rows, stopped)
    for field, others in (("inference", ("wald", "hartung-knapp-guarded")), ("prediction", PREDICTIONS)):
        ends = ("ci_low", "ci_high") if field == "inference" else ("pi_low", "pi_high")
        want = [number(stored.get(name)) for name in ends]
        if getattr(outcome.settings, field) in ("wald", "none") or found.total is None:
            continue
        for other in ("", *others):
            with_other = replace(
                outcome, settings=replace(outcome.settings, **{field: other or getattr(outcome.settings, field)})
            )
            tried = found if not other else analyse(with_other, rows, stopped)
            if other == "wald" and not (tried.fit is not None and tried.fit.tau2 == 0.0):
                continue
            if tried.total and all(
                w is not None and book.close(tried.total[e], w) for e, w in zip(ends, want, strict=True)
            ):
                found, outcome = tried, with_other
                break
    return found


def _where_reml_stopped(rows: list[Row], stored: Mapping[str, str], found: Recomputed, book: _Book) -> float | None:
    """The tau2 just beside the maximum that RevMan's numbers stand on; ``None`` where they stand on the maximum.

    It is the stored one, or else the one that gives the stored weights, each of them.
    """
    fit = found.fit
    if fit is None or fit.k < 2 or fit.tau2 == 0.0:
        return None
    said = number(stored.get("tau2"))
    if said is not None:
        return said if not book.close(fit.tau2, said) and abs(said - fit.tau2) <= REML_LEFT * fit.tau2 else None
    pairs = [
        (share, row["weight"], row["se"] ** 2)
        for given, row in zip(rows, found.rows, strict=True)
        if row is not None and "weight" in row and (share := number(given.stored.get("weight"))) is not None
    ]
    one_calculation = abs(sum(share for share, _, _ in pairs) - 100.0) <= WEIGHTS_LEFT
    if not one_calculation or all(book.close(ours, share) for share, ours, _ in pairs):
        return None
    # weights are 100 w/sum(w), w = 1/(v + tau2): of two studies, share_1 (v_1 + tau2) = share_2 (v_2 + tau2)
    (most, _, v_most), (least, _, v_least) = max(pairs), min(pairs)
    if most <= least:
        return None
    tau2 = (least * v_least - most * v_most) / (most - least)
    if not abs(tau2 - fit.tau2) <= REML_LEFT * fit.tau2:
        return None
    precisions = [1.0 / (v + tau2) for _, _, v in pairs]
    shares = [100.0 * w / sum(precisions) for w in precisions]
    return tau2 if all(book.close(w, share) for w, (share, _, _) in zip(shares, pairs, strict=True)) else None


def _total(
    identity: str,
    name: str,
    stored: Mapping[str, str],
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
            more = _tau2_interval(stored, part)
            book.agree += book.compare(identity, stored, {**_counted(stored, ours, part, book), **more})
    numbers: dict[str, float | None] = {field: (part.total or {}).get(field) for field in RESULT_FIELDS}
    return Result(identity, name, numbers, held, part.fit.k if part.fit is not None else 0, part.why)


def _tau2_interval(stored: Mapping[str, str], part: Recomputed) -> dict[str, float]:
    """The interval for tau2 (Q-profile), where the file holds one."""
    fit = part.fit
    if fit is None or fit.k < 2 or not {"tau2_low", "tau2_high"} & set(stored):
        return {}
    ends = fit.heterogeneity_interval().tau2
    return {"tau2_low": ends.low, "tau2_high": ends.high}


def _counts(identity: str, stored: Mapping[str, str], ours: Mapping[str, float], part: Recomputed, book: _Book) -> None:
    """Studies, events and participants beside a result that RevMan did not store."""
    known = {name: value for name, value in _counted(stored, ours, part, book).items() if name in COUNTED}
    book.compare(identity, stored, known)


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
    mine = {**_counted(outcome.stored, ours, whole, book), **of_totals}
    mine["weight"] = 100.0 * sum(part.total is not None for part in parts)
    if outcome.estimable is False:  # a total of no subgroups: its heterogeneity is not filled in
        mine = {k: v for k, v in mine.items() if k in COUNTED or k in of_totals or k.endswith(_ENDS)}
    book.compare(outcome.id, outcome.stored, mine)
    value = number(outcome.stored.get("estimate"))
    if value is None or not of_totals or book.close(ours["estimate"], value):
        return
    if book.close(of_totals["estimate"], value):
        why = (
            'TOTALS="SUB": RevMan shows no overall total; the stored one is the inverse-variance mean of the subgroup '
            "totals (reproduced), not the pool of the studies"
        )
        book.inconsistent.append(Difference(outcome.id, "estimate", value, ours["estimate"], why))


def _split_as_stored(outcome: Outcome, whole: Recomputed, book: _Book) -> dict[int, float]:
    """The weights by the rule for split studies, where most of the stored ones follow it; else none."""
    split = split_weights(outcome, whole)
    pairs = [(split[id(row)], number(row.stored.get("weight"))) for row in outcome.all_rows if id(row) in split]
    follow = sum(stored is not None and book.close(ours, stored) for ours, stored in pairs)
    return split if 2 * follow > len(pairs) else {}


def _rows(
    outcome: Outcome,
    rows: list[Row],
    part: Recomputed,
    book: _Book,
    *,
    weighted: bool,
    split: Mapping[int, float] = MappingProxyType({}),
) -> None:
    ratio = is_ratio(outcome)
    whole = sum(number(row.stored.get("weight")) or 0.0 for row in rows)
    why = ""
    if abs(whole - 100.0) > WEIGHTS_LEFT and not split:
        why = f"the stored weights of the rows of this total add up to {whole:.4f}, not 100"
    for row, found in zip(rows, part.rows, strict=True):
        where = f"{outcome.id}, study {row.study}"
        held = holds(row.stored, row.estimable, ratio)
        if found is None:
            if held:
                book.numbers += 1
                stored = number(row.stored.get("estimate")) or 0.0
                book.disagree.append(Difference(where, "estimate", stored, None))
            book.leave(row.stored)
            continue
        if not held:
            book.leave(row.stored)
            continue
        ours = {name: value for name, value in found.items() if name != "weight"}
        share = number(row.stored.get("weight"))
        weights = [found["weight"]] if weighted and "weight" in found else []
        weights += [split[id(row)]] if id(row) in split else []
        with_weight = share is not None and weights
        book.compare(where, row.stored, ours, ("weight",) if with_weight else ())
        if weights and share is not None:
            book.numbers += 1
            if not any(book.close(weight, share) for weight in weights):
                odd = Difference(where, "weight", share, weights[-1], why)
                (book.inconsistent if why else book.disagree).append(odd)

"""Weights of a total where a study stands in subgroups by parts and in the total as a whole.

RevMan Web has rows "subgroup only" and "overall only" for a trial with two comparisons and one shared group. How it
weighs them is not documented. The rule here gives every weight of the twenty such analyses of the Cochrane reviews
CD011535.pub7 and CD014964.pub2, to the digits printed.
"""

from __future__ import annotations

from balm.review.revman.analyse import Recomputed, analyse
from balm.review.revman.model import Outcome, Row


def split_weights(outcome: Outcome, whole: Recomputed) -> dict[int, float]:
    """The weight of each row, by ``id(row)``; empty where no study is split, or the rule does not say.

    With t the tau2 of the rows that stand in subgroups, and T that of the rows of the total: a row of both weighs
    1/(v + t); a split study weighs 1/(v + T), by its row of the total alone, shared by its parts in proportion to 1/v.
    A part without a variance (standard deviations of zero) takes the whole weight of its study, and shows none. All of
    these are scaled to 100. The row of the total alone shows its share of the total.
    """
    rows = list(outcome.all_rows)
    inside = [row for row in rows if row.in_subgroup]
    parts = [row for row in inside if not row.in_overall]
    if outcome.settings.model != "random" or not parts or whole.fit is None:
        return {}
    within = analyse(outcome, inside)
    if within.fit is None:
        return {}
    variance = {id(row): found["se"] ** 2 for row, found in zip(inside, within.rows, strict=True) if found is not None}
    overall = [row for row in rows if row.in_overall]
    total = {id(row): found for row, found in zip(overall, whole.rows, strict=True) if found is not None}
    once = {_study(row): total[id(row)] for row in overall if not row.in_subgroup and id(row) in total}
    if any(_study(row) not in once for row in parts):
        return {}
    raw = {
        id(row): 1.0 / (variance[id(row)] + within.fit.tau2) for row in inside if row.in_overall and id(row) in variance
    }
    for study, found in once.items():
        own = [row for row in parts if _study(row) == study]
        shares = {id(row): 1.0 / variance[id(row)] for row in own if id(row) in variance}
        as_one = 1.0 / (found["se"] ** 2 + whole.fit.tau2) if len(shares) == len(own) else 0.0
        raw |= {row: as_one * share / sum(shares.values()) for row, share in shares.items()}
    return {row: 100.0 * weight / sum(raw.values()) for row, weight in raw.items()}


def _study(row: Row) -> str:
    return row.study_id or row.study

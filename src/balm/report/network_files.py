"""A planned network as a table of every comparison, and as a Python script that gives its numbers again."""

from __future__ import annotations

import csv
import io
import math
from itertools import combinations
from typing import Any

import balm
from balm.report import network_words as words
from balm.report.html_report.table import harmless
from balm.review.networks.analysed import NetworkResult, arms_of

COLUMNS = (
    "part", "treatment", "against", "measure", "estimate", "low", "high", "p", "prediction_low", "prediction_high",
    "direct_studies", "direct_share", "direct", "indirect", "incoherence_p", "p_score_treatment", "p_score_against",
)  # fmt: skip


def comparisons_csv(result: NetworkResult) -> bytes:
    """Every comparison of every part, the better P-score first, in full precision; ratios as ratios."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for part in result.parts:
        fit = part.fit
        if fit is None:
            continue
        scores = dict(zip(fit.treatments, fit.p_scores.tolist(), strict=True))
        split = {frozenset((s.treatment_1, s.treatment_2)): s for s in fit.split()}
        for a, b in combinations(sorted(fit.treatments, key=lambda t: -scores[t]), 2):
            c, s = fit.compare(a, b), split[frozenset((a, b))]
            sign = 1.0 if s.treatment_1 == a else -1.0
            ends = (c.estimate, *c.interval), c.prediction, (sign * s.direct, sign * s.indirect)
            shown, ahead, parts = ([words.shown(fit, x) if x == x else x for x in given] for given in ends)
            numbers = (*shown, c.p, *ahead, s.k, s.proportion, *parts, s.p, scores[a], scores[b])
            texts = ("" if isinstance(x, float) and math.isnan(x) else repr(x) for x in numbers)
            writer.writerow([part.number, harmless(a), harmless(b), fit.measure, *texts])
    return ("\ufeff" + out.getvalue()).encode("utf-8")


def network_script(result: NetworkResult) -> bytes:
    """A script with the arms as literals. Run, it prints each network and whether its numbers are those given here."""
    spec = result.spec
    lines = [
        f'"""A network again, as balm {balm.__version__} carried it out."""',
        "",
        "import math",
        "",
        "import balm",
        "",
        f"TITLE = {result.title!r}",
        "#: For each part of the network its arms, its reference, and what it gave on the analysis scale.",
        "PARTS = [",
    ]
    for part in result.parts:
        if part.fit is None:
            continue
        columns = arms_of(part)
        given = {t: [part.fit.compare(t).estimate, part.fit.compare(t).se]
                 for t in part.fit.treatments if t != part.reference}  # fmt: skip
        arms = "{" + ", ".join(f"{name!r}: {_plain(values)!r}" for name, values in columns.items()) + "}"
        lines.append(f"    ({arms}, {part.reference!r}, {given!r}, {part.fit.tau2.value!r}),")
    names = 'events="events", n="n"' if "events" in _names(result) else 'mean="mean", sd="sd", n="n"'
    tau2 = "" if spec.model == "common" else f", tau2={spec.tau2!r}"
    lines += [
        "]",
        "",
        "",
        "def same(now, before):",
        "    return math.isclose(now, before, rel_tol=1e-9, abs_tol=1e-9)",
        "",
        "",
        "print(TITLE)",
        "for arms, reference, given, tau2 in PARTS:",
        f'    fit = balm.network({result.measure!r}, data=arms, treatment="treatment", {names}, add={spec.add!r},',
        f"                       model={spec.model!r}{tau2}, reference=reference, better={spec.better!r},",
        f"                       level={spec.level!r})",
        "    print(fit)",
        "    print('tau2', fit.tau2.value, 'same' if same(fit.tau2.value, tau2) else f'differs: it was {tau2}')",
        "    for treatment, (estimate, se) in given.items():",
        "        one = fit.compare(treatment)",
        "        agrees = same(one.estimate, estimate) and same(one.se, se)",
        "        print(treatment, one.estimate, one.se, 'same' if agrees else f'differs: it was {estimate} {se}')",
        "",
    ]
    return "\n".join(lines).encode("utf-8")


def _names(result: NetworkResult) -> tuple[str, ...]:
    return tuple(result.studies[0].arms[0].values) if result.studies else ()


def _plain(values: list[Any]) -> list[Any]:
    return [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]

"""Tests for odds ratios that use the cells of the 2x2 tables: Harbord's, Peters', Deeks' and Schwarzer's.

The variance of a log odds ratio depends on the odds ratio itself, so that Egger's test finds asymmetry too often.
These tests measure the size of a study without its effect.
"""

from __future__ import annotations

import math

import numpy as np

from balm.stats.distributions import noncentral_hypergeometric, norm_sf
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.small_study.kendall import kendall
from balm.stats.small_study.outcome import SmallStudyTest
from balm.stats.small_study.regression_test import line_test
from balm.stats.small_study.studies import SAME, check_varies, raw_columns
from balm.stats.small_study.weighted_line import multiplicative_line
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError

COLUMNS = ("events_1", "n_1", "events_2", "n_2")
#: Measures on the log odds scale.
ODDS_RATIOS = ("OR", "PETO")


def _cells(es: EffectSizes, who: str) -> tuple[Floats, Floats, Floats, Floats]:
    if es.measure not in ODDS_RATIOS:
        raise InputError(f'{who} is for odds ratios; these effects are {es.measure}: make them with measure="OR"')
    a, n_1, c, n_2 = raw_columns(es, COLUMNS, who)
    return a, n_1, c, n_2


def harbord(es: EffectSizes, *, level: float, advice: tuple[str, ...]) -> SmallStudyTest:
    """Score over information on 1/sqrt(information), weighted by the information; t with k - 2.

    ``Z = a - E(a)`` and ``V = Var(a)`` given the margins and an odds ratio of 1 (the terms of Peto's method). Cells
    need no correction for zeros. Harbord, Egger & Sterne (2006), Stat Med 25:3443.
    """
    who = "Harbord's test"
    a, n_1, c, n_2 = _cells(es, who)
    n, events = n_1 + n_2, a + c
    information = n_1 * n_2 * events * (n - events) / (n * n * (n - 1.0))
    score = a - events * n_1 / n
    x = 1.0 / np.sqrt(information)
    check_varies(x, "the information", who)
    return line_test(
        "harbord",
        who,
        "Harbord RM, Egger M, Sterne JAC. Stat Med 2006;25:3443-57",
        multiplicative_line(score / information, x, information, level),
        predictor="1 / sqrt(information of the score)",
        model="multiplicative",
        has_limit=True,
        k=len(es),
        level=level,
        advice=advice,
    )


def peters(es: EffectSizes, *, level: float, advice: tuple[str, ...]) -> SmallStudyTest:
    """Log odds ratio on 1/n, weighted by ``1 / (1/events + 1/non-events)``; t with k - 2.

    Peters, Sutton, Jones, Abrams & Rushton (2006), JAMA 295:676.
    """
    who = "Peters' test"
    a, n_1, c, n_2 = _cells(es, who)
    n, events = n_1 + n_2, a + c
    x = 1.0 / n
    check_varies(x, "the sample size", who)
    return line_test(
        "peters",
        who,
        "Peters JL, Sutton AJ, Jones DR, Abrams KR, Rushton L. JAMA 2006;295:676-80",
        multiplicative_line(es.effect, x, events * (n - events) / n, level),
        predictor="inverse sample size",
        model="multiplicative",
        has_limit=True,
        k=len(es),
        level=level,
        advice=advice,
    )


def deeks(es: EffectSizes, *, level: float, advice: tuple[str, ...]) -> SmallStudyTest:
    """Log (diagnostic) odds ratio on 1/sqrt(effective sample size), weighted by it; t with k - 2.

    The effective sample size is ``4 n_1 n_2 / (n_1 + n_2)``; in studies of diagnostic accuracy, group 1 are people with
    the disease. Deeks, Macaskill & Irwig (2005), J Clin Epidemiol 58:882.
    """
    who = "Deeks' test"
    _, n_1, _, n_2 = _cells(es, who)
    effective = 4.0 * n_1 * n_2 / (n_1 + n_2)
    x = 1.0 / np.sqrt(effective)
    check_varies(x, "the effective sample size", who)
    return line_test(
        "deeks",
        who,
        "Deeks JJ, Macaskill P, Irwig L. J Clin Epidemiol 2005;58:882-93",
        multiplicative_line(es.effect, x, effective, level),
        predictor="1 / sqrt(effective sample size)",
        model="multiplicative",
        has_limit=True,
        k=len(es),
        level=level,
        advice=advice,
    )


def schwarzer(es: EffectSizes, *, level: float, advice: tuple[str, ...]) -> SmallStudyTest:
    """Rank correlation of standardised events of group 1 with their inverse variance; normal.

    Expectation and variance of the events are those of the non-central hypergeometric distribution given the margins
    and the pooled Mantel-Haenszel odds ratio (zero cells with the fit's addition).
    Schwarzer, Antes & Schumacher (2007), Stat Med 26:721.
    """
    who = "Schwarzer's test"
    a, n_1, c, n_2 = _cells(es, who)
    ratio = _mantel_haenszel_ratio(es, a, n_1, c, n_2, who)
    counts = [[_whole(float(v[i]), es.study[i], who) for v in (n_1, n_2, a + c)] for i in range(len(es))]
    moments = [_moments(first, second, events, ratio) for first, second, events in counts]
    mean, variance = (np.array(column) for column in zip(*moments, strict=True))
    found = kendall((a - mean) / np.sqrt(variance), 1.0 / variance, exact=False)
    p = 2.0 * norm_sf(abs(found.z)) if not math.isnan(found.z) else math.nan
    if math.isnan(p):
        advice = ("All studies are tied: there is nothing to rank.", *advice)
    return SmallStudyTest(
        method="schwarzer",
        name=who,
        source="Schwarzer G, Antes G, Schumacher M. Stat Med 2007;26:721-33",
        statistic=found.z,
        df=math.inf,
        p=p,
        predictor="",
        model="rank",
        tau2=math.nan,
        line=None,
        limit=math.nan,
        limit_interval=Interval(math.nan, math.nan, level),
        kendall=found,
        k=len(es),
        level=level,
        advice=advice,
    )


def _mantel_haenszel_ratio(es: EffectSizes, a: Floats, n_1: Floats, c: Floats, n_2: Floats, who: str) -> float:
    zero = (a == 0) | (c == 0) | (a == n_1) | (c == n_2)
    add = np.where(zero, float(es.conventions.get("add", 0.5)), 0.0)
    total = n_1 + n_2 + 4.0 * add
    agree = float(np.sum((a + add) * (n_2 - c + add) / total))
    against = float(np.sum((n_1 - a + add) * (c + add) / total))
    if min(agree, against) <= SAME * max(agree, against):
        raise InputError(f"{who} cannot be computed: the pooled odds ratio is {'0' if agree == 0.0 else 'infinite'}")
    return agree / against


def _whole(value: float, study: str, who: str) -> int:
    if value != round(value):
        raise InputError(f"{study}: {who} needs whole counts; got {value:g}")
    return round(value)


def _moments(n_1: int, n_2: int, events: int, ratio: float) -> tuple[float, float]:
    low, probabilities = noncentral_hypergeometric(n_1, n_2, events, ratio)
    chance = np.array(probabilities)
    values = low + np.arange(len(chance), dtype=np.float64)
    mean = float(values @ chance)
    return mean, float((values - mean) ** 2 @ chance)

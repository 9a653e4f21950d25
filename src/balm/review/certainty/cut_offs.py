"""Where each number in a rule of certainty comes from: a source that was read, one named but not read, or balm itself.

The rules look at numbers; GRADE states few of them. What a paper states is told from what balm adds, so that nobody
takes a cut-off of a program for one of GRADE.
"""

from __future__ import annotations

from dataclasses import dataclass

from balm.review.certainty import imprecision, inconsistency, indirectness, information_size, publication_bias, raising
from balm.review.certainty import risk_of_bias as bias

OWN = "balm's own"


@dataclass(frozen=True, slots=True)
class CutOff:
    """A number of a rule: what it decides, its value, and its source (:data:`OWN` where no paper states it).

    ``seen`` says in which text it was found; empty where the paper itself was not read and no other text gave it.
    """

    domain: str
    decides: str
    value: float
    source: str
    seen: str = ""


_FAQ = "answers of the Core GRADE authors (clarityresearch.ca, frequently asked questions)"
_G6 = "GRADE guidelines 6, J Clin Epidemiol 2011;64:1283-1293"
_G34 = "GRADE guidance 34, J Clin Epidemiol 2022;150:216-224"
_G9 = "GRADE guidelines 9, J Clin Epidemiol 2011;64:1311-1316"

CUT_OFFS: tuple[CutOff, ...] = (
    CutOff("risk of bias", "“most” of the information, per cent of the weight", bias.MOST, OWN),
    CutOff("inconsistency", "substantial I², per cent", inconsistency.SUBSTANTIAL, "Cochrane Handbook 10.10.2"),
    CutOff("inconsistency", "considerable I², per cent", inconsistency.CONSIDERABLE, "Cochrane Handbook 10.10.2"),
    CutOff("inconsistency", "p of the Q test", inconsistency.Q_LEVEL, "Cochrane Handbook 10.10.2"),
    CutOff("inconsistency", "weight across the threshold, per cent", inconsistency.DISAGREEING, OWN),
    CutOff("inconsistency", "studies for a prediction interval", inconsistency.PREDICTION_K, OWN),
    CutOff("inconsistency", "p of a subgroup test", inconsistency.SUBGROUP_LEVEL, OWN),
    CutOff("inconsistency", "single-arm proportions apart, per 1000", inconsistency.SPREAD_SHARE, OWN),
    CutOff("indirectness", "“most” of the information, per cent of the weight", indirectness.MOST, OWN),
    CutOff("imprecision", "implausibly large: ratio below", imprecision.LARGE_LOW, "Core GRADE 2", _FAQ),
    CutOff("imprecision", "implausibly large: ratio above", imprecision.LARGE_HIGH, OWN),
    CutOff("imprecision", "implausibly large: standard deviations", imprecision.LARGE_SD, OWN),
    CutOff("imprecision", "very wide: upper over lower end of a risk ratio", imprecision.WIDE["RR"], _G34),
    CutOff("imprecision", "very wide: upper over lower end of an odds ratio", imprecision.WIDE["OR"], _G34),
    CutOff("imprecision", "appreciable relative benefit or harm", imprecision.APPRECIABLE, _G6, "its abstract"),
    CutOff("imprecision", "three levels: times the important difference", imprecision.EXTREME, OWN),
    CutOff("imprecision", "small difference, standard deviations", imprecision.SMALL_SD, OWN),
    CutOff("imprecision", "width of a single-arm proportion, per 1000", imprecision.WIDE_SHARE, OWN),
    CutOff("imprecision", "information size: relative reduction", information_size.PLAUSIBLE_REDUCTION,
           "Core GRADE 2 (20 or 25 per cent)", _FAQ),
    CutOff("publication bias", "studies for a small-study test", publication_bias.TEST_K, "Cochrane Handbook 13.3.5.3"),
    CutOff("publication bias", "p of the test", publication_bias.TEST_LEVEL, "Cochrane Handbook 13.3.5.4"),
    CutOff("publication bias", "share of silent studies", publication_bias.SILENT, OWN),
    CutOff("publication bias", "a small study, people", publication_bias.SMALL, OWN),
    CutOff("large effect", "large: ratio", raising.LARGE, _G9),
    CutOff("large effect", "very large: ratio", raising.VERY_LARGE, _G9),
)  # fmt: skip


def table() -> str:
    """The cut-offs as rows of a Markdown table."""
    lines = ["| domain | decides | value | from | read in |", "|---|---|---|---|---|"]
    for c in CUT_OFFS:
        seen = c.seen or ("–" if c.source == OWN else "named, not read here")
        lines.append(f"| {c.domain} | {c.decides} | {c.value:.3g} | {c.source} | {seen} |")
    return "\n".join(lines)

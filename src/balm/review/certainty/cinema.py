"""What CINeMA asks of a network: its data in one of the forms the tool imports, and each domain's proposal to judge.

CINeMA (Confidence in Network Meta-Analysis) rates six domains for every estimate. Five have a rule that proposes from
the numbers; reporting bias has none, and in every domain a person decides. The forms of the data and the rules are
those of the tool's documentation (Papakonstantinou et al. (2020) Campbell Syst Rev 16:e1080 describe the tool;
Nikolakopoulou et al. (2020) PLoS Med 17:e1003082 the approach).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from balm.stats.distributions import norm_isf
from balm.stats.measures import MEASURES
from balm.stats.network.network import Network
from balm.stats.network.splitting import Split
from balm.vocabulary.problems import InputError

#: The tool's judgements, none first.
CONCERNS = ("no concerns", "some concerns", "major concerns")
#: Words for the three levels of risk of bias and of indirectness that the tool knows.
LEVEL_WORDS = {
    1: ("1", "l", "low", "no concerns", "direct"),
    2: ("2", "u", "m", "unclear", "some concerns", "moderate"),
    3: ("3", "h", "high", "major concerns", "serious", "critical"),
}
LEVEL_NAMES = {1: "low", 2: "unclear", 3: "high"}
#: How the levels of the studies become one for an estimate.
RULES = ("majority", "average", "highest")
#: Columns of one arm, by what the tool calls the outcome, from the names used here.
ARM_FORMS = {
    "binary": {"events": "r", "n": "n"},
    "continuous": {"mean": "y", "sd": "sd", "n": "n"},
}
#: The tool's six domains, and the field of a proposal; none for the domain without a rule.
DOMAINS: dict[str, str | None] = {
    "within-study bias": "bias",
    "reporting bias": None,
    "indirectness": "indirectness",
    "imprecision": "imprecision",
    "heterogeneity": "heterogeneity",
    "incoherence": "incoherence",
}
NO_RULE = "no rule proposes; a person judges"
#: Below and above these P values the test of the whole network raises concerns about purely indirect estimates.
MAJOR_P, SOME_P = 0.01, 0.10


@dataclass(frozen=True, slots=True)
class Proposal:
    """One estimate: shares of low, unclear and high studies, and what each rule proposes.

    ``None`` stands where the numbers propose nothing; ``reasons`` say why each domain reads as it does.
    """

    treatment: str
    against: str
    kind: str
    bias_shares: tuple[float, float, float]
    bias: str
    indirectness_shares: tuple[float, float, float]
    indirectness: str
    imprecision: str
    heterogeneity: str | None
    incoherence: str | None
    reasons: Mapping[str, str]


def levels_of(what: str, words: Mapping[str, object], studies: Sequence[str]) -> list[int]:
    """The level 1, 2 or 3 of each study; every study without one, or with another word, is named.

    >>> levels_of("rob", {"Ng 2001": "Low", "Ode 2004": "some concerns"}, ["Ng 2001", "Ode 2004"])
    [1, 2]
    """
    by_word = {word: level for level, known in LEVEL_WORDS.items() for word in known}
    found = [by_word.get(_plain(words.get(study, ""))) for study in studies]
    wrong = [f"{s}: {words.get(s, '')!r}" for s, level in zip(studies, found, strict=True) if level is None]
    if wrong:
        raise InputError(
            f"{what}: every study needs low, unclear (some concerns) or high, as 1, 2, 3, L, U, H or the word; "
            f"{'; '.join(wrong[:8])}{f' and {len(wrong) - 8} more' if len(wrong) > 8 else ''}"
        )
    return [level for level in found if level is not None]


def _plain(word: object) -> str:
    return str(word).strip().casefold().removesuffix(".0")


def contrast_rows(
    fit: Network, bias: Sequence[int], indirectness: Sequence[int]
) -> tuple[list[str], list[list[object]]]:
    """The form for contrasts ("inverse variance"): header and rows, studies numbered, their names beside."""
    found = fit.contrasts
    rows: list[list[object]] = []
    for s, i, j, y, v in zip(
        found.study.tolist(), found.first.tolist(), found.second.tolist(), found.effect.tolist(),
        found.variance.tolist(), strict=True,
    ):  # fmt: skip
        names = found.treatments[i], found.treatments[j]
        rows.append([s + 1, *names, y, math.sqrt(v), bias[s], indirectness[s], found.studies[s]])
    return ["id", "t1", "t2", "effect", "se", "rob", "indirectness", "study"], rows


def arm_rows(
    form: str,
    arms: Mapping[str, Sequence[object]],
    studies: Sequence[str],
    bias: Sequence[int],
    indirectness: Sequence[int],
    *,
    wide: bool = False,
) -> tuple[list[str], list[list[object]]]:
    """The forms for arms: long (a row an arm) or wide (a row a comparison). ``arms`` has study, treatment, counts.

    Arms of studies that are not among ``studies`` (without any event) are left out.

    >>> arm_rows("binary", {"study": ["a", "a"], "treatment": ["P", "Q"], "events": [1, 2], "n": [9, 8]}, ["a"],
    ...          [1], [2])[1]
    [[1, 'P', 1, 9, 1, 2, 'a'], [1, 'Q', 2, 8, 1, 2, 'a']]
    """
    columns = ARM_FORMS[form]
    number = {name: i for i, name in enumerate(studies)}
    held: dict[str, list[list[object]]] = {name: [] for name in studies}
    for at, study in enumerate(arms["study"]):
        if str(study) in held:
            held[str(study)].append([arms["treatment"][at], *(_whole(arms[name][at]) for name in columns)])
    rows: list[list[object]] = []
    for study, own in held.items():
        i = number[study]
        tail = [bias[i], indirectness[i], study]
        if wide:
            rows += [[i + 1, *a, *b, *tail] for at, a in enumerate(own) for b in own[at + 1 :]]
        else:
            rows += [[i + 1, *arm, *tail] for arm in own]
    one = ["t", *columns.values()]
    head = [f"{c}{side}" for side in (1, 2) for c in one] if wide else one
    return ["id", *head, "rob", "indirectness", "study"], rows


def _whole(x: object) -> object:
    """A count as one writes it."""
    return int(x) if isinstance(x, float) and x.is_integer() else x


def proposals(
    fit: Network,
    bias: Sequence[int],
    indirectness: Sequence[int],
    *,
    important: float,
    rule: str = "majority",
) -> tuple[Proposal, ...]:
    """What the rules of each domain propose for every estimate.

    important : the smallest effect that matters, as people read it: 0.8 or 1.25 for a ratio, 0.5 for a difference.
                Effects up to it in either direction make up the zone of no importance.
    rule      : how the levels of the studies become one, by contribution: "majority", "average" or "highest".
    """
    if rule not in RULES:
        raise InputError(f"rule must be one of {list(RULES)}; got {rule!r}")
    edge = edge_of(fit, important)
    test = fit.by_design().interaction
    result = []
    for parts, row in zip(fit.split(), fit.contributions().by_study.tolist(), strict=True):
        pair = (parts.treatment_1, parts.treatment_2)
        one = fit.compare(*pair)
        interval = (one.interval.low, one.interval.high)
        crossed = crossings(*interval, edge)
        reasons = {"imprecision": f"the interval crosses {crossed} of the two limits of importance"}
        heterogeneity = None
        if math.isfinite(one.prediction.low):
            more = crossings(one.prediction.low, one.prediction.high, edge) - crossed
            heterogeneity = CONCERNS[max(0, more)]
            reasons["heterogeneity"] = f"the prediction interval crosses {max(0, more)} more of them than the interval"
        else:
            reasons["heterogeneity"] = "no prediction interval under this model"
        kind, incoherence, reasons["incoherence"] = _incoherence(parts, test.p, edge, fit.level)
        shares = shares_of(row, bias), shares_of(row, indirectness)
        for domain, share in zip(("bias", "indirectness"), shares, strict=True):
            said = ", ".join(f"{100 * s:.0f}% {LEVEL_NAMES[i + 1]}" for i, s in enumerate(share))
            reasons[domain] = f"{said} by contribution; {rule}"
        result.append(
            Proposal(
                *pair,
                kind,
                shares[0],
                _summary(shares[0], rule),
                shares[1],
                _summary(shares[1], rule),
                CONCERNS[crossed],
                heterogeneity,
                incoherence,
                reasons,
            )
        )
    return tuple(result)


def proposal_rows(found: Sequence[Proposal]) -> tuple[list[str], list[list[object]]]:
    """A row an estimate: the proposals, their reasons, and empty columns for what people decide."""
    header = ["comparison", "evidence"]
    for domain in DOMAINS:
        header += [f"{domain}: proposed", f"{domain}: reason", f"{domain}: decided"]
    rows: list[list[object]] = []
    for one in found:
        row: list[object] = [f"{one.treatment}:{one.against}", one.kind]
        for field in DOMAINS.values():
            row += [getattr(one, field) or "" if field else "", one.reasons.get(field or "", NO_RULE), ""]
        rows.append([*row, ""])
    return [*header, "confidence"], rows


def to_judge(fit: Network, found: Sequence[Proposal], *, important: float, rule: str) -> str:
    """What is left to people, in Markdown: what numbers cannot decide, and where the proposals raise concerns."""
    test = fit.by_design().interaction
    lines = [
        "# What a person must judge",
        "",
        f"{fit.k} studies, {len(fit.treatments)} treatments, {len(found)} estimates, {fit.model} effects. The smallest "
        f"effect that matters was given as {important:g}. Levels of studies become one by contribution: {rule}.",
        "",
        "Upload one data file (contrasts, or arms long or wide); `id`, `rob` and `indirectness` are the names the tool "
        "asks for. `proposals.csv` has a column for each decision. The rules propose; they do not decide.",
        "",
        "- Is the smallest effect that matters the right one, and was it set before the results were seen?",
        "- Reporting bias: no rule proposes. Which comparisons lack studies that should be there?",
        "- Transitivity: do the studies of different comparisons resemble each other in what changes effects?",
        "- Within-study bias and indirectness: does the rule fit, or do a few studies decide the estimate?",
        "- Heterogeneity: is the variance between studies large beside that of like reviews?",
        "- Incoherence: a large P value is no proof of agreement where evidence is thin.",
        "- Confidence: how many levels do the concerns of the six domains take off together? They are not independent.",
        "",
    ]
    if math.isnan(test.p):
        lines += ["No loop of designs: the network cannot disagree with itself, and incoherence cannot be seen.", ""]
    else:
        lines += [f"Design-by-treatment test: Q = {test.q:.2f}, df = {test.df}, P = {test.p:.3f}.", ""]
    if odd := [name for name in fit.treatments if not name.isalnum()]:
        lines += [
            "The tool prefers short names without blanks or special characters. Consider others for: "
            + ", ".join(odd)
            + ".",
            "",
        ]
    lines += ["| domain | some concerns | major concerns | nothing proposed |", "|---|--:|--:|--:|"]
    for domain, field in DOMAINS.items():
        got = [getattr(one, field) if field else None for one in found]
        counts = [sum(word == which for word in got) for which in (*CONCERNS[1:], None)]
        lines.append(f"| {domain} | " + " | ".join(str(n) for n in counts) + " |")
    return "\n".join(lines) + "\n"


def edge_of(fit: Network, important: float) -> float:
    """The half width of the zone of no importance on the analysis scale."""
    scale = MEASURES[fit.measure].scale
    ratio = bool(scale and scale.ratio)
    if not math.isfinite(important) or (ratio and (important <= 0.0 or important == 1.0)) or important == 0.0:
        form = "a ratio other than 1, as 0.8 or 1.25" if ratio else "a difference other than 0, as 0.5"
        raise InputError(f"important must be {form}; got {important!r}")
    return abs(math.log(important)) if ratio else abs(important)


def crossings(low: float, high: float, edge: float) -> int:
    """How many of the two limits of importance lie inside an interval."""
    return sum(low < limit < high for limit in (-edge, edge))


def _areas(low: float, high: float, edge: float) -> tuple[bool, bool, bool]:
    """Whether an interval reaches below, into and above the zone of no importance."""
    return low < -edge, low < edge and high > -edge, high > edge


def _incoherence(parts: Split, p: float, edge: float, level: float) -> tuple[str, str | None, str]:
    """The kind of evidence, the proposal and its reason."""
    if parts.k == 0:
        if math.isnan(p):
            return "indirect", None, "only indirect evidence, and no loop in which the network could disagree"
        at = 2 if p < MAJOR_P else 1 if p <= SOME_P else 0
        return "indirect", CONCERNS[at], f"only indirect evidence; design-by-treatment test P = {p:.3f}"
    if math.isnan(parts.indirect):
        return "direct", CONCERNS[0], "only direct evidence"
    z = norm_isf((1.0 - level) / 2.0)
    both = [
        _areas(x - z * se, x + z * se, edge)
        for x, se in ((parts.direct, parts.direct_se), (parts.indirect, parts.indirect_se))
    ]
    alike = sum(a == b for a, b in zip(*both, strict=True))
    at = 0 if alike == 3 else 1 if alike == 2 else 2
    said = f"direct and indirect intervals agree on {alike} of 3 areas (below, within, above); P = {parts.p:.3f}"
    return "mixed", CONCERNS[at], said


def shares_of(row: Sequence[float], levels: Sequence[int]) -> tuple[float, float, float]:
    """What studies of level 1, 2 and 3 make up of a row of shares."""
    one, two, three = (sum(x for x, own in zip(row, levels, strict=True) if own == level) for level in (1, 2, 3))
    return one, two, three


def _summary(shares: tuple[float, float, float], rule: str) -> str:
    """No, some or major concerns; of equal shares the worse counts.

    >>> [_summary((0.5, 0.2, 0.3), rule) for rule in RULES]
    ['no concerns', 'some concerns', 'major concerns']
    """
    if rule == "majority":
        most = max(shares)
        at = max(i for i, share in enumerate(shares) if share >= most - 1e-9)
    elif rule == "average":
        at = math.floor(sum(i * share for i, share in enumerate(shares)) + 0.5 + 1e-9)
    else:
        at = max(i for i, share in enumerate(shares) if share > 1e-9)
    return CONCERNS[at]

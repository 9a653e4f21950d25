"""What stands behind the numbers of a network: each comparison, the studies it leans on, their arms as reported.

A comparison has the address ``<network>:<treatment>--<against>:<quantity>`` (``relief:ketamine--placebo:estimate``),
with names as they can stand in an address; ``<network>:<treatment>:p-score`` is a treatment's P-score.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations

from balm.report import network_words as words
from balm.report.html_report.links import address, anchor
from balm.report.html_report.rows_view import group_values, note_text, step_line
from balm.report.rounding import digits_for, number
from balm.report.walk_back import Extracted, Quantity, Reader, StudyStep, Variant, VariantStudy, Walk
from balm.review.networks.analysed import NetworkPart, NetworkResult
from balm.review.networks.arms import NetworkStudy
from balm.review.networks.planned import NETWORK_RATIOS
from balm.review.synthesis import Synthesis
from balm.stats.distributions import norm_isf
from balm.stats.network.designs import independent_loops
from balm.stats.network.network import Network
from balm.stats.network.splitting import Split
from balm.vocabulary.numbers import MINUS, fixed, p_value, percent, plain, short

#: Up to so many treatments a league table can be read, and every comparison is printed.
MOST_IN_LEAGUE = 12
#: A study that contributes less than this to a comparison is not listed behind it.
NO_SHARE = 0.0005


class Places:
    """Addresses of one network: a key for each treatment that can stand in an address, no two alike."""

    def __init__(self, result: NetworkResult) -> None:
        self.network = result.id
        self.keys: dict[str, str] = {}
        taken: dict[str, int] = {}
        for name in result.treatments:
            key = anchor("t", name).removeprefix("t-") or "t"
            taken[key] = taken.get(key, 0) + 1
            self.keys[name] = key if taken[key] == 1 else f"{key}-{taken[key]}"

    def pair(self, treatment: str, against: str) -> str:
        """The key of a comparison."""
        return f"{self.keys[treatment]}--{self.keys[against]}"

    def address(self, quantity: str, treatment: str = "", against: str = "") -> str:
        """The address of a number: of the network, of a treatment or of a comparison."""
        key = self.pair(treatment, against) if against else self.keys[treatment] if treatment else None
        return address(self.network, quantity, key)

    def href(self, quantity: str, treatment: str = "", against: str = "") -> str:
        """The link to a number."""
        return f"#at:{self.address(quantity, treatment, against)}"


def printed_pairs(fit: Network) -> list[tuple[str, str]]:
    """The comparisons that a report prints: all of a league table, else those with the reference and those that have
    direct and indirect evidence. A league table reads both ways; one way has the numbers, and the other leads there."""
    best = [c.treatment for c in words.against_reference(fit)]
    found = dict.fromkeys((t, fit.reference) for t in best)
    if len(fit.treatments) <= MOST_IN_LEAGUE:
        found |= dict.fromkeys((a, b) for i, a in enumerate(best) for b in best[i + 1 :])
    else:
        known = {frozenset(pair) for pair in found}
        for s in mixed(fit):
            if frozenset((s.treatment_1, s.treatment_2)) not in known:
                found[s.treatment_1, s.treatment_2] = None
    return list(found)


def mixed(fit: Network) -> list[Split]:
    """The comparisons that have both direct and independent indirect evidence."""
    if not independent_loops(fit.contrasts):
        return []
    return [s for s in fit.split() if not math.isnan(s.p)]


def network_walk(
    result: NetworkResult,
    synthesis: Synthesis,
    numbers: Mapping[str, int] | None = None,
    extracted: Extracted | None = None,
) -> Walk:
    """The chain behind one network; arguments as of :func:`balm.report.walk_back.walk`."""
    places = Places(result)
    reader = Reader(synthesis.package, dict(numbers or {}), extracted or {})
    quantities: list[Quantity] = []
    variants: list[Variant] = []
    for part in result.parts:
        if part.fit is None:
            continue
        quantities += _of_part(part, part.fit, places, len(result.parts) > 1)
        variants += _comparisons(part, part.fit, places)
    steps = tuple(
        _step(study, synthesis, reader, effects)
        for part in result.parts
        for effects in ({} if part.fit is None else _study_effects(part.fit),)
        for study in part.studies
    )
    return Walk(result.id, result.title, tuple(quantities), words.methods(result), steps, tuple(variants))


def _of_part(part: NetworkPart, fit: Network, places: Places, several: bool) -> list[Quantity]:
    before = f"part-{part.number}-" if several else ""
    name = f"Part {part.number}: " if several else ""
    design = part.designs
    told: list[tuple[str, str, str, float]] = [
        ("studies", "Studies", str(fit.k), float(fit.k)),
        ("people", "People", plain(round(part.people)), part.people),
        ("treatments", "Treatments", str(len(fit.treatments)), float(len(fit.treatments))),
    ]
    if fit.q.df:
        if fit.model == "random":
            told.append(("tau2", "τ²", short(fit.tau2.value), fit.tau2.value))
        told.append(("i2", "I²", percent(fit.i2), fit.i2))
    for key, what, test in (
        ("q", "Q", fit.q), ("q-within", "Q within designs", design.within_designs),
        ("q-between", "Q between designs", design.between), ("interaction", "Design by treatment", design.interaction),
    ):  # fmt: skip
        if test.df:
            told.append((key, f"{what} (df = {test.df})", number(test.q, 2), test.q))
            told.append((f"{key}-p", f"P of {what}", p_value(test.p), test.p))
    found = [Quantity(places.address(before + key), name + what, text, x) for key, what, text, x in told]
    scores = dict(zip(fit.treatments, fit.p_scores.tolist(), strict=True))
    for treatment, x in sorted(scores.items(), key=lambda item: -item[1]):
        found.append(Quantity(places.address("p-score", treatment), f"P-score of {treatment}", fixed(x), x))
    return found


def _comparisons(part: NetworkPart, fit: Network, places: Places) -> list[Variant]:
    split = {frozenset((s.treatment_1, s.treatment_2)): s for s in fit.split()}
    shares = part.shares
    row_of = {frozenset(pair): i for i, pair in enumerate(combinations(fit.treatments, 2))}
    ids = {s.label: s.study for s in part.studies}
    effects = _study_effects(fit)
    made = []
    for treatment, against in printed_pairs(fit):
        c = fit.compare(treatment, against)
        parts = split[frozenset((treatment, against))]
        sign = 1.0 if (parts.treatment_1, parts.treatment_2) == (treatment, against) else -1.0
        digits = words.effect_digits(fit, [c])
        values = [("estimate", "Network estimate", c.estimate), ("low", "Interval, low", c.interval.low),
                  ("high", "Interval, high", c.interval.high)]  # fmt: skip
        if math.isfinite(c.prediction.low):
            values += [("prediction-low", "Prediction interval, low", c.prediction.low),
                       ("prediction-high", "Prediction interval, high", c.prediction.high)]  # fmt: skip
        if parts.k and not math.isnan(parts.indirect):
            values += [("direct", "Direct estimate", sign * parts.direct),
                       ("indirect", "Indirect estimate", sign * parts.indirect)]  # fmt: skip
        told = [
            Quantity(places.address(key, treatment, against), name, _shown(fit, x, digits), words.shown(fit, x))
            for key, name, x in values
        ]
        told.append(Quantity(places.address("p", treatment, against), "P", p_value(c.p), c.p))
        if not math.isnan(parts.p):
            at = places.address("incoherence-p", treatment, against)
            told.append(Quantity(at, "P of direct against indirect", p_value(parts.p), parts.p))
        row = row_of[frozenset((treatment, against))]
        by_study = sorted(zip(shares.by_study[row].tolist(), shares.studies, strict=True), reverse=True)
        studies = tuple(
            VariantStudy(ids[label], label, effects[label], f"{fixed(100 * x, 1)}%", True, ())
            for x, label in by_study
            if x >= NO_SHARE
        )
        title = f"{treatment} against {against}"
        made.append(Variant(places.pair(treatment, against), title, tuple(told), _leans(parts), studies))
    return made


def _leans(parts: Split) -> str:
    """What the estimate rests on: direct evidence, and how much of the information it gives."""
    studies = f"{parts.k} {'study' if parts.k == 1 else 'studies'}"
    kind = (
        "No study compares the two: all evidence is indirect."
        if parts.k == 0
        else f"All evidence is direct, from {studies}."
        if math.isnan(parts.indirect)
        else f"Direct evidence from {studies}, {fixed(100 * parts.proportion, 0)}% of the information."
    )
    return f"{kind} Weight: what each study contributes to this estimate, over all paths of evidence."


def _study_effects(fit: Network) -> dict[str, str]:
    """Label -> its own effects, one a pair of its arms (at most three are written out)."""
    data, z = fit.contrasts, norm_isf((1.0 - fit.level) / 2.0)
    found: dict[str, list[str]] = {}
    rows = zip(data.study.tolist(), data.first.tolist(), data.second.tolist(), data.effect.tolist(),
               data.variance.tolist(), strict=True)  # fmt: skip
    for s, i, j, y, v in rows:
        half = z * math.sqrt(v)
        ends = words.shown(fit, y - half), words.shown(fit, y + half)
        digits = digits_for([ends[1] - ends[0]])
        told = f"{_shown(fit, y, digits)} [{_shown(fit, y - half, digits)}, {_shown(fit, y + half, digits)}]"
        found.setdefault(data.studies[s], []).append(f"{data.treatments[i]} against {data.treatments[j]} {told}")
    return {
        label: "; ".join(own[:3]) + (f"; and {len(own) - 3} more" if len(own) > 3 else "")
        for label, own in found.items()
    }


def _shown(fit: Network, x: float, digits: int) -> str:
    return number(words.shown(fit, x), digits, ratio=fit.measure in NETWORK_RATIOS, minus=MINUS)


def _step(study: NetworkStudy, synthesis: Synthesis, reader: Reader, effects: Mapping[str, str]) -> StudyStep:
    package = synthesis.package
    known = {r.result: r for r in package.results_of(study.study)}
    notes = list(dict.fromkeys((*study.notes, *(n for arm in study.arms for n in arm.notes))))
    return StudyStep(
        study=study.study,
        label=study.label,
        effect=effects.get(study.label, ""),
        weight="",
        used=tuple(f"{arm.treatment} {group_values(arm.values, 1)}" for arm in study.arms),
        conversions=tuple(step_line(step, package, study) for arm in study.arms for step in arm.steps),
        notes=tuple(note_text(note, package, study) for note in notes),
        reported=tuple(reader.value(known[r]) for arm in study.arms for r in arm.results if r in known),
        sources=(),
    )

"""Certainty of every estimate of a fitted network, from the risk of bias of its studies and what people decide.

Each direct comparison starts where its design does and is lowered for risk of bias by the weight of its studies; the
indirect estimate takes the lowest of the comparisons it leans on most; incoherence and imprecision follow from the
numbers (:func:`balm.review.certainty.network.network_certainty`). All of it is a proposal: inconsistency, indirectness,
publication bias and intransitivity are for people, who may set any level and overrule any step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from balm.review.certainty.cinema import crossings, edge_of, levels_of, shares_of
from balm.review.certainty.network import network_certainty
from balm.review.certainty.risk_of_bias import MOST
from balm.review.certainty.words import LEVELS, level_after
from balm.stats.network.contrasts import Floats
from balm.stats.network.contributions import Contributions
from balm.stats.network.designs import independent_loops
from balm.stats.network.network import Comparison, Network
from balm.stats.network.splitting import Split
from balm.vocabulary.problems import InputError, check_option

#: Below this P value of direct against indirect evidence one level is proposed for incoherence (balm's own: GRADE
#: states no number, and asks whether the two differ in a way that matters).
INCOHERENT = 0.05
#: What people may set for an estimate: a level of certainty, or levels to take off.
DECISIONS = ("direct", "intransitivity", "incoherence", "imprecision")


@dataclass(frozen=True, slots=True)
class NetworkRating:
    """One estimate with its certainty.

    kind          : "direct", "indirect" or "mixed".     direct : certainty of the direct evidence; None without any.
    via           : the direct comparisons that the indirect evidence leans on most.    direct_share : 0 to 1.
    bias_shares   : what studies at low, unclear and high risk of bias contribute to the estimate, adding up to 1.
    steps         : how the certainty came about.        decided : what a person set.
    ask           : what a person should look at; empty where nothing stands out.
    """

    comparison: Comparison
    kind: str
    direct: str | None
    indirect: str | None
    via: tuple[str, ...]
    direct_share: float
    bias_shares: tuple[float, float, float]
    certainty: str
    steps: tuple[str, ...]
    decided: Mapping[str, object]
    ask: str


def rate_network(
    fit: Network,
    *,
    risk_of_bias: Mapping[str, object],
    important: float | None,
    start: str = "high",
    decided: Mapping[str, Mapping[str, object]] | None = None,
    contributions: Contributions | None = None,
) -> tuple[NetworkRating, ...]:
    """The certainty of every estimate.

    risk_of_bias : low, unclear or high for each study by name (1 to 3, L, U, H, or the word).
    important    : the smallest effect that matters, as people read it: 0.8 or 1.25 for a ratio, 0.5 for a difference;
                   without one the threshold is no effect.
    start        : where direct evidence starts: "high" for randomised trials.
    contributions : :meth:`Network.contributions`, where they are known already.
    decided      : by comparison ("A:B"), what people set: "direct" (a level, before imprecision), and levels to take
                   off for "intransitivity", "incoherence", "imprecision" (0, -1, -2).

    >>> import balm
    >>> fit = balm.network("OR", study=["1", "2"], treatment_1=["A", "B"], treatment_2=["B", "C"], effect=[-1.0, -1.0],
    ...                    se=[0.2, 0.2], model="common")
    >>> [(one.kind, one.certainty) for one in rate_network(fit, risk_of_bias={"1": "low", "2": "high"}, important=0.8)]
    [('direct', 'high'), ('indirect', 'moderate'), ('direct', 'moderate')]
    """
    check_option("start", start, LEVELS)
    levels = levels_of("risk_of_bias", risk_of_bias, fit.contrasts.studies)
    edge = 0.0 if important is None else edge_of(fit, important)
    found = contributions or fit.contributions()
    split = fit.split()
    set_by_people = _checked(
        decided or {}, {f"{a}:{b}": f"{x}:{y}" for x, y in _ends(split) for a, b in ((x, y), (y, x))}
    )
    direct, why = _direct_levels(fit, found, levels, start, set_by_people)
    flow = {(one.treatment_1, one.treatment_2): one.proportion for one in fit.evidence_flow()}
    ratings = []
    loops = independent_loops(fit.contrasts)
    rows = zip(split, found.rows, found.values, found.by_study.tolist(), strict=True)
    for parts, name, row, by_study in rows:
        one = fit.compare(parts.treatment_1, parts.treatment_2)
        own = set_by_people.get(name, {})
        # Without an independent loop the other arms of its own studies are no second opinion on a direct comparison.
        via = _via(found, row, parts.treatment_1, parts.treatment_2) if loops or name not in direct else ()
        incoherence, said = _incoherence(parts, own, bool(via))
        imprecision = int(str(own.get("imprecision", -imprecise(one, edge))))
        rated = network_certainty(
            direct=direct.get(name),
            loop=[direct[step] for step in via] or None,
            intransitivity=int(str(own.get("intransitivity", 0))),
            direct_share=flow[parts.treatment_1, parts.treatment_2],
            incoherence=incoherence,
            imprecision=imprecision,
        )
        kind = "mixed" if name in direct and via else "direct" if name in direct else "indirect"
        shares = shares_of(by_study, levels)
        steps = (*(why[step] for step in (name, *via) if step in why), *rated.steps, *said)
        ratings.append(
            NetworkRating(
                one,
                kind,
                direct.get(name),
                rated.indirect,
                via,
                flow[parts.treatment_1, parts.treatment_2],
                shares,
                rated.network,
                steps,
                own,
                _ask(shares, [direct[s] for s in (name, *via) if s in direct], start, kind),
            )
        )
    return tuple(ratings)


def imprecise(one: Comparison, edge: float) -> int:
    """Levels for the interval: one for each limit of importance inside it, or for no effect where there is no limit."""
    low, high = one.interval.low, one.interval.high
    return crossings(low, high, edge) if edge > 0.0 else int(low < 0.0 < high)


def _ends(split: Sequence[Split]) -> list[tuple[str, str]]:
    return [(one.treatment_1, one.treatment_2) for one in split]


def _checked(decided: Mapping[str, Mapping[str, object]], names: Mapping[str, str]) -> dict[str, Mapping[str, object]]:
    """The decisions under the names of the estimates; ``names`` has both orders of each."""
    found: dict[str, Mapping[str, object]] = {}
    for given, choices in decided.items():
        if given not in names:
            raise InputError(f"decided: no estimate {given!r}; write it as {next(iter(names))!r}")
        for key, value in choices.items():
            check_option(f"decided for {given}", key, DECISIONS)
            if key == "direct":
                check_option(f"decided for {given}: direct", str(value), LEVELS)
            elif value not in (0, -1, -2, -3):
                raise InputError(f"decided for {given}: {key} must be levels to take off, 0 to -3; got {value!r}")
        found[names[given]] = choices
    return found


def _direct_levels(
    fit: Network, found: Contributions, levels: Sequence[int], start: str, decided: Mapping[str, Mapping[str, object]]
) -> tuple[dict[str, str], dict[str, str]]:
    """Certainty of each direct comparison before imprecision, and how it came about."""
    direct, why = {}, {}
    for name, row in zip(found.columns, fit.weights_by_study().tolist(), strict=True):
        low, some, high = shares_of(row, levels)
        if "direct" in decided.get(name, {}):
            direct[name] = str(decided[name]["direct"])
            why[name] = f"{name} direct: {direct[name]}, as decided"
            continue
        lowered = 100.0 * (some + high) >= MOST
        direct[name] = level_after(start, -1 if lowered else 0)
        said = f"{100 * low:.0f}% of the weight at low risk of bias, {100 * some:.0f}% unclear, {100 * high:.0f}% high"
        why[name] = f"{name} direct: starts at {start}; {said}: {direct[name]}"
    return direct, why


def _via(found: Contributions, row: Floats, a: str, b: str) -> tuple[str, ...]:
    """The shortest path of other direct comparisons, of equally short ones that with the largest least contribution."""
    beside: dict[str, list[tuple[str, str, float]]] = {}
    for name, (i, j), share in zip(found.columns, found.ends, row.tolist(), strict=True):
        if share > 0.0 and {i, j} != {a, b}:
            beside.setdefault(i, []).append((j, name, share))
            beside.setdefault(j, []).append((i, name, share))
    front: dict[str, tuple[float, tuple[str, ...]]] = {a: (math.inf, ())}
    seen = {a}
    while front and b not in front:
        after: dict[str, tuple[float, tuple[str, ...]]] = {}
        for node, (least, path) in front.items():
            for head, name, share in beside.get(node, []):
                if head not in seen and min(least, share) > after.get(head, (0.0, ()))[0]:
                    after[head] = min(least, share), (*path, name)
        seen |= set(after)
        front = after
    return front[b][1] if b in front else ()


def _incoherence(parts: Split, own: Mapping[str, object], indirect: bool) -> tuple[int, tuple[str, ...]]:
    """Levels, and the numbers behind them; none where the two cannot be compared."""
    if math.isnan(parts.p) or not indirect:
        if own.get("incoherence"):
            name = f"{parts.treatment_1}:{parts.treatment_2}"
            raise InputError(f"decided for {name}: incoherence needs both direct and indirect evidence")
        return 0, ()
    said = f"direct and indirect estimates differ by {abs(parts.difference):.3g}, P = {parts.p:.3f}"
    proposed = -1 if parts.p < INCOHERENT else 0
    return int(str(own.get("incoherence", proposed))), (said,)


def _ask(shares: tuple[float, float, float], used: Sequence[str], start: str, kind: str) -> str:
    """What the contributions show and the ratings of the comparisons do not."""
    notes = []
    if 100.0 * (shares[1] + shares[2]) >= MOST and all(level == start for level in used):
        notes.append("half or more of what contributes is not at low risk of bias, though no comparison was lowered")
    if 100.0 * shares[0] > MOST and any(level != start for level in used):
        notes.append("a comparison was lowered, but most of what contributes is at low risk of bias")
    if kind == "indirect":
        notes.append("purely indirect: judge intransitivity")
    return "; ".join(notes)

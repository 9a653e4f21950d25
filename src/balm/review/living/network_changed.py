"""What changed in a network between two states: its studies and treatments, and every comparison with the trial that
moved it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from balm.review.certainty.planned_network import NetworkCertainty
from balm.review.living.standing import CertaintyChange, crossing, known
from balm.review.networks.analysed import NetworkPart, NetworkResult, parts_of
from balm.review.networks.arms import NetworkStudy
from balm.review.networks.planned import NETWORK_RATIOS

Pair = tuple[str, str]
#: What the order of sums and an iteration of tau2 leave open in an estimate; far below any digit that is printed.
ROUNDING = 1e-7
Rated = Mapping[str, NetworkCertainty]


@dataclass(frozen=True, slots=True)
class ComparisonStanding:
    """One comparison as it stood: its direct studies, and the estimate with its interval on the scale that is shown."""

    k: int
    estimate: float | None
    low: float | None
    high: float | None

    def like(self, other: ComparisonStanding) -> bool:
        """Whether the two say the same: studies elsewhere in a network change the order of its sums."""
        mine, its = ((s.estimate, s.low, s.high) for s in (self, other))
        return self.k == other.k and all(
            x == y or (x is not None and y is not None and math.isclose(x, y, rel_tol=ROUNDING, abs_tol=ROUNDING))
            for x, y in zip(mine, its, strict=True)
        )


@dataclass(frozen=True, slots=True)
class ComparisonMove:
    """One new trial: the comparison without it (``None`` where nothing joins the two then), and by how much it moves
    the estimate, on the analysis scale."""

    study: str
    label: str
    standing: ComparisonStanding | None
    by: float


@dataclass(frozen=True, slots=True)
class ComparisonChange:
    """One comparison then and now; ``None`` where the two were not, or are no longer, joined. ``certainty`` is ``None``
    where it is no longer compared. ``moves``: the new trials, the one that moves it most first."""

    treatment: str
    against: str
    measure: str
    before: ComparisonStanding | None
    after: ComparisonStanding | None
    moves: tuple[ComparisonMove, ...]
    certainty: CertaintyChange | None

    @property
    def moved(self) -> bool:
        """Whether the result is another one."""
        return self.before is None or self.after is None or not self.before.like(self.after)

    @property
    def same(self) -> bool:
        """Whether the comparison says what it said, with the same certainty."""
        return not self.moved and (self.certainty is None or self.certainty.same)

    @property
    def crossed(self) -> str:
        """How the interval's relation to no effect changed; empty where it did not."""
        return crossing(self.measure, self.before, self.after)


@dataclass(frozen=True, slots=True)
class NetworkSize:
    """How large a network was: studies, people, treatments, and comparisons with direct evidence."""

    studies: int
    people: float
    treatments: int
    direct: int
    parts: int


@dataclass(frozen=True, slots=True)
class NetworkChange:
    """One planned network then and now; ``None`` where it was not planned. Studies are ids, treatments names.

    direct       : comparisons that have direct evidence now and had none; ``no_direct`` those that lost it.
    corrected    : studies that were in it and whose numbers differ.      plan : choices of method that changed.
    comparisons  : those with the reference first, then those that are no longer compared.
    """

    id: str
    title: str
    reference: str
    before: NetworkSize | None
    after: NetworkSize | None
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()
    treatments: tuple[str, ...] = ()
    no_treatments: tuple[str, ...] = ()
    direct: tuple[Pair, ...] = ()
    no_direct: tuple[Pair, ...] = ()
    comparisons: tuple[ComparisonChange, ...] = ()
    plan: tuple[tuple[str, str, str], ...] = ()

    @property
    def same(self) -> bool:
        """Whether the network says what it said."""
        moved = self.new or self.gone or self.corrected or self.plan
        return self.before == self.after and not moved and all(c.same for c in self.comparisons)


def network_change(
    then: NetworkResult | None,
    now: NetworkResult | None,
    rated_then: Rated,
    rated_now: Rated,
    plan: tuple[tuple[str, str, str], ...] = (),
) -> NetworkChange:
    """One network at two moments. ``rated_then`` is empty where what was judged then is not known."""
    shown = now or then
    assert shown is not None
    if then is None or now is None:
        return NetworkChange(shown.id, shown.title, shown.spec.reference, _size(then), _size(now))
    had, has = ({s.study: s for s in n.studies} for n in (then, now))
    named = {frozenset(c.pair): c.pair for c in rated_now.values()}
    joined_then, joined_now = ({key: named.get(key, pair) for key, pair in _joined(n).items()} for n in (then, now))
    new = tuple(s for s in has if s not in had)
    return NetworkChange(
        now.id,
        now.title,
        now.spec.reference,
        _size(then),
        _size(now),
        new,
        tuple(s for s in had if s not in has),
        tuple(s for s in has if s in had and _numbers(had[s]) != _numbers(has[s])),
        tuple(t for t in now.treatments if t not in then.treatments),
        tuple(t for t in then.treatments if t not in now.treatments),
        tuple(pair for key, pair in joined_now.items() if key not in joined_then),
        tuple(pair for key, pair in joined_then.items() if key not in joined_now),
        tuple(_comparisons(then, now, rated_then, rated_now, new)),
        plan,
    )


def _size(network: NetworkResult | None) -> NetworkSize | None:
    if network is None:
        return None
    people = math.fsum(part.people for part in network.parts)
    return NetworkSize(len(network.studies), people, len(network.treatments), len(_joined(network)), len(network.parts))


def _joined(network: NetworkResult) -> dict[frozenset[str], Pair]:
    """The comparisons that a study makes."""
    found: dict[frozenset[str], Pair] = {}
    for study in network.studies:
        for i, a in enumerate(study.treatments):
            for b in study.treatments[i + 1 :]:
                found.setdefault(frozenset((a, b)), (a, b))
    return found


def _numbers(study: NetworkStudy) -> object:
    return sorted((arm.treatment, tuple(sorted(arm.values.items()))) for arm in study.arms)


def _comparisons(
    then: NetworkResult, now: NetworkResult, rated_then: Rated, rated_now: Rated, new: Sequence[str]
) -> Iterator[ComparisonChange]:
    label = {s.study: s.label for s in now.studies}
    without = {one: parts_of(now.spec, [s for s in now.studies if s.study != one]) for one in new}
    for key, c in rated_now.items():
        pair = c.pair
        before, after = _standing(then.parts, pair), _standing(now.parts, pair)
        moves = []
        for one, parts in without.items():
            left = _standing(parts, pair)
            estimate = _estimate(parts, pair)
            by = math.nan if estimate is None else c.comparison.estimate - estimate
            moves.append(ComparisonMove(one, label[one], left, by))
        moves.sort(key=lambda m: -abs(m.by) if m.by == m.by else -math.inf)
        was = rated_then.get(key)
        certainty = CertaintyChange(
            c.name, was.certainty if was else None, c.certainty, was.proposed if was else None, c.proposed
        )
        yield ComparisonChange(*pair, now.measure, before, after, tuple(moves), certainty)
    compared = {frozenset(c.pair) for c in rated_now.values()}
    for part in then.parts:
        for s in part.fit.split() if part.fit is not None else ():
            pair = (s.treatment_1, s.treatment_2)
            if frozenset(pair) not in compared:
                yield ComparisonChange(*pair, then.measure, _standing(then.parts, pair), None, (), None)


def _estimate(parts: Sequence[NetworkPart], pair: Pair) -> float | None:
    part = _part(parts, pair)
    return None if part is None else part.network.compare(*pair).estimate


def _part(parts: Sequence[NetworkPart], pair: Pair) -> NetworkPart | None:
    return next((p for p in parts if p.fit is not None and set(pair) <= set(p.treatments)), None)


def _standing(parts: Sequence[NetworkPart], pair: Pair) -> ComparisonStanding | None:
    part = _part(parts, pair)
    if part is None:
        return None
    c = part.network.compare(*pair)
    values = [c.estimate, c.interval.low, c.interval.high]
    if part.network.measure in NETWORK_RATIOS:
        values = [math.exp(x) if x < 700 else math.inf for x in values]
    direct = sum(set(pair) <= set(s.treatments) for s in part.studies)
    return ComparisonStanding(direct, *map(known, values))

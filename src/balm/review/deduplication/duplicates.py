"""Duplicates among records: what was merged, what has to be asked, why, and what persons said to it."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from balm.review.deduplication.clusters import clusters_of, components
from balm.review.deduplication.comparison import Comparison, compare
from balm.review.deduplication.decided import (
    DUPLICATE,
    NOT_DUPLICATE,
    SAME_STUDY,
    UNDECIDED,
    decision_on,
    in_force,
    pair_of,
)
from balm.review.deduplication.deciding import MERGE, Scored, score_pairs, score_records
from balm.review.deduplication.likeness import check_installed
from balm.review.deduplication.merged import kept_first, merge_records
from balm.review.deduplication.prepared import Ints, Prepared, prepare
from balm.review.deduplication.rules import RULES
from balm.review.deduplication.score import FEATURES, INTERCEPT, WEIGHTS, features_of
from balm.review.deduplication.spread import engine_named
from balm.review.deduplication.vetoes import VETOES
from balm.review.records.collection import Records
from balm.vocabulary.evidence import DuplicateDecision
from balm.vocabulary.problems import InputError
from balm.vocabulary.record import Record

#: Every pair inside a group of joined records is looked at up to this size, the found ones only beyond it.
WHOLE_GROUP = 300
#: What a pair says that no rule holds for, but the score speaks for.
ALIKE = "alike by score"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records: ``decision`` is ``"merge"`` or ``"review"``, ``score`` the probability that they are one report.

    ``rule`` says why: the rule that merged them, what a question is about, or who decided. ``fields`` are those it
    rests on.
    """

    record_1: str
    record_2: str
    decision: str
    score: float
    rule: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one report: their ids, the kept one first, and the record laid over them.

    ``provenance`` names for each field of ``record`` the ids its value came from; ``sources`` are the file and the
    place in it of every record, in the order of ``ids``.
    """

    ids: tuple[str, ...]
    record: Record
    provenance: dict[str, tuple[str, ...]]
    sources: tuple[tuple[str, int], ...] = ()

    @property
    def kept(self) -> str:
        """The id the merged record goes by."""
        return self.ids[0]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a pair is judged as it is: the rules and vetoes that hold and what each field adds to the log-odds."""

    record_1: str
    record_2: str
    decision: str  # merge, review, keep
    score: float
    rules: tuple[str, ...]
    vetoes: tuple[str, ...]
    contributions: tuple[tuple[str, str, float], ...]  # (what, field, log-odds)

    def __str__(self) -> str:
        lines = [f"{self.record_1} and {self.record_2}: {self.decision}, score {self.score:.3f}"]
        lines += [f"  rule: {rule}" for rule in self.rules]
        lines += [f"  against: {veto}" for veto in self.vetoes]
        lines += [f"  {weight:+6.2f}  {what}" for what, _, weight in self.contributions]
        return "\n".join(lines)


class Duplicates:
    """The outcome of :func:`find_duplicates`: ``groups``, ``pairs``, ``unique``, ``counts``; it never changes.

    ``decide`` and ``undo`` return a new value with one decision more; no record is ever lost.
    """

    def __init__(
        self, records: Records, prepared: Prepared, scored: Scored, decisions: tuple[DuplicateDecision, ...]
    ) -> None:
        self.records = records
        self.decisions = decisions
        self._prepared = prepared
        self._scored = scored
        self._position = {r.id: k for k, r in enumerate(records)}
        self._clusters, self._pairs = self._clustered()

    # -- what was found ---------------------------------------------------------------------------------------------

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The groups of two and more records, in the order of their first record."""
        out = []
        for cluster in self._clusters:
            members = kept_first([self.records[k] for k in cluster])
            record, provenance = merge_records(members)
            sources = tuple((m.source_file, m.ordinal) for m in members)
            out.append(Group(tuple(m.id for m in members), record, provenance, sources))
        return tuple(out)

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Every merged pair, then the questions, each once for two groups, the likeliest first."""
        ids = [r.id for r in self.records]
        return tuple(
            Pair(ids[i], ids[j], decision, score, rule, fields) for i, j, decision, score, rule, fields in self._pairs
        )

    @property
    def review(self) -> tuple[Pair, ...]:
        """The questions left to a person."""
        return tuple(pair for pair in self.pairs if pair.decision == "review")

    @cached_property
    def unique(self) -> Records:
        """One record a report: the merged ones and those that stand alone, in the order they came."""
        first = {cluster[0]: group.record for cluster, group in zip(self._clusters, self.groups, strict=True)}
        later = {k for cluster in self._clusters for k in cluster[1:]}
        return Records(
            (first.get(k, record) for k, record in enumerate(self.records) if k not in later), self.records.receipt
        )

    @property
    def counts(self) -> dict[str, int]:
        """``records``, ``unique``, ``removed`` (``by_rule``, ``by_hand``), ``groups``, ``review``, ``kept_apart``."""
        removed = sum(len(c) - 1 for c in self._clusters)
        forced = {p for p, d in in_force(self.decisions).items() if d.decision == DUPLICATE}
        without = (
            self
            if not forced
            else self._with(tuple(d for d in self.decisions if pair_of(d.record_1, d.record_2) not in forced))
        )
        by_rule = min(removed, sum(len(c) - 1 for c in without._clusters))
        return {
            "records": len(self.records),
            "unique": len(self.records) - removed,
            "removed": removed,
            "by_rule": by_rule,
            "by_hand": removed - by_rule,
            "groups": len(self._clusters),
            "review": sum(1 for pair in self._pairs if pair[2] == "review"),
            "kept_apart": sum(1 for d in in_force(self.decisions).values() if d.decision == NOT_DUPLICATE),
        }

    @property
    def same_study(self) -> tuple[tuple[str, str], ...]:
        """Pairs a person called two reports of one study."""
        return tuple(
            p for p, d in in_force(self.decisions).items() if d.decision == NOT_DUPLICATE and d.rule == SAME_STUDY
        )

    def __repr__(self) -> str:
        c = self.counts
        return (
            f"Duplicates({c['records']:,} records: {c['removed']:,} duplicates in {c['groups']:,} groups, "
            f"{c['unique']:,} unique; {c['review']:,} to review)"
        )

    # -- why --------------------------------------------------------------------------------------------------------

    def explain(self, record_1: str, record_2: str) -> Explanation:
        """Why two records are, or are not, taken for one report."""
        a, b = sorted((self._at(record_1), self._at(record_2)))
        if a == b:
            raise InputError(f"an explanation needs two records; got {record_1!r} twice")
        i, j = np.array([a]), np.array([b])
        comparison: Comparison = next(iter(compare(self._prepared, i, j, all_pairs=True)))
        judged = score_pairs(self._prepared, i, j, all_pairs=True, every=True)
        added = [
            (f.name, f.field, float(v * w))
            for f, v, w in zip(FEATURES, features_of(comparison)[0], WEIGHTS, strict=True)
            if v
        ]
        return Explanation(
            record_1,
            record_2,
            ("keep", "review", "merge")[int(judged.band[0])],
            float(judged.score[0]),
            tuple(r.name for r in RULES if r.holds(comparison)[0]),
            tuple(v.name for v in VETOES if v.holds(comparison)[0]),
            (("any two records compared", "", INTERCEPT), *sorted(added, key=lambda t: -abs(t[2]))),
        )

    # -- what a person says -----------------------------------------------------------------------------------------

    def decide(
        self,
        record_1: str,
        record_2: str,
        decision: str,
        *,
        person: str,
        reason: str | None = None,
        time: str | None = None,
    ) -> Duplicates:
        """A new value with a person's decision appended: ``"duplicate"``, ``"not duplicate"`` or ``"undecided"``.

        ``reason="same study, different report"`` also links the two as reports of one study.
        """
        self._at(record_1), self._at(record_2)
        new = decision_on(record_1, record_2, decision, person=person, reason=reason, time=time)
        return self._with((*self.decisions, new))

    def undo(self, record_1: str, record_2: str, *, person: str, time: str | None = None) -> Duplicates:
        """A new value in which the two are apart again (a merge by rule) or as the rules see them (a decision)."""
        decided = in_force(self.decisions).get(pair_of(record_1, record_2))
        word = UNDECIDED if decided else NOT_DUPLICATE
        return self.decide(record_1, record_2, word, person=person, reason="undone", time=time)

    def rows(self, *, time: str | None = None) -> tuple[DuplicateDecision, ...]:
        """What ``duplicates.csv`` of a review package holds: one row a removed record, then the persons' decisions.

        ``record_1`` is the record kept. Decisions that were withdrawn are left out.
        """
        strongest: dict[str, str] = {}
        for pair in self.pairs:
            if pair.decision == "merge":
                for record in (pair.record_1, pair.record_2):
                    strongest.setdefault(record, pair.rule)
        by_rule = tuple(
            DuplicateDecision(g.kept, other, DUPLICATE, strongest.get(other), None, time)
            for g in self.groups
            for other in g.ids[1:]
        )
        kept = {g.kept for g in self.groups}
        decided = in_force(self.decisions)
        by_hand = tuple(
            replace(d, record_1=d.record_2, record_2=d.record_1)
            if d.decision == DUPLICATE and d.record_2 in kept
            else d
            for d in self.decisions
            if d.person is not None and pair_of(d.record_1, d.record_2) in decided and d.decision != UNDECIDED
        )
        return (*by_rule, *by_hand)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _with(self, decisions: tuple[DuplicateDecision, ...]) -> Duplicates:
        return Duplicates(self.records, self._prepared, self._scored, decisions)

    def _at(self, record: str) -> int:
        if record not in self._position:
            raise InputError(f"there is no record {record!r} among the {len(self.records):,} read")
        return self._position[record]

    def _clustered(self) -> tuple[list[list[int]], list[tuple[int, int, str, float, str, tuple[str, ...]]]]:
        s, order = self._scored, self._prepared.order
        forced: dict[tuple[int, int], str] = {}
        barred: set[tuple[int, int]] = set()
        for (one, two), d in in_force(self.decisions).items():
            if one in self._position and two in self._position:
                a, b = sorted((self._position[one], self._position[two]))
                if d.decision == DUPLICATE:
                    forced[a, b] = f"decided by {d.person}"
                else:
                    barred.add((a, b))
        merge = s.only(s.band == MERGE)
        low, high = np.minimum(order[merge.i], order[merge.j]), np.maximum(order[merge.i], order[merge.j])
        merge = merge.only(np.lexsort((high, low, -merge.score)))
        ends = np.array(list(forced), dtype=np.int64).reshape(-1, 2)
        joined = components(np.concatenate([merge.i, ends[:, 0]]), np.concatenate([merge.j, ends[:, 1]]))
        root = {k: name for name, members in joined.items() for k in members}
        vetoed = self._apart(joined, root)
        apart = (set(vetoed) - self._overruled(forced, vetoed, merge)) | barred
        apart -= set(forced)
        troubled = {root[a] for a, b in apart if a in root and root[a] == root.get(b)}
        clusters = [sorted(m) for name, m in joined.items() if name not in troubled and len(m) > 1]
        edges: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for pair in forced:
            edges[root[pair[0]]].append(pair)
        if troubled:
            for a, b in zip(merge.i.tolist(), merge.j.tolist(), strict=True):
                if root[a] in troubled:
                    edges[root[a]].append((a, b))
        for name in troubled:
            found, _ = clusters_of(
                [e for e in edges[name] if e not in barred], lambda a, b: ((a, b) if a < b else (b, a)) in apart
            )
            clusters += found
        clusters.sort()
        return clusters, self._named(clusters, merge, forced, barred)

    def _overruled(
        self, forced: Iterable[tuple[int, int]], vetoed: dict[tuple[int, int], int], merge: Scored
    ) -> set[tuple[int, int]]:
        """Vetoed pairs that persons' decisions settle: what they joined in several steps; and, for the groups of the
        two records decided on, the one veto that stood against these two. Another veto still stands.
        """
        pairs = list(forced)
        if not pairs or not vetoed:
            return set()
        ends = np.array(pairs, dtype=np.int64)
        by_hand = {k: name for name, members in components(ends[:, 0], ends[:, 1]).items() for k in members}
        group = {k: name for name, members in components(merge.i, merge.j).items() for k in members}
        between: dict[tuple[int, int, int], list[tuple[int, int]]] = defaultdict(list)
        for (a, b), veto in vetoed.items():
            x, y = sorted((group.get(a, a), group.get(b, b)))
            if x != y:
                between[x, y, veto].append((a, b))
        told = score_pairs(self._prepared, ends[:, 0], ends[:, 1], all_pairs=True, every=True)
        out = {(a, b) for a, b in vetoed if a in by_hand and by_hand[a] == by_hand.get(b)}
        for a, b, veto in _rows(told.i, told.j, told.veto):
            x, y = sorted((group.get(a, a), group.get(b, b)))
            out.update(between.get((x, y, veto), ()))
        return out

    def _apart(self, joined: dict[int, list[int]], root: dict[int, int]) -> dict[tuple[int, int], int]:
        """Pairs within one chain of merges that a veto keeps apart, the ones never compared before included."""
        s = self._scored
        n = max(len(self.records), 1)
        inner: list[int] = []
        for members in joined.values():
            if 2 < len(members) <= WHOLE_GROUP:
                ordered = sorted(members)
                inner += [a * n + b for x, a in enumerate(ordered) for b in ordered[x + 1 :]]
        known = s.i * n + s.j
        codes: Ints = np.setdiff1d(np.array(inner, dtype=np.int64), known)
        new = score_pairs(self._prepared, codes // n, codes % n, all_pairs=True, every=True)
        out: dict[tuple[int, int], int] = {}
        for part in (s, new):
            cut = part.only(part.cutting & (part.band != MERGE))
            for a, b, veto in _rows(cut.i, cut.j, cut.veto):
                if a in root and root[a] == root.get(b):
                    out[a, b] = veto
        return out

    def _named(
        self,
        clusters: list[list[int]],
        merge: Scored,
        forced: dict[tuple[int, int], str],
        barred: set[tuple[int, int]],
    ) -> list[tuple[int, int, str, float, str, tuple[str, ...]]]:
        s, order = self._scored, self._prepared.order
        home = np.arange(len(self.records))
        for cluster in clusters:
            home[cluster] = cluster[0]
        named: list[tuple[int, int, str, float, str, tuple[str, ...]]] = [
            (a, b, "merge", 1.0, why, ()) for (a, b), why in forced.items() if home[a] == home[b]
        ]
        together = merge.only(home[merge.i] == home[merge.j])
        for a, b, score, rule in _rows(together.i, together.j, together.score, together.rule):
            if (a, b) not in forced:
                name, fields = (RULES[rule].name, RULES[rule].fields) if rule >= 0 else (ALIKE, ())
                named.append((a, b, "merge", score, name, fields))
        asked = s.only((s.band != 0) & (home[s.i] != home[s.j]))
        low, high = np.minimum(order[asked.i], order[asked.j]), np.maximum(order[asked.i], order[asked.j])
        asked = asked.only(np.lexsort((high, low, -asked.score)))
        seen: set[tuple[int, int]] = set()
        kept_apart = {(min(home[a], home[b]), max(home[a], home[b])) for a, b in barred}
        for a, b, score, rule, veto in _rows(asked.i, asked.j, asked.score, asked.rule, asked.veto):
            question = (min(home[a], home[b]), max(home[a], home[b]))
            if question in seen or question in kept_apart:
                continue
            seen.add(question)
            told = RULES[rule].name if rule >= 0 else ALIKE
            against = VETOES[veto].name if veto >= 0 else "joined to what must stay apart" if told != ALIKE else ""
            named.append(
                (
                    a,
                    b,
                    "review",
                    score,
                    f"{told}; but {against}" if against else told,
                    RULES[rule].fields if rule >= 0 else (),
                )
            )
        return named


def _rows(*columns: np.ndarray[tuple[int], np.dtype[np.generic]]) -> Iterable[tuple[int, ...]]:
    return zip(*(c.tolist() for c in columns), strict=True)


def find_duplicates(
    records: Sequence[Record] | Iterable[Record],
    *,
    decisions: Iterable[DuplicateDecision] = (),
    engine: str = "local",
    client: Any = None,
) -> Duplicates:
    """Records that index one and the same report, in any number of exports.

    Merges what is certain, asks about what is doubtful, and never merges what PRISMA keeps apart: a meeting abstract
    and its paper, a preprint and its paper, a correction, a reply, parts I and II, trials that share a title.
    ``decisions`` are those a person took before (``duplicates.csv``); they stand above every rule. The result does not
    depend on the order of the records. ``engine="dask"`` looks for pairs and judges them on a Dask cluster, that of
    ``client`` or one of this computer, with the same outcome. See "How duplicates are found" for rules, vetoes and
    measured accuracy.

    >>> a = Record(id="1", title="Ketamine for chronic neuropathic pain after injury", authors=("Lynch ME",),
    ...            year=2015, journal="Pain", volume="16", pages="221-8")
    >>> b = Record(id="2", title="KETAMINE FOR CHRONIC NEUROPATHIC PAIN AFTER INJURY.", authors=("Lynch, Mary E.",),
    ...            year=2015, journal="Pain", volume="16", pages="221-228")
    >>> found = find_duplicates([a, b])
    >>> found.groups[0].ids, found.pairs[0].rule
    (('1', '2'), 'same title, volume and page')
    """
    check_installed()
    held = records if isinstance(records, Records) else Records(records)
    if len({r.id for r in held}) < len(held):
        held = _with_own_ids(held)
    collecting = gc.isenabled()
    gc.disable()  # nothing here holds cycles; the collector would walk all records again and again
    try:
        prepared = prepare(held)
        with engine_named(engine, client) as each:
            scored = score_records(prepared, each)
        return Duplicates(held, prepared, scored, tuple(decisions))
    finally:
        if collecting:
            gc.enable()


def _with_own_ids(records: Records) -> Records:
    """The records with ids that are told apart: the second ``x`` becomes ``x#2``."""
    taken: dict[str, int] = defaultdict(int)
    used = {r.id for r in records}
    out = []
    for record in records:
        taken[record.id] += 1
        name = record.id
        while taken[record.id] > 1 and name in used:
            name = f"{record.id}#{taken[record.id]}"
            if name in used:
                taken[record.id] += 1
        used.add(name)
        out.append(record if name == record.id else replace(record, id=name))
    return Records(out, records.receipt)

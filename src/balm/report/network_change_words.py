"""What changed in a network in words and as plain values: studies, treatments, and every comparison that moved."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from balm.report.document.wording import listed, many
from balm.report.standing_words import certainty_words, estimate_text, moved_words
from balm.review.certainty.words import NOT_RATED
from balm.review.living.history import labels_of
from balm.review.living.network_changed import ComparisonChange, ComparisonStanding, NetworkChange, NetworkSize
from balm.review.living.standing import known
from balm.review.package import Package
from balm.vocabulary.numbers import plain

#: Comparisons of a network that are printed; the others are counted, and stand in the values for machines.
MOST_PRINTED = 15


def network_lines(n: NetworkChange, package: Package) -> list[str]:
    """One network then and now, what came and went, and the comparisons that moved, each with the trial that did it."""
    lines = [f"{n.title} [{n.id}]"]
    if n.before != n.after:
        lines += [f"  then: {_size(n.before)}", f"  now:  {_size(n.after)}"]
    else:
        lines.append(f"  {_size(n.after)}, as before")
    for what, ids in (("new", n.new), ("gone", n.gone), ("numbers corrected", n.corrected)):
        if ids:
            lines.append(f"  {what}: {', '.join(labels_of(package, ids)) or ', '.join(ids)}")
    for what, texts in (
        ("new treatments", n.treatments),
        ("treatments no longer in it", n.no_treatments),
        ("direct evidence for the first time", [f"{a} against {b}" for a, b in n.direct]),
        ("direct evidence no longer", [f"{a} against {b}" for a, b in n.no_direct]),
    ):
        if texts:
            lines.append(f"  {what}: {listed(texts)}")
    lines += [f"  plan: {name} {was} → {now}" for name, was, now in n.plan]
    moved = sorted((c for c in n.comparisons if not c.same), key=lambda c: _rank(c, n.reference))
    for c in moved[:MOST_PRINTED]:
        lines += _comparison(c)
    if len(moved) > MOST_PRINTED:
        lines.append(f"  and {many(len(moved) - MOST_PRINTED, 'further comparison')} that moved")
    return lines


def _rank(c: ComparisonChange, reference: str) -> tuple[bool, bool]:
    """Those whose certainty or relation to no effect changed first, then those with the reference."""
    changed = bool(c.crossed) or (c.certainty is not None and not c.certainty.same)
    return not changed, reference not in (c.treatment, c.against)


def _size(size: NetworkSize | None) -> str:
    if size is None:
        return "not planned"
    if not size.studies:
        return "no study compares two treatments"
    parts = f", in {size.parts} parts that no study joins" if size.parts > 1 else ""
    return (
        f"{many_in_figures(size.studies, 'study', 'studies')}, "
        f"{many_in_figures(round(size.people), 'person', 'people')}, {many_in_figures(size.treatments, 'treatment')}, "
        f"{many_in_figures(size.direct, 'comparison')} with direct evidence{parts}"
    )


def many_in_figures(n: int, one: str, more: str = "") -> str:
    """A count with its noun, in figures as lists of changes have them.

    >>> many_in_figures(1, "study", "studies"), many_in_figures(1200, "treatment")
    ('1 study', '1200 treatments')
    """
    return f"{plain(n)} {one if n == 1 else more or f'{one}s'}"


def _comparison(c: ComparisonChange) -> list[str]:
    name = f"  {c.treatment} against {c.against}"
    if not c.moved:
        lines = [f"{name}: {_standing(c.after, c.measure)}, as before"]
    else:
        crossed = f"; {c.crossed}" if c.crossed else ""
        lines = [
            f"{name}:",
            f"    then: {_standing(c.before, c.measure)}",
            f"    now:  {_standing(c.after, c.measure)}{crossed}",
        ]
    if c.certainty is not None and not c.certainty.same:
        lines.append(f"    certainty: {certainty_words(c.certainty)}")
    elif c.certainty is not None and c.certainty.before is None and c.certainty.after != NOT_RATED:
        lines.append(f"    certainty: {c.certainty.after} now, proposed {c.certainty.proposed_after}")
    if c.moved:
        lines += [f"    {text}" for text in moved_words(c.moves[:1], c.measure)]
    return lines


def _standing(standing: ComparisonStanding | None, measure: str) -> str:
    if standing is None:
        return "not compared: nothing joins the two"
    direct = many_in_figures(standing.k, "direct study", "direct studies") if standing.k else "indirect evidence only"
    return f"{measure} {estimate_text(standing, measure)}, {direct}"


def network_change_plain(n: NetworkChange) -> dict[str, Any]:
    """One network as values; what is not there is ``None``."""
    return {
        "network": n.id,
        "before": None if n.before is None else asdict(n.before),
        "after": None if n.after is None else asdict(n.after),
        "new": list(n.new),
        "gone": list(n.gone),
        "corrected": list(n.corrected),
        "new_treatments": list(n.treatments),
        "gone_treatments": list(n.no_treatments),
        "new_direct": [list(pair) for pair in n.direct],
        "gone_direct": [list(pair) for pair in n.no_direct],
        "comparisons": [
            {
                "treatment": c.treatment,
                "against": c.against,
                "before": None if c.before is None else asdict(c.before),
                "after": None if c.after is None else asdict(c.after),
                "moved_by": [{"study": m.study, "by": known(m.by)} for m in c.moves],
                "crossed": c.crossed or None,
                "certainty": None if c.certainty is None else asdict(c.certainty),
            }
            for c in n.comparisons
        ],
    }

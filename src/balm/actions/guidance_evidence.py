"""What the review itself found, for one condition: pooled or not, in which window, with which certainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from balm.guidance.rules import Rule
from balm.guidance.therapy import Named, Therapy, broader
from balm.report.html_report.analysis_view import shown_name
from balm.report.result_sentence import shows_ratio
from balm.review.certainty.of_analysis import bases_of
from balm.review.certainty.on_record import standing
from balm.review.certainty.words import OVERALL
from balm.review.package import Package
from balm.review.synthesis import AnalysisResult, Synthesis, analyse
from balm.vocabulary.evidence import Published, Study

NOT_ASSESSED = "certainty not assessed in this review"
STALE = "stale: its data or judgements have changed since"
#: Only what was pooled for pain by others can make a guideline old; harms are compared in the report.
PAIN = "pain"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One analysis for one condition. ``estimate`` and its interval are on the displayed scale."""

    analysis: str
    title: str
    outcome: str
    domain: str
    measure: str
    ratio: bool  # whether the estimate is a ratio, which is never shown as 0
    window: str
    condition: str
    k: int
    studies: tuple[str, ...]
    estimate: float | None
    low: float | None
    high: float | None
    what: str  # pooled, one study, nothing to pool
    why: str
    controlled: bool
    certainty: str
    certainty_note: str  # about what, by whom and when it was rated; empty where it was not


def evidence_for(synthesis: Synthesis, therapy: Therapy, condition: Named | None) -> tuple[Evidence, ...]:
    """Every planned analysis, carried out over the studies of ``condition``; over all where none is asked for."""
    package = synthesis.package
    found: list[Evidence] = []
    for result in synthesis.analyses:
        if result.spec.outside:
            continue  # a check of somebody else's figure, outside the question of the review
        shown = result
        if condition is not None:
            wanted = tuple(s.study for s in package.studies if about(s, condition, therapy))
            wanted = tuple(s for s in wanted if not result.spec.studies or s in result.spec.studies)
            if not wanted:
                found.append(_evidence(package, result, condition, None))
                continue
            spec = replace(result.spec, studies=wanted, by=None, subgroups=(), sensitivity=(), overall=True)
            shown = analyse(package, spec)
        found.append(_evidence(package, result, condition, shown))
    return tuple(found)


def about(study: Study, condition: Named, therapy: Therapy) -> bool:
    """Whether a study is about ``condition`` or a narrower one."""
    return any(condition.id in broader(c, therapy.conditions) for c in therapy.conditions_in(study.condition))


def _evidence(
    package: Package, planned: AnalysisResult, condition: Named | None, shown: AnalysisResult | None
) -> Evidence:
    estimate = low = high = None
    k, what, why = 0, "nothing to pool", "no study of this condition contributes a usable number"
    if shown is not None and shown.fit is not None:
        d = shown.fit.displayed
        estimate, low, high, k = d.estimate, d.interval.low, d.interval.high, shown.fit.k
        what, why = "pooled", ""
    elif shown is not None and shown.single is not None:
        one = shown.single
        estimate, low, high, k = one.estimate, one.interval.low, one.interval.high, 1
        what, why = "one study", one.why_not_pooled
    elif shown is not None and shown.why_not_pooled:
        why = shown.why_not_pooled
    certainty, note = _certainty(package, planned, condition)
    windows = ", ".join(w.name for w in planned.windows) or "any time"
    return Evidence(
        analysis=planned.id,
        title=planned.title,
        outcome=planned.outcome.name,
        domain=planned.outcome.domain,
        measure=shown_name(planned.measure),
        ratio=shows_ratio(planned.measure),
        window=windows,
        condition="all conditions" if condition is None else condition.name,
        k=k,
        studies=tuple(row.label for row in shown.rows) if shown is not None else (),
        estimate=estimate,
        low=low,
        high=high,
        what=what,
        why=why,
        controlled=planned.comparison.group_2 is not None,
        certainty=certainty,
        certainty_note=note,
    )


def _certainty(package: Package, planned: AnalysisResult, condition: Named | None) -> tuple[str, str]:
    """The decision that stands and whether it is stale; and what it is about, who made it and when. It is about the
    planned analysis, all conditions together."""
    overall = standing(package.certainty, planned.id).get(OVERALL)
    if overall is None:
        return NOT_ASSESSED, ""
    stale = overall.basis is not None and overall.basis not in bases_of(package, planned)
    made = [f"by {overall.assessor}"] if overall.assessor else []
    made += [f"on {overall.time[:10]}"] if overall.time else []
    notes = [" ".join(("decided", *made))] if made else []
    notes = (["for all conditions together"] if condition is not None else []) + notes
    return overall.rating + (f" ({STALE})" if stale else ""), ", ".join(notes)


@dataclass(frozen=True, slots=True)
class Newer:
    """A pooled result on pain, and the sources of advice that were published before it."""

    published: Published
    than: tuple[str, ...]


def newer_than(package: Package, rules: Sequence[Rule]) -> tuple[Newer, ...]:
    """Verified pooled results on pain, each against every source of advice on file that is older than it, by name."""
    sources = sorted({(r.source.year, r.source.name) for r in rules if r.source.year is not None})
    pain = {o.id for o in package.meta.outcomes if o.domain == PAIN}
    found = []
    for p in package.published:
        if not p.verified or p.year is None or p.outcome not in pain or p.estimate is None:
            continue
        older = tuple(name for year, name in sources if p.year > year)
        if older and p.kind in ("pooled", "network"):
            found.append(Newer(p, older))
    return tuple(sorted(found, key=lambda n: -(n.published.year or 0)))

"""The audit of a registry: every result of the report as numbers, before anything is rounded or held back.

Analyses are set beforehand by ``registry.toml``; nothing is chosen by its result. Holding back small numbers is the
report's work (:mod:`balm.report.registry`), which writes nothing but what it may show.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from balm.registry.definition import Definition, Responder, Visit
from balm.registry.doses import AgainstLimit, Given, Limit, against_limits, given
from balm.registry.harms import Harms, harms
from balm.registry.participant_flow import ParticipantFlow, participant_flow, without_consent
from balm.registry.registry import Registry
from balm.registry.relief import reliefs
from balm.registry.responders import Answered, by_begin, index_courses, responders
from balm.registry.rows import Course
from balm.registry.schedule import answer, asked_until, first_day, outside_window, window
from balm.registry.small_cells import shares_hidden
from balm.registry.tables import PAIN_TYPES
from balm.stats.control_charts import ControlChart, p_chart, xmr_chart
from balm.stats.exact_tests import chi_squared_test, exact_test, too_many
from balm.stats.kaplan_meier import Survival, kaplan_meier
from balm.stats.proportions import proportion_interval
from balm.stats.repeated_measures import Contrast, RepeatedMeasures, repeated_measures
from balm.vocabulary.problems import InputError

#: Means of visits with fewer answers say more about the few than about the visit.
FEWEST_ANSWERS = 5


@dataclass(frozen=True, slots=True)
class Share:
    """``x`` of ``n`` with a 95 % interval; ``nan`` where n is 0."""

    x: int
    n: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """x / n."""
        return self.x / self.n if self.n else math.nan


@dataclass(frozen=True, slots=True)
class ResponderResult:
    """One definition: over all treated whose visit is due, over those assessed, by pain type, and the exact test."""

    definition: Responder
    over_treated: Share
    over_assessed: Share
    not_due: int
    not_assessed: tuple[tuple[str, int], ...]
    by_pain_type: tuple[tuple[str, Share], ...]
    p_pain_type: float
    tested: tuple[str, ...]
    test: str  # "exact", or "chi-squared" where there are too many people to list every table
    answered: tuple[Answered, ...] = field(default=(), repr=False)  # every index course, under this definition

    def people(self, *states: str) -> frozenset[str]:
        """Those in one of these states of :data:`balm.registry.responders.STATES`."""
        return frozenset(a.participant for a in self.answered if a.status in states)


@dataclass(frozen=True, slots=True)
class PainOverTime:
    """Pain by visit from the mixed model, with who answered; ``fit`` is ``None`` where it cannot be fitted."""

    visits: tuple[str, ...]
    labels: tuple[str, ...]
    days: tuple[int, ...]
    observed: tuple[int, ...]
    missing: tuple[int, ...]
    not_due: tuple[int, ...]
    again: tuple[int, ...]  # not asked any more: treated again
    means: tuple[Contrast, ...]
    changes: tuple[Contrast, ...]  # of the follow-ups, from baseline
    structure: str
    people: int
    note: str
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """A site's responders among those assessed."""

    id: str
    name: str
    x: int
    n: int


@dataclass(frozen=True, slots=True)
class OverTime:
    """Control charts by the half-year (or year) in which courses began."""

    periods: tuple[str, ...]
    responders: ControlChart | None
    changes: ControlChart | None
    change_periods: tuple[str, ...] = ()
    by: str = "half-year"  # of the responders: years where half-years would be held back


@dataclass(frozen=True)
class Audit:
    """Every result, for one site or all, at one day."""

    definition: Definition
    today: date
    site: str
    period: tuple[date | None, date | None]
    visit: Visit
    flow: ParticipantFlow
    people: int
    sexes: tuple[tuple[str, int], ...]
    ages: tuple[float, float, float, int]  # median, quartiles, known
    pain_types: tuple[tuple[str, int], ...]
    responders: tuple[ResponderResult, ...]
    pain: PainOverTime
    relief: Survival | None
    relief_how: tuple[tuple[str, int], ...]
    doses: tuple[Given, ...]
    limits: tuple[AgainstLimit, ...]
    harms: Harms
    stops: tuple[tuple[str, int], ...]
    sites: tuple[Site, ...]
    over_time: OverTime
    outside_window: int
    sessions: int
    signed: int
    primary: Responder
    at_visits: tuple[tuple[str, tuple[ResponderResult, ...]], ...] = ()  # of percentages, to stand beside trials
    answered: tuple[Answered, ...] = field(default=(), repr=False)


def audit(
    registry: Registry,
    today: date,
    *,
    site: str | None = None,
    since: date | None = None,
    until: date | None = None,
    limits: Sequence[Limit] = (),
) -> Audit:
    """Work out every result as of ``today``; of one ``site``, of courses begun ``since`` and ``until`` where given."""
    d = registry.definition
    if site is not None and d.site(site) is None:
        raise InputError(f"site must be one of {[s.id for s in d.sites]}; got {site!r}")
    people = [p for p in registry.participants if site in (None, p.site)]
    chosen = {p.participant for p in people}
    refused = without_consent(registry) & chosen
    courses = [c for c in index_courses(registry) if c.participant in chosen - refused]
    if since is not None or until is not None:
        low, high = since or date.min, until or date.max
        courses = [c for c in courses if low <= (first_day(registry, c.course) or date.max) <= high]
        keep = {c.participant for c in courses}
        people = [p for p in people if p.participant in keep]
        refused = set()
    visit = d.visit(d.primary_visit)
    assert visit is not None
    flow = participant_flow(registry, courses, visit, today, refused=len(refused), enrolled=len(people))
    results = tuple(_responders(registry, courses, visit, r, today) for r in d.responders)
    primary = d.primary
    answered = responders(registry, courses, visit, primary, today)
    treated = {c.participant for c in courses}
    own = [p for p in people if p.participant in treated]
    all_courses = [c for c in registry.courses if c.participant in treated]
    sessions = [s for c in all_courses for s in registry.sessions_of.get(c.course, ())]
    doses = tuple(given(registry, s) for s in sessions)
    held = reliefs(registry, courses, today)
    return Audit(
        definition=d,
        today=today,
        site=site or "",
        period=(since, until),
        visit=visit,
        flow=flow,
        people=len(own),
        sexes=_counted([p.sex or "not recorded" for p in own]),
        ages=_ages([first_day(registry, c.course).year - p.year_of_birth for c in courses  # type: ignore[union-attr]
                    if (p := registry.participant_of[c.participant]).year_of_birth is not None]),
        pain_types=_counted([c.pain_type for c in courses], PAIN_TYPES),
        responders=results,
        pain=_pain(registry, courses, today),
        relief=kaplan_meier([r.days for r in held], [r.ended for r in held]) if held else None,
        relief_how=_counted([r.how for r in held]),
        doses=doses,
        limits=tuple(against_limits(doses, limits)),
        harms=harms(registry, courses),
        stops=_counted([s.reason for s in registry.stops if s.course in {c.course for c in courses}]),
        sites=_sites(registry, answered),
        over_time=_over_time(registry, by_begin(registry, answered), courses, visit),
        outside_window=outside_window(
            replace(registry, courses=tuple(all_courses)) if len(all_courses) < len(registry.courses) else registry
        ),
        sessions=len(sessions),
        signed=sum(s.status == "signed" for s in sessions),
        primary=primary,
        at_visits=tuple(
            (v.id, tuple(_responders(registry, courses, v, r, today) for r in d.responders if _plain(r)))
            for v in d.follow_ups
        ),
        answered=tuple(answered),
    )  # fmt: skip


def _plain(definition: Responder) -> bool:
    """Whether a definition is that of trials: a percentage of pain, and nothing about stopping."""
    return definition.kind == "percent" and not definition.not_stopped_for


def wilson(x: int, n: int) -> Share:
    """x of n with Wilson's interval (Newcombe 1998, method 3)."""
    return _share(x, n, "wilson")


def exact(x: int, n: int) -> Share:
    """x of n with Clopper and Pearson's interval (1934)."""
    return _share(x, n, "clopper-pearson")


def _share(x: int, n: int, method: str) -> Share:
    if n == 0:
        return Share(x, n, math.nan, math.nan)
    found = proportion_interval(x, n, method=method)
    return Share(x, n, float(found.low[0]), float(found.high[0]))


def _responders(
    registry: Registry, courses: Sequence[Course], visit: Visit, definition: Responder, today: date
) -> ResponderResult:
    found = responders(registry, courses, visit, definition, today)
    due = [a for a in found if a.status != "not due"]
    known = [a for a in due if a.status != "not assessed"]
    yes = [a for a in known if a.status == "responder"]
    types = [t for t in PAIN_TYPES if any(a.pain_type == t for a in known)]
    by_type = tuple(
        (t, wilson(sum(a.pain_type == t for a in yes), sum(a.pain_type == t for a in known))) for t in types
    )
    tested = tuple(t for t in types if t != "not classified")
    counts = [(s.x, s.n) for t, s in by_type if t in tested]
    xs, sizes = [x for x, _ in counts], [n for _, n in counts]
    many = too_many(sizes)
    p = math.nan if len(counts) < 2 else chi_squared_test(xs, sizes) if many else exact_test(xs, sizes)
    return ResponderResult(
        definition,
        wilson(len(yes), len(due)),
        wilson(len(yes), len(known)),
        len(found) - len(due),
        _counted([a.why for a in due if a.status == "not assessed"]),
        by_type,
        p,
        tested,
        "chi-squared" if many else "exact",
        tuple(found),
    )


def _pain(registry: Registry, courses: Sequence[Course], today: date) -> PainOverTime:
    d = registry.definition
    visits = [d.baseline, *d.follow_ups]
    table = [
        [
            math.nan if (a := answer(registry, c, v, d.pain.instrument, d.pain.item)) is None else float(a.value or 0.0)
            for v in visits
        ]
        for c in courses
    ]

    def open_still(course: Course, v: Visit) -> bool:
        span = window(registry, course.course, v)
        return not v.baseline and span is not None and today <= span[2] and not _treated_again(registry, course, v)

    observed = [sum(not math.isnan(row[j]) for row in table) for j in range(len(visits))]
    not_due = [
        sum(math.isnan(row[j]) and open_still(c, v) for row, c in zip(table, courses, strict=True))
        for j, v in enumerate(visits)
    ]
    again = [
        sum(math.isnan(row[j]) and _treated_again(registry, c, v) for row, c in zip(table, courses, strict=True))
        for j, v in enumerate(visits)
    ]
    missing = [len(table) - n - m - k for n, m, k in zip(observed, not_due, again, strict=True)]
    kept = [j for j, n in enumerate(observed) if n >= FEWEST_ANSWERS]
    left_out = tuple(v.label for j, v in enumerate(visits) if j not in kept)
    fit, note = _fitted([[row[j] for j in kept] for row in table], [visits[j].id for j in kept], 0 in kept)
    follow = [visits[j] for j in kept if j != 0]
    return PainOverTime(
        visits=tuple(v.id for v in visits),
        labels=tuple(v.label for v in visits),
        days=tuple(v.day for v in visits),
        observed=tuple(observed),
        missing=tuple(missing),
        not_due=tuple(not_due),
        again=tuple(again),
        means=tuple(fit.mean(visits[j].id) for j in kept) if fit else (),
        changes=tuple(fit.change(v.id, d.baseline.id) for v in follow) if fit else (),
        structure=fit.structure if fit else "",
        people=fit.people if fit else 0,
        note=note,
        left_out=left_out,
    )


def _treated_again(registry: Registry, course: Course, visit: Visit) -> bool:
    """Whether a visit is not asked any more because the next course began before its window closed."""
    span, again = window(registry, course.course, visit), asked_until(registry, course)
    return not visit.baseline and span is not None and again is not None and again <= span[2]


def _fitted(
    table: Sequence[Sequence[float]], visits: Sequence[str], baseline: bool
) -> tuple[RepeatedMeasures | None, str]:
    """Unstructured where it can be estimated, else compound symmetry, else nothing; and why. Set beforehand."""
    if not baseline or len(visits) < 2:
        return None, f"fewer than two visits with {FEWEST_ANSWERS} answers, one of them baseline: no model is fitted"
    try:
        return repeated_measures(table, visits, structure="unstructured"), ""
    except InputError as error:
        why = str(error)
    try:
        fit = repeated_measures(table, visits, structure="compound-symmetry")
    except InputError as error:
        return None, f"no model can be fitted: {error}"
    return fit, f"compound symmetry, because the unstructured covariance was not estimable ({why})"


def _sites(registry: Registry, answered: Sequence[Answered]) -> tuple[Site, ...]:
    known = [a for a in answered if a.status in ("responder", "no responder")]
    return tuple(
        Site(s.id, s.name, sum(a.site == s.id and a.status == "responder" for a in known),
             sum(a.site == s.id for a in known))
        for s in registry.definition.sites
    )  # fmt: skip


def half_year(day: date) -> str:
    """The half-year of a day.

    >>> half_year(date(2026, 3, 1)), half_year(date(2026, 7, 1))
    ('2026-H1', '2026-H2')
    """
    return f"{day.year}-H{1 if day.month <= 6 else 2}"


def _over_time(registry: Registry, answered: Sequence[Answered], courses: Sequence[Course], visit: Visit) -> OverTime:
    known = [a for a in answered if a.status in ("responder", "no responder")]
    begun = [(first_day(registry, a.course) or date.min, a.status == "responder") for a in known]
    periods, by = _by_period(begun, half_year), "half-year"
    if any(shares_hidden([(sum(own), len(own))], registry.definition.small_cells) for own in periods.values()):
        years = _by_period(begun, lambda day: str(day.year))
        if len(years) > 1:
            periods, by = years, "year"
    names = sorted(periods)
    chart = p_chart([sum(periods[n]) for n in names], [len(periods[n]) for n in names]) if len(names) > 1 else None
    pain = registry.definition.pain
    changes: dict[str, list[float]] = {}
    for c in courses:
        before = answer(registry, c, registry.definition.baseline, pain.instrument, pain.item)
        after = answer(registry, c, visit, pain.instrument, pain.item)
        day = first_day(registry, c.course)
        if before is not None and after is not None and day is not None:
            changes.setdefault(half_year(day), []).append(float(after.value or 0) - float(before.value or 0))
    own = sorted(n for n, values in changes.items() if len(values) >= FEWEST_ANSWERS)
    means = [math.fsum(changes[n]) / len(changes[n]) for n in own]
    return OverTime(tuple(names), chart, xmr_chart(means) if len(means) > 1 else None, tuple(own), by)


def _by_period(begun: Sequence[tuple[date, bool]], named: Callable[[date], str]) -> dict[str, list[bool]]:
    periods: dict[str, list[bool]] = {}
    for day, responded in begun:
        periods.setdefault(named(day), []).append(responded)
    return periods


def _counted(values: Sequence[str], order: Sequence[str] = ()) -> tuple[tuple[str, int], ...]:
    names = [n for n in order if n in values] + sorted({v for v in values if v not in order})
    counts = [(n, sum(v == n for v in values)) for n in names]
    return tuple(counts) if order else tuple(sorted(counts, key=lambda c: (-c[1], c[0])))


def _ages(ages: Sequence[int]) -> tuple[float, float, float, int]:
    if not ages:
        return math.nan, math.nan, math.nan, 0
    import numpy as np

    low, middle, high = (float(q) for q in np.quantile(ages, [0.25, 0.5, 0.75]))
    return middle, low, high, len(ages)

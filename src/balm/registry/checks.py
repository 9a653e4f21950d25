"""What cannot be true of a registry, said by table, row and column: one list for the file reader, import and web.

Each check is a small pure function from a :class:`Registry` to problems; :data:`CHECKS` is the list. A page that saves
one row builds the registry with the row in place and keeps the problems of that row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise

from balm.registry.plausible import beyond_belief
from balm.registry.quantities import QUANTITIES
from balm.registry.registry import Registry
from balm.registry.tables import TABLE_BY_NAME, TABLES
from balm.vocabulary.problems import Problem
from balm.vocabulary.table_text import unknown_name

#: Longer than any infusion session on an outpatient or inpatient protocol (ten days, with a margin).
LONGEST_SESSION = timedelta(days=14)
#: A bolus pushed longer than this is an infusion.
OLDEST_BIRTH = 1900

Found = Iterator[Problem]


def problems_of(registry: Registry, *, today: date | None = None, references_too: bool = True) -> list[Problem]:
    """Everything that cannot be true. ``today``: nothing lies after it (left out: no such check).

    Checks that follow ids are skipped where an id leads nowhere: that is named once, by the reference.
    """
    found = [problem for check in CHECKS if references_too or check is not references for problem in check(registry)]
    if today is not None:
        found += _in_the_future(registry, today)
    return found


def _wrong(table: str, row: int, column: str, reason: str) -> Problem:
    return Problem(reason, file=TABLE_BY_NAME[table].file, row=row or None, column=column)


def references(r: Registry) -> Found:
    """Ids that lead nowhere."""
    d = r.definition
    known: dict[str, set[str]] = {
        table.attribute: {getattr(row, table.key[0]) for row in getattr(r, table.attribute)} for table in TABLES
    }
    known |= {
        name: {thing.id for thing in getattr(d, name)} for name in ("sites", "protocols", "visits", "instruments")
    }
    for table in TABLES:
        for column in table.columns:
            if not column.refers or (column.refers == table.attribute and column.name == table.key[0]):
                continue
            place = TABLE_BY_NAME[column.refers].file if column.refers in TABLE_BY_NAME else "registry.toml"
            for row in getattr(r, table.attribute):
                value = getattr(row, column.name)
                if value is not None and value not in known[column.refers]:
                    reason = unknown_name(f"one of the {column.refers} of {place}", value, sorted(known[column.refers]))
                    yield _wrong(table.attribute, row.row, column.name, reason)


def participants(r: Registry) -> Found:
    """Birth after enrolment."""
    for p in r.participants:
        if p.year_of_birth is not None and not OLDEST_BIRTH <= p.year_of_birth <= p.enrolled.year:
            reason = (
                f"must lie between {OLDEST_BIRTH} and the year of enrolment ({p.enrolled.year}); got {p.year_of_birth}"
            )
            yield _wrong("participants", p.row, "year_of_birth", reason)


def consents(r: Registry) -> Found:
    """A withdrawal before the consent, or of none."""
    for c in r.consents:
        if c.withdrawn is not None and not c.given:
            yield _wrong("consents", c.row, "withdrawn", "a consent that was not given cannot be withdrawn")
        yield from _order("consents", c.row, ("date", c.date), ("withdrawn", c.withdrawn))


def courses(r: Registry) -> Found:
    """Numbers used twice, courses out of order, sessions of two courses of a person that overlap."""
    for person, own in r.courses_of.items():
        for one, two in pairwise(own):
            if one.number == two.number:
                yield _wrong("courses", two.row, "number", f"{person} has a course {two.number} already")
            first, second = r.sessions_of.get(one.course, ()), r.sessions_of.get(two.course, ())
            if first and second and one.number < two.number and second[0].start < first[-1].start:
                reason = (
                    f"course {two.number} of {person} begins {second[0].start:%Y-%m-%d}, before the last session of "
                    f"course {one.number} ({first[-1].start:%Y-%m-%d}): dates out of order"
                )
                yield _wrong("sessions", second[0].row, "start", reason)


def sessions(r: Registry) -> Found:
    """Times out of order, sessions that overlap, signatures without a name, sessions before enrolment."""
    for s in r.sessions:
        yield from _order("sessions", s.row, ("start", s.start), ("end", s.end), ("signed_at", s.signed_at))
        if s.end is not None and s.end - s.start > LONGEST_SESSION:
            yield _wrong("sessions", s.row, "end", f"a session of {(s.end - s.start).days} days is longer than 14 days")
        if s.next_planned is not None and s.next_planned < s.start.date():
            yield _wrong("sessions", s.row, "next_planned", f"lies before the session ({s.start:%Y-%m-%d})")
        signed = s.status == "signed"
        if signed:
            for name in ("end", "signed_by", "signed_at"):
                if getattr(s, name) is None:
                    yield _wrong("sessions", s.row, name, "must be filled in a signed session")
        elif s.signed_by is not None or s.signed_at is not None:
            yield _wrong("sessions", s.row, "status", f"has a signature and status {s.status!r}; it must be 'signed'")
        course = r.course_of.get(s.course)
        person = r.participant_of.get(course.participant) if course else None
        if person is not None and s.start.date() < person.enrolled and s.status != "cancelled":
            reason = f"lies before the enrolment of {person.participant} ({person.enrolled})"
            yield _wrong("sessions", s.row, "start", reason)
    for course_id, own in r.sessions_of.items():
        numbers: dict[int, str] = {}
        for s in own:
            if s.number in numbers:
                reason = f"course {course_id} has a session {s.number} already ({numbers[s.number]})"
                yield _wrong("sessions", s.row, "number", reason)
            numbers.setdefault(s.number, s.session)
        for one, two in pairwise(own):
            if one.end is not None and two.start < one.end:
                reason = f"begins before session {one.session} ends ({one.end:%Y-%m-%d %H:%M}): sessions overlap"
                yield _wrong("sessions", two.row, "start", reason)
            if two.number < one.number:
                reason = f"session {two.number} begins after session {one.number}: dates out of order"
                yield _wrong("sessions", two.row, "number", reason)


def _apart(name: str, value: object, unit: str | None) -> str:
    """What is said where a number or its unit stands alone: no unit is guessed."""
    if unit is None:
        return f"{name} and {name}_unit come together: {name} {value} has no unit, and none is guessed"
    return f"{name} and {name}_unit come together: {unit} stands without a number"


def segments(r: Registry) -> Found:
    """Amounts without unit or weight, or beyond belief; times out of order or outside the session; overlaps."""
    by_id = {s.segment: s for s in r.segments}
    replaced_by: dict[str, str] = {}
    for s in r.segments:
        yield from _order("segments", s.row, ("start", s.start), ("stop", s.stop))
        for name in ("dose", "rate"):
            value, unit = getattr(s, name), getattr(s, f"{name}_unit")
            if (value is None) != (unit is None):
                missing = f"{name}_unit" if unit is None else name
                yield _wrong("segments", s.row, missing, _apart(name, value, unit))
            if value == 0 and not (name == "rate" and s.kind == "infusion"):
                yield _wrong("segments", s.row, name, "must be above 0")
        if s.kind == "bolus":
            if s.dose is None:
                yield _wrong("segments", s.row, "dose", "a bolus needs its dose")
            if s.rate is not None:
                yield _wrong("segments", s.row, "rate", "a bolus has a dose, not a rate")
        elif s.dose is None and s.rate is None:
            yield _wrong("segments", s.row, "rate", "an infusion needs its rate, or its dose with begin and end")
        elif s.stop is not None and s.stop == s.start:
            yield _wrong("segments", s.row, "stop", "an infusion takes time: stop equals start")
        if s.rate_unit == "mL/h" and s.concentration_mg_ml is None:
            yield _wrong("segments", s.row, "concentration_mg_ml", "a rate in mL/h needs the concentration")
        session = r.session_of.get(s.session)
        if session is not None:
            weighed = "/kg" in (s.dose_unit or "") + (s.rate_unit or "")
            if weighed and session.weight_kg is None:
                reason = f"session {session.session} has no weight_kg, and the amount is per kg"
                yield _wrong("segments", s.row, "rate_unit" if s.rate is not None else "dose_unit", reason)
            too_much = beyond_belief(s, session.weight_kg)
            if too_much is not None:
                yield _wrong("segments", s.row, *too_much)
            if session.status == "signed" and s.kind == "infusion" and s.stop is None:
                yield _wrong("segments", s.row, "stop", f"must be filled: session {session.session} is signed")
            yield from _within(s.row, s.start, s.stop, session.start, session.end, session.session)
            if session.signed_at is not None and s.entered_at is not None and s.entered_at > session.signed_at:
                reason = (
                    f"session {session.session} was signed at {session.signed_at:%Y-%m-%d %H:%M}, before this entry"
                )
                yield _wrong("segments", s.row, "entered_at", reason)
        if s.replaces is not None and s.replaces in by_id:
            old = by_id[s.replaces]
            if old.segment == s.segment:
                yield _wrong("segments", s.row, "replaces", "a segment cannot replace itself")
            elif old.session != s.session:
                reason = f"replaces a segment of session {old.session}; this one is of {s.session}"
                yield _wrong("segments", s.row, "replaces", reason)
            if s.replaces in replaced_by:
                reason = f"{s.replaces} was replaced by {replaced_by[s.replaces]} already; replace that one"
                yield _wrong("segments", s.row, "replaces", reason)
            replaced_by[s.replaces] = s.segment
            if not s.reason:
                yield _wrong("segments", s.row, "reason", "a correction says why")
    for start in by_id:
        walked, at = {start}, by_id[start].replaces
        while at in by_id and at not in walked:
            walked.add(at)
            at = by_id[at].replaces
        if at == start and by_id[start].replaces != start:
            yield _wrong("segments", by_id[start].row, "replaces", "segments replace each other in a circle")
    for own in r.standing_segments_of.values():
        running = [s for s in own if s.kind == "infusion"]
        for one, two in pairwise(running):
            if (one.drug, one.form) != (two.drug, two.form) and one.drug.casefold() != two.drug.casefold():
                continue  # two drugs may run at once
            if one.stop is None or two.start < one.stop:
                until = "it has no stop" if one.stop is None else f"which stops at {one.stop:%H:%M}"
                reason = (
                    f"begins at {two.start:%Y-%m-%d %H:%M} while segment {one.segment} runs ({until}): they overlap"
                )
                yield _wrong("segments", two.row, "start", reason)


def _within(
    row: int, start: datetime, stop: datetime | None, begin: datetime, end: datetime | None, session: str
) -> Found:
    if start < begin:
        yield _wrong("segments", row, "start", f"lies before session {session} begins ({begin:%Y-%m-%d %H:%M})")
    if end is not None:
        for name, value in (("start", start), ("stop", stop)):
            if value is not None and value > end:
                yield _wrong("segments", row, name, f"lies after session {session} ends ({end:%Y-%m-%d %H:%M})")


def observations(r: Registry) -> Found:
    """Unknown quantities, other units, values no body has, times outside the session."""
    for o in r.observations:
        quantity = QUANTITIES.get(o.quantity)
        if quantity is None:
            reason = unknown_name("a quantity of the list", o.quantity, list(QUANTITIES))
            yield _wrong("observations", o.row, "quantity", reason)
            continue
        if o.unit != quantity.unit:
            yield _wrong("observations", o.row, "unit", f"{o.quantity} is in {quantity.unit}; got {o.unit!r}")
        elif not quantity.low <= o.value <= quantity.high:
            reason = (
                f"{o.quantity} must lie between {quantity.low:g} and {quantity.high:g} {quantity.unit}; got {o.value:g}"
            )
            yield _wrong("observations", o.row, "value", reason)
        elif quantity.whole and o.value != int(o.value):
            yield _wrong("observations", o.row, "value", f"{o.quantity} is a whole number; got {o.value:g}")
        session = r.session_of.get(o.session)
        if session is not None:
            # Vitals before the start and recovery after the end belong to the session as well: the same day counts.
            if not session.start - timedelta(hours=24) <= o.time <= (session.end or o.time) + timedelta(hours=24):
                reason = f"lies more than a day outside session {session.session}"
                yield _wrong("observations", o.row, "time", reason)
            if session.signed_at is not None and o.time > session.signed_at:
                reason = f"session {session.session} was signed at {session.signed_at:%Y-%m-%d %H:%M}, before this"
                yield _wrong("observations", o.row, "time", reason)


def assessments(r: Registry) -> Found:
    """Answers outside the scale, items nobody asks, an answer and a reason for none, the same question twice."""
    seen: dict[tuple[str, str, str, str], int] = {}
    for a in r.assessments:
        key = (a.course, a.visit, a.instrument, a.item)
        if key in seen:
            yield _wrong("assessments", a.row, "item", f"was answered for this visit already in row {seen[key]}")
        seen.setdefault(key, a.row)
        instrument = r.definition.instrument(a.instrument)
        item = instrument.item(a.item) if instrument else None
        if instrument is not None and item is None:
            reason = unknown_name(f"an item of {a.instrument}", a.item, [i.id for i in instrument.items])
            yield _wrong("assessments", a.row, "item", reason)
        if (a.value is None) == (a.missing is None):
            reason = "needs an answer, or the reason in `missing`" if a.value is None else "has an answer and a reason"
            yield _wrong("assessments", a.row, "value" if a.value is None else "missing", reason)
        if item is not None and a.value is not None:
            if not item.low <= a.value <= item.high:
                reason = f"{a.instrument} {a.item} must lie between {item.low:g} and {item.high:g}; got {a.value:g}"
                yield _wrong("assessments", a.row, "value", reason)
            elif item.whole and a.value != int(a.value):
                yield _wrong("assessments", a.row, "value", f"{a.item} is a whole number; got {a.value:g}")
        held = r.sessions_of.get(a.course, ())
        visit = r.definition.visit(a.visit)
        if visit is not None and held:
            first = held[0].start.date()
            if visit.baseline and a.date > first:
                reason = f"a baseline answer lies after the first session ({first})"
                yield _wrong("assessments", a.row, "date", reason)
            if not visit.baseline and a.date < first:
                reason = f"an answer at {visit.label} lies before the first session ({first})"
                yield _wrong("assessments", a.row, "date", reason)
    yield from _visits_in_order(r)


def _visits_in_order(r: Registry) -> Found:
    day = {v.id: -1 if v.baseline else v.day for v in r.definition.visits}
    for own in r.assessments_of.values():
        known = [a for a in own if a.visit in day]
        for one, two in pairwise(sorted(known, key=lambda a: (day[a.visit], a.date))):
            if day[one.visit] < day[two.visit] and two.date < one.date:
                reason = f"{two.visit} ({two.date}) lies before {one.visit} ({one.date}): dates out of order"
                yield _wrong("assessments", two.row, "date", reason)


def contacts(r: Registry) -> Found:
    """Events asked about of a person who was not reached; follow-up before treatment."""
    for c in r.contacts:
        if not c.reached and c.events_asked:
            yield _wrong("contacts", c.row, "events_asked", "nobody was reached, so nobody was asked")
        held = r.sessions_of.get(c.course, ())
        visit = r.definition.visit(c.visit)
        if held and visit is not None and not visit.baseline and c.date < held[0].start.date():
            yield _wrong("contacts", c.row, "date", f"lies before the first session ({held[0].start:%Y-%m-%d})")


def adverse_events(r: Registry) -> Found:
    """Times out of order, a session of another course, words that contradict each other."""
    for e in r.adverse_events:
        yield from _order("adverse_events", e.row, ("onset", e.onset), ("resolved", e.resolved))
        session = r.session_of.get(e.session or "")
        if session is not None and session.course != e.course:
            reason = f"session {e.session} is of course {session.course}, not {e.course}"
            yield _wrong("adverse_events", e.row, "session", reason)
        if session is not None and e.onset < session.start.date():
            yield _wrong(
                "adverse_events", e.row, "onset", f"lies before session {e.session} ({session.start:%Y-%m-%d})"
            )
        if (e.severity == "fatal") != (e.outcome == "fatal") and e.outcome is not None:
            yield _wrong("adverse_events", e.row, "outcome", f"severity {e.severity!r} beside outcome {e.outcome!r}")
        if e.severity in ("life-threatening", "fatal") and not e.serious:
            yield _wrong("adverse_events", e.row, "serious", f"a {e.severity} event is serious (ICH E2A)")
        if session is not None and session.events_asked is False:
            reason = f"session {e.session} says that adverse events were not asked about; correct one of them"
            yield _wrong("adverse_events", e.row, "session", reason)


def medications(r: Registry) -> Found:
    """Doses without unit, times out of order, a session of another course."""
    for m in r.medications:
        yield from _order("medications", m.row, ("start", m.start), ("stop", m.stop))
        if (m.dose is None) != (m.dose_unit is None):
            yield _wrong(
                "medications",
                m.row,
                "dose_unit" if m.dose_unit is None else "dose",
                _apart("dose", m.dose, m.dose_unit),
            )
        session = r.session_of.get(m.session or "")
        if session is not None and session.course != m.course:
            reason = f"session {m.session} is of course {session.course}, not {m.course}"
            yield _wrong("medications", m.row, "session", reason)


def stops(r: Registry) -> Found:
    """A session after the treatment was stopped for good; a stop before it began."""
    for stop in r.stops:
        held = r.sessions_of.get(stop.course, ())
        if held and stop.date < held[0].start.date():
            yield _wrong("stops", stop.row, "date", f"lies before the first session ({held[0].start:%Y-%m-%d})")
        for s in held:
            if s.start.date() > stop.date:
                reason = f"course {stop.course} was stopped on {stop.date}; a session after that is a new course"
                yield _wrong("sessions", s.row, "start", reason)


def _order(table: str, row: int, *moments: tuple[str, date | datetime | None]) -> Found:
    given = [(name, value) for name, value in moments if value is not None]
    for (before, one), (after, two) in pairwise(given):
        if two < one:
            yield _wrong(table, row, after, f"{after} ({two}) is before {before} ({one}): dates out of order")


def _in_the_future(r: Registry, today: date) -> Found:
    for table, names in (
        ("participants", ("enrolled",)),
        ("consents", ("date", "withdrawn")),
        ("sessions", ("end", "signed_at")),
        ("segments", ("stop",)),
        ("observations", ("time",)),
        ("assessments", ("date",)),
        ("contacts", ("date",)),
        ("adverse_events", ("onset",)),
        ("stops", ("date",)),
    ):
        for row in getattr(r, table):
            for name in names:
                value = getattr(row, name)
                day = value.date() if isinstance(value, datetime) else value
                if day is not None and day > today:
                    yield _wrong(table, row.row, name, f"lies in the future ({value}; today is {today})")


CHECKS: tuple[Callable[[Registry], Found], ...] = (
    references,
    participants,
    consents,
    courses,
    sessions,
    segments,
    observations,
    assessments,
    contacts,
    adverse_events,
    medications,
    stops,
)

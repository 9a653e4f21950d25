"""An infusion session: planned, begun, each change of rate recorded, watched, signed, locked; later only amended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.db import transaction

from balm.actions.clinic.acting import ClinicActing, clock
from balm.actions.clinic.calculations import keep_figures
from balm.actions.clinic.entries import Change, Slice, again, opened, slice_of, write
from balm.registry.quantities import QUANTITIES
from balm.registry.rows import Segment, Session
from balm.registry.tables import OBSERVATIONS
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.table_text import as_cell, read_cell

_VALUE = OBSERVATIONS.column("value")


@transaction.atomic
def plan_session(
    acting: ClinicActing, participant: str, course: str, *, cells: Mapping[str, str], begin: bool, submission: str
) -> str:
    """A session of a course, planned for a moment or begun now; returns its id."""
    acting.check("clinic record")
    before = slice_of(acting, participant)
    if course not in before.rows["courses"]:
        raise InputError(f"there is no course {course!r} in this clinic")
    own = [s for s in before.registry.sessions if s.course == course]
    if again(acting, submission):
        return own[-1].session if own else ""
    session = before.fresh("sessions", f"{course}-s")
    if begin and not cells.get("weight_kg", "").strip():
        raise InputError(Problem("the weight of the day is needed to begin", column="weight_kg"))
    now = as_cell(clock(before.definition))
    row = {
        **cells, "session": session, "course": course, "number": str(max((s.number for s in own), default=0) + 1),
        "status": "running" if begin else "planned", "start": cells.get("start") or now,
    }  # fmt: skip
    write(acting, before, [Change("sessions", row)], action="begin session" if begin else "plan session")
    return session


@transaction.atomic
def enter_past_session(
    acting: ClinicActing, participant: str, course: str, *, cells: Mapping[str, str], infusion: Mapping[str, str],
    reason: str, submission: str,
) -> str:  # fmt: skip
    """A session that was held and not recorded then: with its own date, signed now, and marked as entered late.

    ``cells`` are those of the session (kind, start, end, weight, whether adverse events were asked about), ``infusion``
    those of its one rate or amount; further segments are amendments. Returns the id of the session.
    """
    before = opened(acting, "clinic sign", participant, submission)
    if before is None:
        return ""
    _reason(reason)
    if course not in before.rows["courses"]:
        raise InputError(f"there is no course {course!r} in this clinic")
    must = ("start", "end", "weight_kg", "events_asked")
    if missing := [Problem("is needed of a session that was held", column=n) for n in must if not cells.get(n)]:
        raise InputError(missing)
    moment = clock(before.definition)
    now = as_cell(moment)
    own = [s for s in before.registry.sessions if s.course == course]
    session = before.fresh("sessions", f"{course}-s")
    late = f"entered late, on {moment.date().isoformat()}: {reason.strip()}"
    notes = f"{cells['notes'].strip()}; {late}" if cells.get("notes", "").strip() else late
    row = {
        **cells, "session": session, "course": course, "number": str(max((s.number for s in own), default=0) + 1),
        "status": "signed", "signed_by": acting.code, "signed_at": now, "notes": notes,
    }  # fmt: skip
    changes = [Change("sessions", row)]
    if any(text for name, text in infusion.items() if name in ("dose", "rate")):
        given = {"start": cells["start"], "stop": cells["end"], **{n: t for n, t in infusion.items() if t}}
        segment = before.fresh("segments", f"{session}-g")
        kept = {"segment": segment, "session": session, "kind": "infusion", "drug": before.definition.drug}
        changes.append(Change("segments", {**kept, **given, "entered_at": now, "entered_by": acting.code}))
    write(acting, before, changes, action="enter past session", reason=reason)
    keep_figures(acting, participant, session)
    return session


@transaction.atomic
def begin_session(acting: ClinicActing, participant: str, session: str, *, weight: str, submission: str) -> None:
    """Begin what was planned, now, with the weight of the day."""
    before = opened(acting, "clinic record", participant, submission)
    if before is None:
        return
    if not weight.strip():
        raise InputError(Problem("the weight of the day is needed to begin", column="weight_kg"))
    now = as_cell(clock(before.definition))
    cells = {"session": session, "status": "running", "start": now, "weight_kg": weight}
    write(acting, before, [Change("sessions", cells)], action="begin session", reason="begun")


@transaction.atomic
def cancel_session(acting: ClinicActing, participant: str, session: str, *, reason: str, submission: str) -> None:
    """A session that is not held."""
    before = opened(acting, "clinic record", participant, submission)
    if before is None:
        return
    _reason(reason)
    cells = {"session": session, "status": "cancelled"}
    write(acting, before, [Change("sessions", cells)], action="cancel session", reason=reason)


def running(before: Slice, session: str) -> Segment | None:
    """The infusion that runs: the last standing segment without a stop."""
    standing = before.registry.standing_segments_of.get(session, ())
    return next((s for s in reversed(standing) if s.kind == "infusion" and s.stop is None), None)


@transaction.atomic
def give(
    acting: ClinicActing, participant: str, session: str, *, kind: str, cells: Mapping[str, str], submission: str
) -> None:
    """A bolus, or an infusion at a rate from a moment on: the segment that runs stops where the new one begins."""
    before = opened(acting, "clinic record", participant, submission)
    if before is None:
        return
    _running(before, session)
    now = as_cell(clock(before.definition))
    start = cells.get("start") or now
    changes = []
    if kind == "infusion":
        last = [s for s in before.registry.standing_segments_of.get(session, ()) if s.kind == "infusion"]
        unit = last[-1].rate_unit if last else None
        if unit and cells.get("rate_unit") and cells["rate_unit"] != unit:
            reason = f"this session runs in {unit}; got {cells['rate_unit']!r}: one session has one unit of rate"
            raise InputError(Problem(reason, column="rate_unit"))
        if (runs := running(before, session)) is not None:
            changes.append(Change("segments", {"segment": runs.segment, "session": session, "stop": start}))
    segment = before.fresh("segments", f"{session}-g")
    row = {"segment": segment, "session": session, "kind": kind, **cells, "start": start}
    changes.append(Change("segments", {**row, "entered_at": now, "entered_by": acting.code}))
    write(acting, before, changes, action="give bolus" if kind == "bolus" else "set rate")


@transaction.atomic
def stop_infusion(acting: ClinicActing, participant: str, session: str, *, stop: str, submission: str) -> None:
    """Stop the infusion that runs."""
    before = opened(acting, "clinic record", participant, submission)
    if before is None:
        return
    _running(before, session)
    runs = running(before, session)
    if runs is None:
        raise InputError("no infusion runs in this session")
    stop = stop or as_cell(clock(before.definition))
    cells = {"segment": runs.segment, "session": session, "stop": stop}
    write(acting, before, [Change("segments", cells)], action="stop infusion")


@transaction.atomic
def observe(
    acting: ClinicActing, participant: str, session: str, *, time: str, values: Mapping[str, str], submission: str
) -> None:
    """Vitals and scores of one moment; each is a row of its own in the unit of its quantity."""
    before = opened(acting, "clinic record", participant, submission)
    if before is None:
        return
    _running(before, session)
    changes = _observations(acting, before, session, time, values)
    write(acting, before, changes, action="observe")


@transaction.atomic
def note_event(
    acting: ClinicActing, participant: str, session: str, *, cells: Mapping[str, str], submission: str
) -> None:
    """An adverse event during the session; that events were asked about is noted with it."""
    before = opened(acting, "clinic record", participant, submission)
    if before is None:
        return
    held = _running(before, session)
    event = before.fresh("adverse_events", f"{session}-e")
    row = {**cells, "event": event, "course": held.course, "session": session}
    row["onset"] = row.get("onset") or clock(before.definition).date().isoformat()
    changes = [Change("adverse_events", row)]
    if held.events_asked is not True:
        changes.append(Change("sessions", {"session": session, "events_asked": "yes"}))
    write(
        acting,
        before,
        changes,
        action="record event",
        reason="an event was recorded" if held.events_asked is False else "",
    )


@transaction.atomic
def correct_segment(
    acting: ClinicActing, participant: str, segment: str, *, cells: Mapping[str, str], reason: str, submission: str
) -> None:
    """A row that replaces a segment; the wrong one stays readable. After the signature it is an amendment."""
    acting.check("clinic record")
    _reason(reason)
    before = slice_of(acting, participant)
    old = before.rows["segments"].get(segment)
    if old is None:
        raise InputError(f"there is no segment {segment!r} in this clinic")
    if again(acting, submission):
        return
    session = old.cells["session"]
    now = as_cell(clock(before.definition))
    kept = {
        n: t for n, t in old.cells.items() if n not in ("segment", "replaces", "reason", "entered_at", "entered_by")
    }
    row = {
        **kept, **cells, "segment": before.fresh("segments", f"{session}-g"), "replaces": segment, "reason": reason,
        "entered_at": now, "entered_by": acting.code,
    }  # fmt: skip
    _write_or_amend(acting, before, session, [Change("segments", row)], reason, now)


@transaction.atomic
def amend_session(
    acting: ClinicActing, participant: str, session: str, *, cells: Mapping[str, str], reason: str, submission: str
) -> None:
    """Change cells of a signed session; whoever amends signs again, and both signatures stay in the trail."""
    before = opened(acting, "clinic amend", participant, submission)
    if before is None:
        return
    _reason(reason)
    now = as_cell(clock(before.definition))
    _write_or_amend(acting, before, session, [Change("sessions", {**cells, "session": session})], reason, now)


@transaction.atomic
def sign(
    acting: ClinicActing, participant: str, session: str, *, end: str, events_asked: str, next_planned: str,
    submission: str,
) -> None:  # fmt: skip
    """Sign the session and lock it; its figures are kept with it.

    Whether adverse events were asked about must be said: zero is not "not asked".
    """
    before = opened(acting, "clinic sign", participant, submission)
    if before is None:
        return
    held = _running(before, session)
    if events_asked not in ("yes", "no"):
        raise InputError(Problem("say whether adverse events were asked about: yes or no", column="events_asked"))
    if running(before, session) is not None:
        raise InputError(Problem("the infusion still runs; stop it first", column="status"))
    now = as_cell(clock(before.definition))
    cells = {
        "session": session, "status": "signed", "end": end or now, "events_asked": events_asked,
        "signed_by": acting.code, "signed_at": now, "next_planned": next_planned,
    }  # fmt: skip
    reason = "asked before signing" if held.events_asked is not None else ""
    write(acting, before, [Change("sessions", cells)], action="sign session", reason=reason)
    keep_figures(acting, participant, session)


def _write_or_amend(
    acting: ClinicActing, before: Slice, session: str, changes: Sequence[Change], reason: str, now: str
) -> None:
    held = before.rows["sessions"].get(session)
    if held is None:
        raise InputError(f"there is no session {session!r} in this clinic")
    if held.cells["status"] != "signed":
        write(acting, before, changes, action="correct", reason=reason)
        return
    acting.check("clinic amend")
    again_signed = {"session": session, "signed_by": acting.code, "signed_at": now}
    if changes[0].table == "sessions":
        changes = [Change("sessions", {**changes[0].cells, **again_signed})]
    else:
        changes = [*changes, Change("sessions", again_signed)]
    write(acting, before, changes, action="amend session", reason=reason, amending=True)
    keep_figures(acting, before.participant, session)


def _observations(
    acting: ClinicActing, before: Slice, session: str, time: str, values: Mapping[str, str]
) -> list[Change]:
    filled = {name: text.strip() for name, text in values.items() if text.strip()}
    if not filled:
        raise InputError("fill in at least one value")
    unknown = [name for name in filled if name not in QUANTITIES]
    if unknown:
        raise InputError(f"{unknown[0]!r} is no quantity of the list")
    wrong = [(name, text, read_cell(text, _VALUE)[1]) for name, text in filled.items()]
    if problems := [Problem(f"{why}; got {text[:40]!r}", column=name) for name, text, why in wrong if why]:
        raise InputError(problems)
    time = time or as_cell(clock(before.definition))
    count = len(before.rows["observations"])
    changes = []
    for offset, (name, text) in enumerate(filled.items(), start=1):
        row = {
            "observation": f"{session}-o{count + offset}", "session": session, "time": time, "quantity": name,
            "value": text, "unit": QUANTITIES[name].unit, "entered_by": acting.code,
        }  # fmt: skip
        changes.append(Change("observations", row))
    return changes


def _running(before: Slice, session: str) -> Session:
    held = before.registry.session_of.get(session)
    if held is None:
        raise InputError(f"there is no session {session!r} in this clinic")
    if held.status != "running":
        said = "locked; a later change is an amendment with a reason" if held.status == "signed" else "not running"
        raise InputError(Problem(f"session {session} is {held.status} and {said}", column="session"))
    return held


def _reason(reason: str) -> None:
    if not reason.strip():
        raise InputError(Problem("say why", column="reason"))


def rate_of(dose: Decimal | None, minutes: int | None) -> Decimal | None:
    """The rate per hour of an amount over a time, where both are known."""
    return dose * 60 / Decimal(minutes) if dose is not None and minutes else None

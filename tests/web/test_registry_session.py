"""A session at the bedside by its pages: it works, it counts once, it locks, and nothing wrong is saved."""

from __future__ import annotations

import secrets
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from balm.actions.clinic.acting import clock
from balm.actions.clinic.calculations import is_as_kept
from balm.actions.clinic.participants import enrol, record
from balm.registry.roles import AUDITOR, DATA_MANAGER, LEAD, NURSE, PHYSICIAN
from balm.store.events.chain import broken_links
from balm.store.events.models import Event
from balm.store.registry.current import definition_of
from balm.store.registry.models import Entry, SessionCalculation
from tests.web.clinic import Ward, ward

__all__ = ["ward"]


def act(ward: Ward, session: str, what: str, role: str = NURSE, submission: str = "", **fields: str):  # type: ignore[no-untyped-def]
    return ward.post(f"sessions/{session}/act/{what}/", role, submission, **fields)


def rate(ward: Ward, session: str, value: str, unit: str = "mg/h", **fields: str):  # type: ignore[no-untyped-def]
    return act(ward, session, "rate", rate=value, rate_unit=unit, form="racemic", **fields)


def earlier(ward: Ward, session: str, minutes: int) -> str:
    """A moment after the session began: sessions of these tests begin in the past."""
    return (ward.registry.session_of[session].start + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M")


def held(ward: Ward) -> str:
    """A running session that began three hours ago, in the clinic's day where the hour allows it."""
    from django.db import transaction

    from balm.actions.clinic.entries import Change, slice_of, write

    start = (clock(definition_of(ward.clinic)) - timedelta(hours=3)).replace(second=0)
    with transaction.atomic():
        before = slice_of(ward.acting(NURSE), ward.participant)
        # Enrolled and asked before: the clock may stand just after midnight.
        write(ward.acting(NURSE), before, [
            Change("participants", {"participant": ward.participant, "enrolled": "2026-01-05"}),
            Change("assessments", {"assessment": f"{ward.course}-baseline-nrs-average", "course": ward.course,
                                   "visit": "baseline", "instrument": "nrs", "item": "average",
                                   "date": (start - timedelta(days=3)).date().isoformat()}),
        ], action="test", reason="test")  # fmt: skip
        before = slice_of(ward.acting(NURSE), ward.participant)
        session = f"{ward.course}-s1"
        write(ward.acting(NURSE), before, [Change("sessions", {
            "session": session, "course": ward.course, "number": "1", "kind": "treatment", "status": "running",
            "start": start.strftime("%Y-%m-%dT%H:%M"), "weight_kg": "70"})], action="test")  # fmt: skip
    return session


def test_an_infusion_is_recorded_signed_and_locked(ward: Ward) -> None:
    session = held(ward)
    assert rate(ward, session, "60", start=earlier(ward, session, 10)).status_code == 302
    assert rate(ward, session, "90", start=earlier(ward, session, 70)).status_code == 302
    one, two = ward.registry.standing_segments_of[session]
    assert one.stop == two.start, "what runs stops where the new rate begins"
    page = ward.get(f"sessions/{session}/").content.decode()
    assert "90 mg/h" in page and "60.0 mg given before" in page
    vitals = {"systolic": "128", "saturation": "97", "pain": "4", "sedation": "-1"}
    assert act(ward, session, "vitals", time=earlier(ward, session, 60), **vitals).status_code == 302
    assert act(ward, session, "event", term="dizziness", severity="mild", serious="no").status_code == 302
    refused = ward.post(f"sessions/{session}/sign/", events_asked="yes")
    assert refused.status_code == 422 and "still runs" in refused.content.decode()
    assert act(ward, session, "stop", stop=earlier(ward, session, 130)).status_code == 302
    assert ward.post(f"sessions/{session}/sign/", events_asked="").status_code == 422, "zero is not: not asked"
    assert ward.post(f"sessions/{session}/sign/", events_asked="yes").status_code == 302
    signed = ward.registry.session_of[session]
    assert (signed.status, signed.signed_by, signed.events_asked) == ("signed", "nora", True)
    assert "150.0 mg in all" in ward.get(f"sessions/{session}/").content.decode()
    for what, fields in (("rate", {"rate": "30", "rate_unit": "mg/h", "form": "racemic"}), ("vitals", {"pain": "3"})):
        late = act(ward, session, what, **fields)
        assert late.status_code == 422 and "locked" in late.content.decode()
    assert len(ward.registry.observations) == 4 and list(broken_links(ward.clinic.key)) == []


def test_a_signed_session_changes_by_an_amendment_with_a_reason_only(ward: Ward) -> None:
    session = held(ward)
    rate(ward, session, "60", start=earlier(ward, session, 10))
    act(ward, session, "stop", stop=earlier(ward, session, 70))
    ward.post(f"sessions/{session}/sign/", events_asked="no")
    segment = ward.registry.standing_segments_of[session][0].segment
    fields = {"rate": "65", "rate_unit": "mg/h", "form": "racemic", "start": earlier(ward, session, 10)}
    fields["stop"] = earlier(ward, session, 70)
    assert ward.post(f"segments/{segment}/", NURSE, reason="misread pump", **fields).status_code == 403
    assert ward.post(f"segments/{segment}/", PHYSICIAN, **fields).status_code == 422, "without a reason"
    assert ward.post(f"segments/{segment}/", PHYSICIAN, reason="misread pump", **fields).status_code == 302
    old, new = ward.registry.segments
    assert (new.replaces, new.reason, str(old.rate), str(new.rate)) == (segment, "misread pump", "60", "65")
    assert ward.registry.session_of[session].signed_by == "phil"
    amended = ward.post(f"sessions/{session}/amend/", LEAD, weight_kg="71", reason="scales read again")
    assert amended.status_code == 302, amended.content.decode()
    assert [e.cells["weight_kg"] for e in Entry.objects.filter(table="sessions", key=session)][-1] == "71"
    assert ward.post(f"sessions/{session}/amend/", NURSE, weight_kg="72", reason="x").status_code == 403
    assert Event.objects.filter(chain=ward.clinic.key, action="amend session", reason="scales read again").exists()


def test_what_a_signature_says_in_figures_is_kept_with_it(ward: Ward) -> None:
    session = held(ward)
    rate(ward, session, "0.5", "mg/kg/h", start=earlier(ward, session, 10))
    act(ward, session, "stop", stop=earlier(ward, session, 70))
    assert "Nothing is kept" in ward.get(f"sessions/{session}/calculations/").content.decode()
    ward.post(f"sessions/{session}/sign/", events_asked="no")
    (kept,) = SessionCalculation.objects.filter(clinic=ward.clinic, session=session)
    figures = {f["what"]: f for f in kept.figures}
    assert figures["dose of the session"]["result"] == "35"
    assert figures["dose of the session per kilogram"]["result"] == "0.5"
    assert figures["dose of a segment"]["inputs"]["weight"] == "70 kg"
    assert figures["cumulative dose of the course"]["result"] == "35"
    page = ward.get(f"sessions/{session}/calculations/").content.decode()
    assert kept.digest in page and "give the same hash" in page and "35 mg" in page
    told = Event.objects.get(chain=ward.clinic.key, action="keep calculation")
    assert told.after["digest"] == kept.digest and told.entity_id == f"{session} 1"
    assert "calculations/" in ward.get(f"sessions/{session}/").content.decode()
    # Signed again with another weight: both are kept, and nothing of the first changes.
    ward.post(f"sessions/{session}/amend/", LEAD, weight_kg="80", reason="scales read again")
    first, second = SessionCalculation.objects.filter(clinic=ward.clinic, session=session)
    assert (first.digest, second.number) == (kept.digest, 2)
    assert next(f for f in second.figures if f["what"] == "dose of the session")["result"] == "40"
    with pytest.raises(DatabaseError), transaction.atomic():
        SessionCalculation.objects.filter(pk=first.pk).update(code="other")
    first.figures[0]["result"] = "36"
    assert not is_as_kept(first)
    assert ward.stranger.client.get(ward.path(f"sessions/{session}/calculations/")).status_code == 404
    assert ward.elsewhere.client.get(ward.path(f"sessions/{session}/calculations/")).status_code == 404


def test_a_double_click_counts_once_and_another_form_counts(ward: Ward) -> None:
    session = held(ward)
    for _ in range(3):
        assert act(ward, session, "vitals", submission="a" * 16, pain="5").status_code == 302
    assert len(ward.registry.observations) == 1
    act(ward, session, "vitals", submission="a" * 16, pain="6")
    assert [o.value for o in ward.registry.observations] == [5, 6], "the same page, other values: not a double click"
    for _ in range(2):
        assert rate(ward, session, "60", submission="b" * 16).status_code == 302
    assert len(ward.registry.segments) == 1
    assert ward.post(f"sessions/{session}/act/vitals/", submission=" ", pain="5").status_code == 422


@pytest.mark.parametrize(
    "what,fields,says",
    [
        ("vitals", {"pain": "11"}, "pain must lie between 0 and 10"),
        ("vitals", {"pain": "seven"}, "pain: must be a number"),
        ("vitals", {"temperature": "98.6"}, "temperature must lie between 30 and 43 Cel"),
        ("vitals", {}, "at least one value"),
        ("vitals", {"pain": "3", "time": "2020-01-01T10:00"}, "more than a day outside"),
        ("rate", {"rate": "-5", "rate_unit": "mg/h", "form": "racemic"}, "must be 0 or more; got &#x27;-5&#x27;"),
        ("rate", {"rate": "5", "rate_unit": "", "form": "racemic"}, "rate and rate_unit come together"),
        ("rate", {"rate": "5", "rate_unit": "mg/h", "form": ""}, "form: must not be empty"),
        ("rate", {"rate": "5 mg", "rate_unit": "mg/h", "form": "racemic"}, "rate: must be a number"),
        ("rate", {"rate": "1,5", "rate_unit": "mg/h", "form": "racemic"}, "decimal point"),
        ("rate", {"rate": "5", "rate_unit": "mL/h", "form": "racemic"}, "needs the concentration"),
        ("rate", {"rate": "5", "rate_unit": "mg/h", "form": "racemic", "start": "2026-01-01T10:00"}, "before session"),
        ("bolus", {"dose": "-1", "dose_unit": "mg", "form": "racemic"}, "dose: must be 0 or more"),
        ("bolus", {"dose": "", "dose_unit": "mg", "form": "racemic"}, "come together"),
        ("event", {"term": "", "severity": "mild", "serious": "no"}, "term: must not be empty"),
        ("event", {"term": "x", "severity": "fatal", "serious": "no"}, "serious"),
        ("event", {"term": "x\x00y", "severity": "mild", "serious": "no"}, "character"),
        ("stop", {}, "no infusion runs"),
    ],
)
def test_bad_input_is_refused_by_name_and_nothing_is_saved(
    ward: Ward, what: str, fields: dict[str, str], says: str
) -> None:
    session = held(ward)
    before = Entry.objects.count(), Event.objects.count()
    answer = act(ward, session, what, **fields)
    assert answer.status_code == 422
    assert says in answer.content.decode(), answer.content.decode()[1500:4000]
    assert (Entry.objects.count(), Event.objects.count()) == before


def test_a_refused_form_stands_open_with_what_was_typed(ward: Ward) -> None:
    session = held(ward)
    rate(ward, session, "60", start=earlier(ward, session, 10))
    typed = {"events_asked": "no", "end": earlier(ward, session, 90), "next_planned": "2027-01-05"}
    page = ward.post(f"sessions/{session}/sign/", **typed).content.decode()
    assert "still runs" in page and '<details class="act" open><summary>Sign off' in page
    assert 'value="no" checked' in page and all(f'value="{typed[name]}"' in page for name in ("end", "next_planned"))
    assert '<details class="act"><summary>Vitals' in page, "the other forms stay closed"
    page = act(ward, session, "bolus", dose="-5", dose_unit="mg", form="racemic").content.decode()
    assert '<details class="act" open><summary>Bolus' in page and 'value="-5"' in page


def test_units_are_not_mixed_in_one_session(ward: Ward) -> None:
    session = held(ward)
    rate(ward, session, "60", start=earlier(ward, session, 10))
    answer = rate(ward, session, "1", "mg/kg/h")
    assert answer.status_code == 422 and "one session has one unit of rate" in answer.content.decode()
    assert len(ward.registry.segments) == 1


@pytest.mark.parametrize("weight", ["0", "700", "-70", "seventy", "", "70 kg", "7e1"])
def test_no_session_begins_with_a_weight_that_cannot_be(ward: Ward, weight: str) -> None:
    answer = ward.post(f"courses/{ward.course}/session/", kind="treatment", weight_kg=weight, begin="now")
    assert answer.status_code == 422 and "weight_kg" in answer.content.decode()
    assert ward.registry.sessions == ()


def test_a_planned_session_is_begun_or_cancelled(ward: Ward) -> None:
    made = ward.post(f"courses/{ward.course}/session/", kind="test", start="2030-01-07T09:00", begin="")
    assert made.status_code == 302
    session = f"{ward.course}-s1"
    assert ward.registry.session_of[session].status == "planned"
    assert act(ward, session, "begin", weight_kg="700").status_code == 422
    assert act(ward, session, "begin", weight_kg="70").status_code == 302
    assert ward.registry.session_of[session].status == "running"
    assert session in ward.get("").content.decode()
    assert act(ward, session, "cancel", reason="").status_code == 422
    assert act(ward, session, "cancel", reason="felt ill").status_code == 302
    assert act(ward, session, "begin", weight_kg="70").status_code == 422, "what is cancelled stays cancelled"


def test_readers_record_nothing(ward: Ward) -> None:
    session = held(ward)
    for role in (AUDITOR, DATA_MANAGER):
        assert act(ward, session, "vitals", role, pain="3").status_code == 403
        assert ward.post(f"sessions/{session}/sign/", role, events_asked="yes").status_code == 403
        assert ward.get(f"sessions/{session}/", role).status_code == 200
    assert ward.registry.observations == ()


def test_a_session_of_the_past_is_signed_as_entered_late(ward: Ward) -> None:
    day = clock(definition_of(ward.clinic)).date()
    before = (day - timedelta(days=2)).isoformat()
    form = {"kind": "treatment", "start": f"{before}T09:00", "end": f"{before}T11:00", "weight_kg": "70"}
    form |= {"events_asked": "yes", "form": "racemic", "dose": "150", "dose_unit": "mg", "rate": "", "rate_unit": ""}
    path = f"courses/{ward.course}/past/"
    early = ward.post(path, why="paper", **form)
    assert early.status_code == 422 and "lies before the enrolment" in early.content.decode()
    consent = {"version": "v1", "given": "yes", "date": before}
    person = enrol(ward.acting(NURSE), cells={"enrolled": before}, consent=consent, identity={},
                   submission=secrets.token_hex(8))  # fmt: skip
    course = {"diagnosis": "CRPS", "pain_type": "neuropathic", "setting": "chronic"}
    record(ward.acting(NURSE), person, "courses", course, submission=secrets.token_hex(8))
    path = f"courses/{person}-c1/past/"
    for wrong, said in (
        ({"why": " "}, "say why"), ({"weight_kg": "700"}, "weight"), ({"weight_kg": "0"}, "weight"),
        ({"dose": "-150"}, "dose"), ({"end": f"{before}T08:00"}, "end"), ({"events_asked": ""}, "is needed"),
        ({"start": f"{day + timedelta(days=2)}T09:00", "end": f"{day + timedelta(days=2)}T10:00"}, "end"),
    ):  # fmt: skip
        answer = ward.post(path, **{"why": "paper", **form, **wrong})
        assert answer.status_code == 422 and said in answer.content.decode(), wrong
    assert not ward.registry.sessions
    assert ward.post(path, DATA_MANAGER, why="paper", **form).status_code == 403
    assert ward.post(path, why="recorded on paper", **form).status_code == 302
    (session,) = ward.registry.sessions
    assert (session.status, session.signed_by, session.start.date().isoformat()) == ("signed", "nora", before)
    assert session.notes == f"entered late, on {day.isoformat()}: recorded on paper"
    (segment,) = ward.registry.segments
    assert segment.dose == 150 and segment.stop == session.end
    event = Event.objects.filter(chain=ward.clinic.key, action="enter past session").first()
    assert event is not None and event.reason == "recorded on paper"

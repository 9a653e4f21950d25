"""What is worked out from a registry: by hand on the small one, by identities on simulated ones."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from balm.registry.audit import audit, exact, half_year, wilson
from balm.registry.demonstration import END, demonstration_files
from balm.registry.doses import Limit, given
from balm.registry.reading import read_registry
from balm.registry.registry import Registry
from balm.registry.relief import relief_of
from balm.registry.schedule import day_zero, due_list, outside_window
from balm.vocabulary.problems import InputError
from tests.unit.registry.small import files, with_cell, with_row

TODAY = date(2026, 11, 22)


def registry(body: dict[str, bytes] | None = None) -> Registry:
    found, problems = read_registry(body or files(), today=TODAY)
    assert found is not None, [str(p) for p in problems]
    return found


@pytest.fixture(scope="module")
def simulated() -> Registry:
    return registry(demonstration_files(people=90))


def test_doses_are_exact_and_corrections_replace() -> None:
    r = registry()
    found = {s.session: given(r, s) for s in r.sessions}
    assert found["s1"].mg == Decimal(75) and found["s1"].rate_mg_h == Decimal(75)
    assert found["s2"].mg == Decimal(115) and found["s2"].rate_mg_h == Decimal(65)
    assert found["s3"].mg == Decimal("52.8") and found["s3"].bolus_mg == Decimal("8.8")
    assert found["s3"].quantity("rate mg/kg/h") == Decimal("0.25")
    assert found["s4"].mg is None and found["s4"].why_not == "no segments"


@pytest.mark.parametrize(
    ("rate", "unit", "concentration", "mg_h"),
    [("1", "mg/min", "", "60"), ("10", "ug/kg/min", "", "42.300"),
     ("500", "ug/kg/h", "", "35.2500"), ("5", "mL/h", "10", "50")],
)  # fmt: skip
def test_every_unit_of_rate(rate: str, unit: str, concentration: str, mg_h: str) -> None:
    body = with_cell("segments.csv", 2, "rate", rate)
    body = with_cell("segments.csv", 2, "rate_unit", unit, body)
    body = with_cell("segments.csv", 2, "concentration_mg_ml", concentration, body)
    r = registry(body)
    assert given(r, r.session_of["s2"]).mg == Decimal(65) + Decimal(mg_h)


def test_limits_are_compared_in_their_own_unit_and_form() -> None:
    limits = [
        Limit("a", "a", "total mg/kg", None, Decimal("1.5"), "x"),
        Limit("b", "b", "total mg", Decimal(80), None, "x"),
        Limit("c", "c", "total mg", None, Decimal(60), "x", form="S(+)"),
    ]
    a, b, c = audit(registry(), TODAY, limits=limits).limits
    assert (a.within, a.above, a.not_comparable) == (2, 1, 1)  # 75/70 and 52.8/88 within, 115/70.5 above
    assert (b.within, b.below, b.not_comparable) == (1, 2, 1)
    assert (c.within, c.not_comparable, c.largest) == (1, 3, Decimal("52.8"))


def test_responders_by_hand_over_both_denominators() -> None:
    found = {x.definition.id: x for x in audit(registry(), TODAY).responders}
    for name in ("pain30", "pain50", "points2", "pgic2"):
        assert (found[name].over_treated.x, found[name].over_treated.n) == (1, 2), name
        assert (found[name].over_assessed.n, found[name].not_assessed) == (1, (("no answer in the window", 1),))
    kept = found["pain50-kept"]  # stopped for lack of effect: known to be no responder
    assert (kept.over_assessed.x, kept.over_assessed.n, kept.not_assessed) == (1, 2, ())
    assert dict(kept.by_pain_type)["nociceptive"].x == 0 and kept.p_pain_type == 1.0


def test_thresholds_include_their_own_value_and_no_pain_is_no_reduction() -> None:
    for before, after, want in (("10", "5", 1), ("10", "5.1", 0), ("6", "3", 1), ("7", "3.5", 1), ("8", "0", 1)):
        body = with_cell("assessments.csv", 1, "value", before)
        body = with_cell("assessments.csv", 2, "value", after, body)
        found = {x.definition.id: x for x in audit(registry(body), TODAY).responders}
        assert found["pain50"].over_assessed.x == want, (before, after)
    found = {
        x.definition.id: x for x in audit(registry(with_cell("assessments.csv", 1, "value", "0")), TODAY).responders
    }
    assert ("no pain at baseline: no reduction can be measured", 1) in found["pain50"].not_assessed
    assert found["pgic2"].over_assessed.x == 1


def test_an_answer_outside_its_window_or_not_yet_due_counts_nowhere() -> None:
    r = registry(with_cell("assessments.csv", 2, "date", "2026-03-20"))
    assert outside_window(r) == 1 and audit(r, TODAY).responders[0].over_assessed.n == 0
    early = audit(registry(with_cell("assessments.csv", 2, "date", "2026-02-18")), date(2026, 2, 25))
    assert [(x.not_due, x.over_treated.n) for x in early.responders][:2] == [(1, 1), (1, 1)]
    assert early.flow.not_due == 1 and early.flow.analysed == 1


def test_the_schedule_counts_from_the_last_treatment_and_ends_with_the_next_course() -> None:
    r = registry()
    assert day_zero(r, "c1") == date(2026, 1, 19) and day_zero(r, "c3") is None
    status = {(d.course, d.visit): d.status for d in due_list(r, date(2026, 7, 20))}
    assert status["c1", "mo1"] == "done" and status["c1", "wk1"] == "missed"
    assert status["c1", "mo6"] == "not asked: treated again" and status["c4", "mo2"] == "overdue"
    assert status["c4", "mo3"] == "ahead" or status["c4", "mo3"] == "open"
    assert status["c2", "mo6"] == "open" and status["c2", "mo12"] == "ahead"


def test_relief_ends_with_the_next_course_the_stop_or_the_pain() -> None:
    r = registry()
    one, two = (relief_of(r, r.course_of[c], TODAY) for c in ("c1", "c2"))
    assert one is not None and (one.days, one.ended, one.how) == (120, True, "treated again")
    assert two is not None and (two.days, two.how) == (36, "stopped for lack of effect")
    back = registry(with_cell("assessments.csv", 2, "value", "6"))
    three = relief_of(back, back.course_of["c1"], TODAY)
    assert three is not None and (three.days, three.how) == (30, "pain back")


def test_not_asked_is_not_zero() -> None:
    found = audit(registry(), TODAY).harms
    assert (found.people, found.asked, found.never_asked, found.not_recorded, found.with_event) == (2, 1, 1, 0, 1)
    assert found.worst["mild"] == 1 and found.at_least["moderate"] == 0
    body = with_cell("sessions.csv", 3, "events_asked", "")
    assert audit(registry(body), TODAY).harms.not_recorded == 1


def test_who_refused_or_withdrew_is_in_no_result() -> None:
    body = with_cell("consents.csv", 1, "withdrawn", "2026-06-01")
    found = audit(registry(body), TODAY)
    assert (found.flow.refused, found.flow.treated, found.people) == (1, 1, 1)
    assert found.harms.with_event == 0 and found.sessions == 1


def test_one_site_and_one_period(simulated: Registry) -> None:
    whole = audit(simulated, END.date())
    sites = [audit(simulated, END.date(), site=s.id) for s in simulated.definition.sites]
    assert sum(s.flow.treated for s in sites) == whole.flow.treated
    assert sum(s.sessions for s in sites) == whole.sessions
    middle = date(2025, 1, 1)
    first, second = audit(simulated, END.date(), until=date(2024, 12, 31)), audit(simulated, END.date(), since=middle)
    assert first.flow.treated + second.flow.treated == whole.flow.treated
    with pytest.raises(InputError, match="site must be one of"):
        audit(simulated, END.date(), site="nowhere")


@pytest.mark.parametrize("day", [date(2024, 3, 1), date(2025, 2, 14), END.date(), TODAY])
def test_the_numbers_add_up_on_any_day(simulated: Registry, day: date) -> None:
    found = audit(simulated, day)
    f = found.flow
    assert f.enrolled == f.refused + f.not_treated + f.treated and f.treated == f.not_due + f.due
    assert f.due == f.followed + f.not_followed and f.followed == f.analysed + sum(n for _, n in f.why_not_analysed)
    assert f.not_followed == sum(n for _, n in f.reasons)
    for x in found.responders:
        assert x.over_treated.n + x.not_due == f.treated and x.over_treated.x == x.over_assessed.x
        assert x.over_treated.n == x.over_assessed.n + sum(n for _, n in x.not_assessed)
        assert sum(s.n for _, s in x.by_pain_type) == x.over_assessed.n
    rows = zip(found.pain.observed, found.pain.missing, found.pain.not_due, found.pain.again, strict=True)
    assert all(sum(row) == f.treated and min(row) >= 0 for row in rows)
    h = found.harms
    assert h.people == h.asked + h.never_asked + h.not_recorded and sum(h.worst.values()) == h.with_event
    assert sum(s.n for s in found.sites) == found.responders[-1].over_assessed.n


def test_the_demonstration_is_the_same_every_time_and_says_what_it_is(simulated: Registry) -> None:
    assert demonstration_files(people=5) == demonstration_files(people=5) != demonstration_files(people=5, seed=2)
    assert simulated.definition.simulated and "SIMULATED" in simulated.definition.title
    assert all(p.participant.startswith("SIM-") for p in simulated.participants)
    assert set(Counter(s.status for s in simulated.sessions)) == {"signed"}
    with pytest.raises(InputError):
        demonstration_files(people=0)


def test_intervals_and_periods() -> None:
    # Newcombe 1998, table I: 81/263 by Wilson 0.2553 to 0.3662, exact 0.2527 to 0.3676; 0/20.
    assert (round(wilson(81, 263).low, 4), round(wilson(81, 263).high, 4)) == (0.2553, 0.3662)
    assert (round(exact(81, 263).low, 4), round(exact(81, 263).high, 4)) == (0.2527, 0.3676)
    assert exact(0, 38).low == 0 and round(exact(0, 38).high, 3) == 0.093
    assert math.isnan(wilson(0, 0).low) and math.isnan(wilson(0, 0).share)
    # The Dendermonde cohort as published, over both denominators.
    assert (round(wilson(23, 45).share, 3), round(wilson(23, 74).share, 3)) == (0.511, 0.311)
    assert half_year(date(2026, 6, 30)) == "2026-H1"


def test_an_empty_registry_has_an_audit(simulated: Registry) -> None:
    found = audit(Registry(simulated.definition), TODAY)
    assert found.flow.treated == 0 and found.relief is None and found.pain.note
    assert all(math.isnan(x.over_treated.share) for x in found.responders)


def test_a_correction_row_more_is_a_longer_dose() -> None:
    row = "g9,s2,infusion,ketamine,racemic,2026-01-19T11:10,2026-01-19T11:40,,,30,mg/h,,,,,"
    r = registry(with_row("segments.csv", row))
    assert given(r, r.session_of["s2"]).mg == Decimal(130)

"""Every rule of the tables: the small registry is right; each change makes one rule speak, by row and column."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest

from balm.actions.guidance import load
from balm.registry.checks import CHECKS
from balm.registry.definition import bundled_instruments, default_definition_text, read_definition
from balm.registry.plausible import GUARDS
from balm.registry.reading import read_registry, registry_tables
from balm.registry.tables import TABLES
from tests.unit.registry.small import FILES, files, with_cell, with_row

TODAY = date(2026, 11, 22)


def said(body: dict[str, bytes], today: date | None = TODAY) -> list[str]:
    registry, problems = read_registry(body, today=today)
    assert (registry is None) == bool(problems)
    return [str(p) for p in problems]


def test_the_small_registry_is_right_and_writes_itself_again() -> None:
    registry, problems = read_registry(files(), today=TODAY)
    assert problems == () and registry is not None
    assert registry_tables(registry) == {n: t for n, t in FILES.items() if n.endswith(".csv")}


def test_each_row_class_holds_the_columns_of_its_table() -> None:
    for table in TABLES:
        held = {f.name for f in dataclasses.fields(table.row)} - {"row"}
        assert held == {c.name for c in table.columns}, table.file


#: file, row, column, value -> what is said, in part
WRONG_CELLS = (
    ("sessions.csv", 1, "weight_kg", "0", "sessions.csv, row 1, column weight_kg: must lie between 10 and 350 kg"),
    ("sessions.csv", 1, "weight_kg", "700", "must lie between 10 and 350 kg; got '700'"),
    ("sessions.csv", 1, "weight_kg", "70 kg", "must be a number; got '70 kg'"),
    ("sessions.csv", 1, "weight_kg", "7e1", "must be written out"),
    ("segments.csv", 1, "dose", "-75", "must be 0 or more; got '-75'"),
    ("segments.csv", 1, "dose", "0", "segments.csv, row 1, column dose: must be above 0"),
    ("segments.csv", 2, "rate_unit", "mg/hour", "must be one of"),
    ("segments.csv", 2, "rate_unit", "", "rate and rate_unit come together"),
    ("segments.csv", 2, "rate_unit", "mL/h", "needs the concentration"),
    ("segments.csv", 2, "stop", "2026-01-19T10:40", "they overlap"),
    ("segments.csv", 2, "stop", "2026-01-19T08:40", "dates out of order"),
    ("segments.csv", 2, "stop", "", "must be filled: session s2 is signed"),
    ("segments.csv", 1, "start", "2026-01-12T08:10", "lies before session s1 begins"),
    ("segments.csv", 1, "stop", "2026-01-12T11:10", "lies after session s1 ends"),
    ("segments.csv", 1, "entered_at", "2026-01-12T12:00", "was signed at 2026-01-12 11:30, before this entry"),
    ("segments.csv", 4, "reason", "", "a correction says why"),
    ("segments.csv", 4, "replaces", "g1", "replaces a segment of session s1"),
    ("segments.csv", 4, "replaces", "g9", "'g9' is not one of the segments"),
    ("segments.csv", 3, "replaces", "g4", "replace each other in a circle"),
    ("segments.csv", 5, "dose", "", "a bolus needs its dose"),
    ("segments.csv", 6, "form", "racemate", "must be one of"),
    ("sessions.csv", 3, "weight_kg", "", "has no weight_kg, and the amount is per kg"),
    ("sessions.csv", 2, "end", "2026-01-19T08:00", "end (2026-01-19 08:00:00) is before start"),
    ("sessions.csv", 2, "end", "2026-03-19T08:00", "longer than 14 days"),
    ("sessions.csv", 2, "signed_at", "2026-01-19T11:00", "signed_at (2026-01-19 11:00:00) is before end"),
    ("sessions.csv", 2, "signed_by", "", "must be filled in a signed session"),
    ("sessions.csv", 4, "signed_by", "nurse1", "it must be 'signed'"),
    ("sessions.csv", 2, "number", "1", "has a session 1 already"),
    ("sessions.csv", 1, "start", "2025-01-12T09:00", "before the enrolment of p1"),
    ("sessions.csv", 1, "start", "12/01/2026 09:00", "must be a date and time such as"),
    ("sessions.csv", 1, "start", "2026-02-30T09:00", "no moment of the calendar"),
    ("sessions.csv", 1, "next_planned", "2026-01-01", "lies before the session"),
    ("sessions.csv", 4, "start", "2026-01-18T09:00", "dates out of order"),
    ("participants.csv", 1, "enrolled", "0001-01-05", "must have a year from 1900 to 2199"),
    ("sessions.csv", 1, "start", "9999-12-31T23:59", "must have a year from 1900 to 2199"),
    ("participants.csv", 1, "enrolled", "05-01-2026", "must be a date such as 2026-03-01"),
    ("participants.csv", 1, "year_of_birth", "2027", "must lie between 1900 and the year of enrolment"),
    ("participants.csv", 1, "site", "site9", "'site9' is not one of the sites of registry.toml"),
    ("consents.csv", 1, "withdrawn", "2025-12-31", "dates out of order"),
    ("courses.csv", 1, "participant", "p9", "'p9' is not one of the participants of participants.csv"),
    ("courses.csv", 4, "number", "1", "p1 has a course 1 already"),
    ("courses.csv", 1, "pain_type", "neuropatic", "did you mean 'neuropathic'?"),
    ("courses.csv", 1, "setting", "", "must not be empty"),
    ("observations.csv", 1, "value", "13", "systolic must lie between 40 and 300"),
    ("observations.csv", 1, "unit", "kPa", "systolic is in mm[Hg]; got 'kPa'"),
    ("observations.csv", 1, "quantity", "sistolic", "did you mean 'systolic'?"),
    ("observations.csv", 1, "time", "2026-01-12T12:30", "was signed at"),
    ("observations.csv", 1, "time", "2026-01-10T08:30", "more than a day outside"),
    ("assessments.csv", 1, "value", "11", "nrs average must lie between 0 and 10; got 11"),
    ("assessments.csv", 5, "value", "2.5", "change is a whole number"),
    ("assessments.csv", 1, "value", "", "needs an answer, or the reason in `missing`"),
    ("assessments.csv", 4, "value", "3", "has an answer and a reason"),
    ("assessments.csv", 1, "item", "avrage", "did you mean 'average'?"),
    ("assessments.csv", 1, "date", "2026-01-13", "a baseline answer lies after the first session"),
    ("assessments.csv", 2, "date", "2026-01-11", "lies before the first session"),
    ("assessments.csv", 2, "date", "2027-01-11", "lies in the future"),
    ("assessments.csv", 2, "visit", "mo4", "'mo4' is not one of the visits of registry.toml"),
    ("contacts.csv", 2, "events_asked", "yes", "nobody was reached, so nobody was asked"),
    ("adverse_events.csv", 1, "resolved", "2026-01-11", "dates out of order"),
    ("adverse_events.csv", 1, "session", "s3", "session s3 is of course c2, not c1"),
    ("adverse_events.csv", 1, "severity", "fatal", "a fatal event is serious"),
    ("adverse_events.csv", 1, "outcome", "fatal", "severity 'mild' beside outcome 'fatal'"),
    ("medications.csv", 1, "dose_unit", "", "come together"),
    ("medications.csv", 1, "session", "s3", "session s3 is of course c2, not c1"),
    ("stops.csv", 1, "date", "2026-01-01", "lies before the first session"),
    ("stops.csv", 1, "course", "c9", "'c9' is not one of the courses"),
)


def test_every_wrong_cell_is_named() -> None:
    missed = []
    for file, row, column, value, words in WRONG_CELLS:
        found = said(with_cell(file, row, column, value))
        if not any(words in line for line in found):
            missed.append((file, row, column, value, found))
    assert not missed


def test_every_check_speaks_somewhere() -> None:
    words = " ".join(w for *_, w in WRONG_CELLS)
    assert len(CHECKS) == len(TABLES) + 1
    assert "overlap" in words


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (with_row("assessments.csv", "a9,c1,mo1,nrs,average,2026-02-19,4,,link"), "answered for this visit already"),
        (with_row("assessments.csv", "a9,c1,mo2,nrs,average,2026-02-01,4,,link"), "mo2 (2026-02-01) lies before mo1"),
        (
            with_row("sessions.csv", "s9,c2,2,treatment,running,2026-03-01T09:00,,88,,,,,"),
            "was stopped on 2026-02-25; a session after that is a new course",
        ),
        (
            with_row("sessions.csv", "s9,c1,3,treatment,running,2026-01-19T11:00,,70,,,,,"),
            "sessions overlap",
        ),
        (
            with_row("adverse_events.csv", "e9,c2,s3,nausea,2026-01-20,,mild,no,,,,"),
            "says that adverse events were not asked about",
        ),
        (
            with_row(
                "segments.csv",
                "g9,s2,infusion,ketamine,racemic,2026-01-19T10:10,2026-01-19T11:10,,,60,mg/h,,g3,again,,",
            ),
            "was replaced by g4 already",
        ),
    ],
)
def test_rows_that_cannot_stand_beside_others(body: dict[str, bytes], words: str) -> None:
    assert any(words in line for line in said(body)), said(body)


def test_missing_files_and_definitions_are_named() -> None:
    body = files()
    del body["registry.toml"], body["courses.csv"]
    assert said(body) == [
        "registry.toml: the file is missing; `balm registry new` starts a registry with it",
        "courses.csv: the file is missing; it may hold its header alone",
    ]


WRONG_DEFINITIONS = (
    ('primary_visit = "mo1"', 'primary_visit = "mo4"', "'mo4' is not a visit after baseline"),
    ("small_cells = 5", 'small_cells = "5"', "must be a whole number; got '5'"),
    ("day = 365", "day = 99999999999", "day, before and after are 36,525 or less"),
    ("relief_percent = 30", "relief_percent = inf", "must be a finite number"),
    ("threshold = 30", f"threshold = {'9' * 400}", "must be a finite number"),
    ("small_cells = 5", "smal_cells = 5", "(did you mean 'small_cells'?)"),
    ('kind = "points"', 'kind = "point"', "must be one of ['percent', 'points', 'at-most', 'at-least']; got 'point'"),
    ('item = "average" }', 'item = "avg" }', "'avg' is not an item of nrs"),
    ("baseline = true", "baseline = false", "exactly one visit has baseline = true"),
    ('timezone = "Europe/Brussels"', 'timezone = "Europe/Brussel"', "is no time zone"),
    ('form = "racemic"', 'form = "raceme"', "must be one of ['racemic', 'S(+)']"),
    ('dose = "75"', "dose = 75", 'must be a number in quotes, such as "0.5"; got 75'),
    ('dose = "75"', 'dose = "-75"', "must be above 0; got -75"),
    ('id = "wk1"', 'id = "wk2"', "'wk2' stands there more than once"),
    ('instruments = ["nrs", "pgic"]', 'instruments = ["nrs", "bpi"]', "'bpi' is not an instrument"),
    ('not_stopped_for = "lack of effect"', 'not_stopped_for = "no effect"', "not_stopped_for: must be one of"),
    ('therapy = "Ketamine', "therapy = Ketamine", "cannot be read as TOML"),
)


@pytest.mark.parametrize(("old", "new", "words"), WRONG_DEFINITIONS)
def test_a_wrong_definition_is_named(old: str, new: str, words: str) -> None:
    text = default_definition_text()
    assert old in text
    found, problems = read_definition(text.replace(old, new, 1))
    assert found is None and any(words in str(p) for p in problems), [str(p) for p in problems]


def test_instruments_can_be_loaded_and_are_checked() -> None:
    own = b'id = "bpi"\nname = "BPI"\nbetter = "lower"\n[[items]]\nid = "sleep"\nlabel = "Sleep"\nlow = 0\nhigh = 10\n'
    text = default_definition_text().replace('["nrs", "pgic"]', '["nrs", "pgic", "bpi"]')
    found, problems = read_definition(text, {"instruments/bpi.toml": own})
    assert not problems and found is not None and found.instruments[2].items[0].high == 10
    for old, new, words in (
        (b"high = 10", b"high = 0", "low (0) must be below high (0)"),
        (b'id = "bpi"', b'id = "bp"', "must be the name of the file"),
        (b'"lower"', b'"less"', "must be one of ['lower', 'higher']"),
        (b"high = 10", b'high = 10\nwords = ["a"]', "has 1 words for 0 to 10"),
    ):
        _, problems = read_definition(text, {"instruments/bpi.toml": own.replace(old, new)})
        assert any(words in str(p) for p in problems), [str(p) for p in problems]
    assert set(bundled_instruments()) == {"instruments/nrs.toml", "instruments/pgic.toml"}


def test_the_reference_page_is_made_from_the_tables() -> None:
    from pathlib import Path

    from balm.registry.tables_page import reference_page

    page = Path(__file__).resolve().parents[3] / "docs" / "reference" / "registry.md"
    assert page.read_text("utf-8") == reference_page(), (
        "python -m balm.registry.tables_page > docs/reference/registry.md"
    )


@pytest.mark.parametrize(
    ("row", "cells", "said"),
    [
        (5, {"dose": "150", "dose_unit": "mg/kg"}, "row 5, column dose: 150 mg/kg is 150 mg/kg for 88 kg"),
        (5, {"dose": "600", "dose_unit": "mg"}, "column dose: 600 mg is 6.818 mg/kg for 88 kg"),
        (6, {"rate": "25", "rate_unit": "mg/kg/h"}, "column rate: 25 mg/kg/h is 25 mg/kg/h for 88 kg"),
        (2, {"rate": "50", "rate_unit": "mg/min"}, "column rate: 50 mg/min is 42.55 mg/kg/h for 70.5 kg"),
        (1, {"dose": "75", "dose_unit": "mg/kg"}, "column dose: 75 mg/kg is 75 mg/kg/h for 70 kg"),
    ],
)
def test_a_dose_beyond_belief_is_a_slip_of_the_unit(row: int, cells: dict[str, str], said: str) -> None:
    body = files()
    for column, value in cells.items():
        body = with_cell("segments.csv", row, column, value, body)
    found, problems = read_registry(body, today=date(2026, 11, 22))
    assert found is None and len(problems) == 1, problems
    assert said in str(problems[0]) and "which is not plausible (expected up to" in str(problems[0])


def test_doses_that_were_given_somewhere_are_believed() -> None:
    body = with_cell("segments.csv", 6, "rate", "7")  # intensive care, Kiefer 2008
    body = with_cell("segments.csv", 5, "dose", "4.5", body)
    assert read_registry(body, today=date(2026, 11, 22))[0] is not None
    unweighed = with_cell("sessions.csv", 2, "weight_kg", "", with_cell("segments.csv", 2, "rate", "3000"))
    assert read_registry(unweighed, today=date(2026, 11, 22))[0] is not None  # 350 kg are possible
    slip = with_cell("sessions.csv", 2, "weight_kg", "", with_cell("segments.csv", 2, "rate", "4000"))
    assert "even for 350 kg" in str(read_registry(slip, today=date(2026, 11, 22))[1][0])


def test_the_registrys_guards_are_those_of_the_guidance() -> None:
    guard, therapy = GUARDS["ketamine"], load("ketamine")[0].therapy
    assert therapy.guards["bolus"].bounds.high == guard.bolus and therapy.guards["rate"].bounds.high == guard.rate

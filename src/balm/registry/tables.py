"""The tables of a registry folder: one row a column, read by the reader, the import, the docs and the web pages.

The kinds of cell are those of :mod:`balm.vocabulary.table_columns`. An empty cell is *not recorded*. ``refers`` names
another table here by its attribute, or a list of ``registry.toml``: ``sites``, ``protocols``, ``visits``,
``instruments``. Nobody's name, birthday, address or number is in any of these tables: they stand in the identity vault.
"""

from __future__ import annotations

from balm.registry import rows
from balm.vocabulary.table_columns import Column, Table

PAIN_TYPES = ("neuropathic", "nociceptive", "nociplastic", "mixed", "not classified")
SETTINGS = ("chronic", "acute", "anaesthesia")
SEXES = ("female", "male", "other", "not stated")
PURPOSES = ("registry", "research", "contact", "sharing")
SESSION_KINDS = ("test", "treatment")
SESSION_STATES = ("planned", "running", "signed", "cancelled")
SEGMENT_KINDS = ("bolus", "infusion")
FORMS = ("racemic", "S(+)")
DOSE_UNITS = ("mg", "mg/kg", "ug", "ug/kg")
RATE_UNITS = ("mg/h", "mg/kg/h", "mg/min", "ug/kg/min", "ug/kg/h", "mL/h")
SEVERITIES = ("mild", "moderate", "severe", "life-threatening", "fatal")
CAUSALITIES = ("unrelated", "unlikely", "possible", "probable", "certain", "not assessable")
ACTIONS = ("none", "rate reduced", "paused", "stopped", "drug given", "other")
EVENT_OUTCOMES = ("recovered", "recovering", "not recovered", "recovered with sequelae", "fatal", "unknown")
MODES = ("clinic", "telephone", "link", "paper")
MISSING = ("not asked", "refused", "not reached", "too ill", "died", "other")
MEDICATION_KINDS = ("premedication", "co-medication", "rescue", "opioid", "other")
STOP_REASONS = (
    "lack of effect",
    "adverse event",
    "own wish",
    "treatment completed",
    "lost to follow-up",
    "pregnancy",
    "died",
    "other",
)

#: A weight outside is a slip of the pen or of the unit; the heaviest infusions on record lie well inside.
WEIGHT_KG = (10.0, 350.0)

_SESSION = Column("session", "id", "session", required=True, refers="sessions")
_COURSE = Column("course", "id", "course", required=True, refers="courses")
_PARTICIPANT = Column("participant", "id", "pseudonym of the participant", required=True, refers="participants")
_NOTES = Column("notes", "text", "remarks; no names, no contact details")
_BY = Column("entered_by", "id", "code of the person who entered it")

PARTICIPANTS = Table(
    "participants.csv",
    "participants",
    rows.Participant,
    "a person under a pseudonym",
    ("participant",),
    (
        Column("participant", "id", "pseudonym", required=True),
        Column("site", "id", "site", required=True, refers="sites"),
        Column("enrolled", "date", "day of enrolment", required=True),
        Column("year_of_birth", "year", "year of birth"),
        Column("sex", "choice", "sex", allowed=SEXES),
        _NOTES,
    ),
    required=True,
)
CONSENTS = Table(
    "consents.csv",
    "consents",
    rows.Consent,
    "a consent given or refused, with the version of the form; a new version is a new row",
    ("participant", "purpose", "version"),
    (
        _PARTICIPANT,
        Column("purpose", "choice", "what was asked for", required=True, allowed=PURPOSES),
        Column("version", "text", "version of the form", required=True),
        Column("given", "yes-no", "whether it was given", required=True),
        Column("date", "date", "day of the signature", required=True),
        Column("withdrawn", "date", "day it was withdrawn"),
    ),
)
COURSES = Table(
    "courses.csv",
    "courses",
    rows.Course,
    "one series of infusions given as one treatment; treating again later is a new course",
    ("course",),
    (
        Column("course", "id", "id of the course", required=True),
        _PARTICIPANT,
        Column("number", "size", "number of the course of this participant, from 1", required=True),
        Column("diagnosis", "text", "diagnosis", required=True),
        Column("diagnosis_code", "text", "code of the diagnosis, such as `ICD-11 8E43.0`"),
        Column("pain_type", "choice", "type of pain", required=True, allowed=PAIN_TYPES),
        Column("pain_years", "number", "duration of the pain", "a", low=0, high=100),
        Column("setting", "choice", "setting: a mandatory key", required=True, allowed=SETTINGS),
        Column("indication", "text", "indication and what was tried before"),
        Column("protocol", "id", "protocol followed", refers="protocols"),
        Column("guidance", "text", "guidance in force, with its version"),
        _NOTES,
    ),
    required=True,
)
SESSIONS = Table(
    "sessions.csv",
    "sessions",
    rows.Session,
    "one infusion session; locked once signed",
    ("session",),
    (
        Column("session", "id", "id of the session", required=True),
        _COURSE,
        Column("number", "size", "number of the session within the course, from 1", required=True),
        Column("kind", "choice", "test dose or treatment", required=True, allowed=SESSION_KINDS),
        Column("status", "choice", "status", required=True, allowed=SESSION_STATES),
        Column("start", "moment", "begin", required=True),
        Column("end", "moment", "end"),
        Column("weight_kg", "decimal", "body weight used", "kg", low=WEIGHT_KG[0], high=WEIGHT_KG[1]),
        Column("events_asked", "yes-no", "whether adverse events were asked about; empty = not recorded"),
        Column("signed_by", "id", "code of the person who signed"),
        Column("signed_at", "moment", "when it was signed; nothing of the session is later"),
        Column("next_planned", "date", "day planned for the next infusion"),
        _NOTES,
    ),
    required=True,
)
SEGMENTS = Table(
    "segments.csv",
    "segments",
    rows.Segment,
    "a bolus, or a stretch of time at one rate; corrected by a row that replaces it",
    ("segment",),
    (
        Column("segment", "id", "id of the segment", required=True),
        _SESSION,
        Column("kind", "choice", "kind", required=True, allowed=SEGMENT_KINDS),
        Column("drug", "text", "drug", required=True),
        Column("form", "choice", "racemic or S(+): twice the potency apart", required=True, allowed=FORMS),
        Column("start", "moment", "begin", required=True),
        Column("stop", "moment", "end; required for an infusion of a signed session"),
        Column("dose", "decimal", "dose of a bolus, or the whole amount of an infusion", low=0),
        Column("dose_unit", "choice", "unit of `dose` (UCUM)", allowed=DOSE_UNITS),
        Column("rate", "decimal", "rate of an infusion", low=0),
        Column("rate_unit", "choice", "unit of `rate` (UCUM)", allowed=RATE_UNITS),
        Column("concentration_mg_ml", "decimal", "concentration of the syringe", "mg/mL", low=0.01, high=100),
        Column("replaces", "id", "segment that this one corrects", refers="segments"),
        Column("reason", "text", "why it was corrected"),
        Column("entered_at", "moment", "when it was entered"),
        _BY,
    ),
)
OBSERVATIONS = Table(
    "observations.csv",
    "observations",
    rows.Observation,
    "a vital sign or score at a moment of a session",
    ("observation",),
    (
        Column("observation", "id", "id of the observation", required=True),
        _SESSION,
        Column("time", "moment", "when", required=True),
        Column("quantity", "text", "what was observed: a row of the list of quantities", required=True),
        Column("value", "number", "value", required=True),
        Column("unit", "text", "unit (UCUM); one for each quantity", required=True),
        _BY,
    ),
)
ASSESSMENTS = Table(
    "assessments.csv",
    "assessments",
    rows.Assessment,
    "one answer to an item of an instrument at a visit, or the reason why there is none",
    ("assessment",),
    (
        Column("assessment", "id", "id of the answer", required=True),
        _COURSE,
        Column("visit", "id", "visit of the schedule", required=True, refers="visits"),
        Column("instrument", "id", "instrument", required=True, refers="instruments"),
        Column("item", "id", "item of the instrument", required=True),
        Column("date", "date", "day of the answer", required=True),
        Column("value", "number", "answer; its range is the instrument's"),
        Column("missing", "choice", "why there is no answer", allowed=MISSING),
        Column("mode", "choice", "how it was asked", allowed=MODES),
    ),
)
CONTACTS = Table(
    "contacts.csv",
    "contacts",
    rows.Contact,
    "a follow-up held or tried",
    ("course", "visit", "date"),
    (
        _COURSE,
        Column("visit", "id", "visit of the schedule", required=True, refers="visits"),
        Column("date", "date", "day", required=True),
        Column("reached", "yes-no", "whether the person was reached", required=True),
        Column("events_asked", "yes-no", "whether adverse events were asked about; empty = not recorded"),
        Column("mode", "choice", "how", allowed=MODES),
        Column("reason", "text", "why the person was not reached"),
    ),
)
ADVERSE_EVENTS = Table(
    "adverse_events.csv",
    "adverse_events",
    rows.AdverseEvent,
    "an adverse event",
    ("event",),
    (
        Column("event", "id", "id of the event", required=True),
        _COURSE,
        Column("session", "id", "session it belongs to", refers="sessions"),
        Column("term", "text", "what happened, in words of a list where there is one", required=True),
        Column("onset", "date", "first day", required=True),
        Column("resolved", "date", "last day"),
        Column("severity", "choice", "severity", required=True, allowed=SEVERITIES),
        Column("serious", "yes-no", "serious in the sense of ICH E2A", required=True),
        Column("causality", "choice", "relation to the treatment", allowed=CAUSALITIES),
        Column("action", "choice", "what was done", allowed=ACTIONS),
        Column("outcome", "choice", "outcome", allowed=EVENT_OUTCOMES),
        _NOTES,
    ),
)
MEDICATIONS = Table(
    "medications.csv",
    "medications",
    rows.Medication,
    "another drug: premedication, co-medication, rescue, opioid",
    ("medication",),
    (
        Column("medication", "id", "id", required=True),
        _COURSE,
        Column("drug", "text", "drug", required=True),
        Column("kind", "choice", "kind", required=True, allowed=MEDICATION_KINDS),
        Column("session", "id", "session it was given at", refers="sessions"),
        Column("start", "date", "first day"),
        Column("stop", "date", "last day"),
        Column("dose", "decimal", "dose", low=0),
        Column("dose_unit", "text", "unit of `dose` (UCUM)"),
        Column("morphine_mg_day", "decimal", "oral morphine equivalent", "mg/d", low=0, high=5000),
    ),
)
STOPS = Table(
    "stops.csv",
    "stops",
    rows.Stop,
    "the treatment of a course ended for good, and why",
    ("course",),
    (
        _COURSE,
        Column("date", "date", "day", required=True),
        Column("reason", "choice", "reason", required=True, allowed=STOP_REASONS),
        Column("detail", "text", "in words"),
    ),
)

TABLES: tuple[Table, ...] = (
    PARTICIPANTS,
    CONSENTS,
    COURSES,
    SESSIONS,
    SEGMENTS,
    OBSERVATIONS,
    ASSESSMENTS,
    CONTACTS,
    ADVERSE_EVENTS,
    MEDICATIONS,
    STOPS,
)
TABLE_BY_FILE = {table.file: table for table in TABLES}
TABLE_BY_NAME = {table.attribute: table for table in TABLES}

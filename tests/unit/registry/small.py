# ruff: noqa: E501  (headers of tables are one line)
"""A small registry that is right in every cell, as files; tests change one cell and look at what is said."""

from __future__ import annotations

import csv
import io

from balm.registry.definition import default_definition_text

FILES: dict[str, str] = {
    "registry.toml": default_definition_text(),
    "participants.csv": """participant,site,enrolled,year_of_birth,sex,notes
p1,site1,2026-01-05,1970,female,
p2,site1,2026-01-06,1981,male,
p3,site1,2026-01-07,1962,female,
""",
    "consents.csv": """participant,purpose,version,given,date,withdrawn
p1,registry,v2,yes,2026-01-05,
""",
    "courses.csv": """course,participant,number,diagnosis,diagnosis_code,pain_type,pain_years,setting,indication,protocol,guidance,notes
c1,p1,1,CRPS of the left hand,,neuropathic,3,chronic,,fixed-150,,
c2,p2,1,low back pain,,nociceptive,8.5,chronic,,fixed-150,,
c3,p3,1,fibromyalgia,,nociplastic,,chronic,,,,
c4,p1,2,CRPS of the left hand,,neuropathic,3,chronic,,fixed-150,,
""",
    "sessions.csv": """session,course,number,kind,status,start,end,weight_kg,events_asked,signed_by,signed_at,next_planned,notes
s1,c1,1,test,signed,2026-01-12T09:00,2026-01-12T11:00,70,yes,nurse1,2026-01-12T11:30,,
s2,c1,2,treatment,signed,2026-01-19T09:00,2026-01-19T12:00,70.5,yes,nurse1,2026-01-19T12:15,,
s3,c2,1,treatment,signed,2026-01-20T09:00,2026-01-20T12:00,88,no,nurse2,2026-01-20T12:30,,
s4,c4,1,treatment,running,2026-05-19T09:00,,70,,,,,
""",
    "segments.csv": """segment,session,kind,drug,form,start,stop,dose,dose_unit,rate,rate_unit,concentration_mg_ml,replaces,reason,entered_at,entered_by
g1,s1,infusion,ketamine,racemic,2026-01-12T09:10,2026-01-12T10:10,75,mg,,,,,,2026-01-12T09:10,nurse1
g2,s2,infusion,ketamine,racemic,2026-01-19T09:10,2026-01-19T10:10,,,50,mg/h,,,,2026-01-19T09:10,nurse1
g3,s2,infusion,ketamine,racemic,2026-01-19T10:10,2026-01-19T11:10,,,60,mg/h,,,,2026-01-19T10:10,nurse1
g4,s2,infusion,ketamine,racemic,2026-01-19T10:10,2026-01-19T11:10,,,65,mg/h,,g3,misread pump,2026-01-19T11:00,nurse1
g5,s3,bolus,ketamine,S(+),2026-01-20T09:05,,0.1,mg/kg,,,,,,2026-01-20T09:05,nurse2
g6,s3,infusion,ketamine,S(+),2026-01-20T09:10,2026-01-20T11:10,,,0.25,mg/kg/h,,,,2026-01-20T09:10,nurse2
""",
    "observations.csv": """observation,session,time,quantity,value,unit,entered_by
o1,s1,2026-01-12T09:30,systolic,132,mm[Hg],nurse1
o2,s1,2026-01-12T09:30,saturation,97,%,nurse1
""",
    "assessments.csv": """assessment,course,visit,instrument,item,date,value,missing,mode
a1,c1,baseline,nrs,average,2026-01-10,8,,clinic
a2,c1,mo1,nrs,average,2026-02-18,3,,link
a3,c2,baseline,nrs,average,2026-01-15,7,,clinic
a4,c2,mo1,nrs,average,2026-02-20,,not reached,telephone
a5,c1,mo1,pgic,change,2026-02-18,2,,link
""",
    "contacts.csv": """course,visit,date,reached,events_asked,mode,reason
c1,mo1,2026-02-18,yes,yes,link,
c2,mo1,2026-02-20,no,,telephone,no answer
""",
    "adverse_events.csv": """event,course,session,term,onset,resolved,severity,serious,causality,action,outcome,notes
e1,c1,s1,dizziness,2026-01-12,2026-01-12,mild,no,probable,none,recovered,
""",
    "medications.csv": """medication,course,drug,kind,session,start,stop,dose,dose_unit,morphine_mg_day
m1,c1,midazolam,premedication,s1,2026-01-12,2026-01-12,2,mg,
""",
    "stops.csv": """course,date,reason,detail
c2,2026-02-25,lack of effect,
""",
}


def files(**changed: str) -> dict[str, bytes]:
    """The files as bytes; ``sessions="..."`` puts another text in the place of ``sessions.csv``."""
    body = {name: text.encode() for name, text in FILES.items()}
    for name, text in changed.items():
        body[name if "." in name else f"{name}.csv"] = text.encode()
    return body


def with_cell(file: str, row: int, column: str, value: str, into: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """The files with one cell changed: ``row`` from 1 under the header."""
    found = dict(into or files())
    lines = list(csv.reader(io.StringIO(found[file].decode())))
    lines[row][lines[0].index(column)] = value
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return {**found, file: out.getvalue().encode()}


def with_row(file: str, line: str) -> dict[str, bytes]:
    """The files with a row more."""
    found = files()
    return {**found, file: found[file] + line.encode() + b"\n"}

"""A registry that is simulated, and says so in every id, title and output: for trying the pages, never for a result.

How it is made, in full. Three sites treat 150 people from January 2024. Pain type is neuropathic (45 %), nociceptive
(25 %) or nociplastic (30 %). Pain at baseline is normal (mean 7.2, SD 1.2), cut to 4 to 10. Relief is a share of
baseline, normal around 0.50, 0.36 and 0.42 by pain type (SD 0.28); it halves every 120 days, and every answer has
noise of SD 0.9. Every course has a test session (75 mg over an hour) and a treatment session (150 mg over two hours, in
two rates that change once); one in ten treatments is cut short. Who is asked comes to a visit with probability 0.93,
less 0.03 for each point of the last pain above 4 (missing at random). Adverse events are asked about in 85 of 100
sessions; dizziness, nausea, drowsiness, dissociation and raised blood pressure come with probabilities between 0.03 and
0.18, one in twelve severe. Whoever has less than 10 % relief at one month stops for lack of effect in half of the
cases; whoever had relief and lost it is treated again in 6 of 10 cases.

None of these numbers is taken from a person, a clinic or a publication; they are round guesses. The published cohorts
stand beside the registry as published, and are never turned into people.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from statistics import NormalDist
from typing import Any

from balm.registry.definition import FILE, default_definition_text
from balm.registry.reading import read_registry
from balm.registry.tables import TABLES
from balm.vocabulary.problems import InputError
from balm.vocabulary.table_text import as_cell

#: Events with the probability of each in a session where events are asked about.
EVENTS = (("dizziness", 0.18), ("drowsiness", 0.15), ("nausea", 0.10), ("dissociation", 0.09), ("hypertension", 0.03))
TYPES = (("neuropathic", 0.45, 0.50), ("nociceptive", 0.25, 0.36), ("nociplastic", 0.30, 0.42))
DIAGNOSES = {
    "neuropathic": ("complex regional pain syndrome", "postherpetic neuralgia", "spinal cord injury pain"),
    "nociceptive": ("osteoarthritis", "chronic pancreatitis"),
    "nociplastic": ("fibromyalgia", "chronic widespread pain"),
}
SITES = (("sim-north", "Simulated clinic North", 0.40), ("sim-east", "Simulated clinic East", 0.35),
         ("sim-west", "Simulated clinic West", 0.25))  # fmt: skip
VISITS = (("wk1", 7), ("wk2", 14), ("mo1", 30), ("mo2", 61), ("mo3", 91), ("mo6", 183), ("mo12", 365))
#: The day the simulation ends: nothing in it is later.
END = datetime(2026, 10, 31, 18, 0)


def demonstration_files(*, seed: int = 20260301, people: int = 150) -> dict[str, bytes]:
    """The files of the demonstration registry; the same seed gives the same bytes.

    >>> files = demonstration_files(people=2)
    >>> b"SIMULATED" in files["registry.toml"]
    True
    """
    if not 1 <= people <= 100_000:
        raise InputError(f"people must lie between 1 and 100,000; got {people!r}")
    made = _Simulation(Random(seed), people)
    files = {FILE: _definition(seed).encode()}
    for table in TABLES:
        lines = [",".join(c.name for c in table.columns)]
        lines += [",".join(as_cell(row.get(c.name)) for c in table.columns) for row in made.rows[table.attribute]]
        files[table.file] = ("\n".join(lines) + "\n").encode()
    registry, problems = read_registry(files, today=END.date())
    assert registry is not None, problems[:3]
    return files


def _definition(seed: int) -> str:
    text = default_definition_text()
    start, end = text.index("[[sites]]"), text.index("# Days count from")
    sites = "".join(
        f'[[sites]]\nid = "{i}"\nname = "{name}"\ncountry = ""\ntimezone = "Europe/Brussels"\n\n'
        for i, name, _ in SITES
    )
    text = text[:start] + sites + text[end:]
    title = f"SIMULATED demonstration registry (seed {seed}): no patient, no clinic"
    return text.replace('title = "Registry"', f'title = "{title}"').replace("simulated = false", "simulated = true")


class _Simulation:
    """Rows of every table, person after person."""

    def __init__(self, random: Random, people: int) -> None:
        self.random = random
        self.rows: dict[str, list[dict[str, Any]]] = {t.attribute: [] for t in TABLES}
        for number in range(1, people + 1):
            self.person(f"SIM-{number:04d}")

    def normal(self, mean: float, sd: float) -> float:
        # The quantile of a uniform number: the same on every machine and version.
        return NormalDist(mean, sd).inv_cdf(min(max(self.random.random(), 1e-9), 1 - 1e-9))

    def one_of(self, shares: tuple[tuple[Any, ...], ...], at: int) -> tuple[Any, ...]:
        draw = self.random.random()
        for row in shares:
            draw -= row[at]
            if draw < 0:
                return row
        return shares[-1]

    def add(self, table: str, **cells: Any) -> None:
        self.rows[table].append(cells)

    def person(self, who: str) -> None:
        r = self.random
        site = self.one_of(SITES, 2)[0]
        pain_type, _, mean_relief = self.one_of(TYPES, 1)
        enrolled = datetime(2024, 1, 8) + timedelta(days=r.randrange(960))
        born = 1940 + r.randrange(62)
        self.add("participants", participant=who, site=site, enrolled=enrolled.date(), year_of_birth=born,
                 sex="female" if r.random() < 0.62 else "male")  # fmt: skip
        refused = r.random() < 0.03
        self.add(
            "consents", participant=who, purpose="registry", version="SIM-1", given=not refused, date=enrolled.date()
        )
        if r.random() < 0.04:
            return  # never treated
        baseline = min(max(self.normal(7.2, 1.2), 4.0), 10.0)
        share = self.normal(mean_relief, 0.28)
        weight = f"{min(max(self.normal(76, 14), 45), 140):.1f}"
        start: datetime | None = enrolled + timedelta(days=7 + r.randrange(40))
        diagnosis = DIAGNOSES[pain_type][r.randrange(len(DIAGNOSES[pain_type]))]
        years = round(1 + 14 * r.random(), 1)
        for number in (1, 2, 3):
            if start is None or start > END - timedelta(days=30):
                return
            course = f"{who}-c{number}"
            self.add("courses", course=course, participant=who, number=number, diagnosis=diagnosis, pain_type=pain_type,
                     pain_years=years, setting="chronic", protocol="fixed-150")  # fmt: skip
            start = self.course(course, start, baseline, share, weight)

    def course(self, course: str, start: datetime, baseline: float, share: float, weight: str) -> datetime | None:
        """One course; the day of the next one, where there is one."""
        r = self.random
        before = min(max(round(self.normal(baseline, 0.5)), 3), 10)
        self.answer(course, "baseline", "nrs", "average", start - timedelta(days=1 + r.randrange(10)), before)
        self.session(course, 1, "test", start.replace(hour=9), weight)
        day = start + timedelta(days=7)
        self.session(course, 2, "treatment", day.replace(hour=9), weight)
        last, relieved = float(before), False
        for visit, after in VISITS:
            when = day + timedelta(days=after + r.randrange(3))
            if when > END:
                return None
            there = r.random() < 0.93 - 0.03 * max(last - 4, 0)
            asked = r.random() < 0.9
            self.add("contacts", course=course, visit=visit, date=when.date(), reached=there,
                     events_asked=asked if there else None, mode="link" if there else "telephone",
                     reason=None if there else "no answer")  # fmt: skip
            if not there:
                continue
            now = share * 0.5 ** (after / 120)
            last = float(min(max(round(before * (1 - now) + self.normal(0, 0.9)), 0), 10))
            self.answer(course, visit, "nrs", "average", when, int(last))
            change = (before - last) / before
            pgic = 2 if change >= 0.5 else 3 if change >= 0.25 else 4 if change > -0.1 else 5
            self.answer(course, visit, "pgic", "change", when, max(pgic - (change >= 0.75), 1))
            if visit == "mo1" and change < 0.1 and r.random() < 0.5:
                self.add("stops", course=course, date=(when + timedelta(days=1)).date(), reason="lack of effect")
                return None
            relieved = relieved or change >= 0.3
            if after >= 61 and relieved and change < 0.3:
                if r.random() < 0.6:
                    return when + timedelta(days=10 + r.randrange(20))
                relieved = False
        return None

    def answer(self, course: str, visit: str, instrument: str, item: str, when: datetime, value: int) -> None:
        self.add("assessments", assessment=f"{course}-{visit}-{instrument}", course=course, visit=visit,
                 instrument=instrument, item=item, date=when.date(), value=value, mode="link")  # fmt: skip

    def session(self, course: str, number: int, kind: str, start: datetime, weight: str) -> None:
        r = self.random
        session = f"{course}-s{number}"
        asked = r.random() < 0.85
        end = start + timedelta(hours=2 if kind == "test" else 3)
        self.add("sessions", session=session, course=course, number=number, kind=kind, status="signed", start=start,
                 end=end, weight_kg=weight, events_asked=asked, signed_by="sim-nurse",
                 signed_at=end + timedelta(minutes=10))  # fmt: skip
        first = start + timedelta(minutes=10)
        if kind == "test":
            parts = [("75", first, first + timedelta(hours=1))]
        else:
            middle = first + timedelta(hours=1)
            short = r.random() < 0.1
            parts = [("60", first, middle), ("90", middle, middle + timedelta(minutes=30 if short else 60))]
        for i, (rate, begin, stop) in enumerate(parts, start=1):
            self.add("segments", segment=f"{session}-g{i}", session=session, kind="infusion", drug="ketamine",
                     form="racemic", start=begin, stop=stop, rate=rate, rate_unit="mg/h", entered_at=begin,
                     entered_by="sim-nurse")  # fmt: skip
        for i, minutes in enumerate((0, 60, 110), start=1):
            rise = 12 if minutes == 60 else 0
            for what, unit, mean, sd in (
                ("systolic", "mm[Hg]", 128 + rise, 12),
                ("heart-rate", "/min", 74 + rise / 3, 9),
            ):
                value = round(min(max(self.normal(mean, sd), 60), 190))
                self.add("observations", observation=f"{session}-{what}-{i}", session=session, quantity=what,
                         value=value, unit=unit, time=start + timedelta(minutes=minutes),
                         entered_by="sim-nurse")  # fmt: skip
        if not asked:
            return
        for term, probability in EVENTS:
            if r.random() < probability:
                draw = r.random()
                severity = "severe" if draw < 1 / 12 else "moderate" if draw < 1 / 3 else "mild"
                self.add("adverse_events", event=f"{session}-{term}", course=course, session=session, term=term,
                         onset=start.date(), resolved=start.date(), severity=severity, serious=False,
                         causality="probable", action="rate reduced" if severity == "severe" else "none",
                         outcome="recovered")  # fmt: skip

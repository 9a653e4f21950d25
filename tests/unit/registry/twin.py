"""The counts of an audit worked out again from the cells of the files, by loops that know nothing of the registry.

Slow and obvious on purpose: every question reads whole tables again. Dates are compared as ISO text where order is
all that matters.
"""

from __future__ import annotations

import csv
import io
import tomllib
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

Rows = list[dict[str, str]]
SEVERITIES = ("mild", "moderate", "severe")


def tables(files: dict[str, bytes]) -> dict[str, Rows]:
    """Every table as rows of text."""
    return {
        name[:-4]: list(csv.DictReader(io.StringIO(body.decode())))
        for name, body in files.items()
        if name.endswith(".csv")
    }


def as_files(files: dict[str, bytes], changed: dict[str, Rows]) -> dict[str, bytes]:
    """The files with these tables; a column stays where it was."""
    out = dict(files)
    for name, rows in changed.items():
        columns = next(csv.reader(io.StringIO(files[f"{name}.csv"].decode())))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        out[f"{name}.csv"] = text.getvalue().encode()
    return out


def disturbed(files: dict[str, bytes], seed: int) -> dict[str, bytes]:
    """The registry with answers lost, moved and changed, people lost, questions unasked, treatments stopped."""
    r, t = Random(seed), tables(files)
    t["assessments"] = [a for a in t["assessments"] if r.random() > 0.15]
    for a in t["assessments"]:
        if r.random() < 0.2 and a["instrument"] == "nrs":
            a["value"] = str(r.randrange(11))
        if r.random() < 0.15:
            a["value"], a["missing"] = "", r.choice(["not reached", "refused", "not asked"])
    t["contacts"] = [c for c in t["contacts"] if r.random() > 0.2]
    for s in t["sessions"]:
        s["events_asked"] = r.choice(["yes", "no", "", "yes"])
    for c in t["contacts"]:
        if c["reached"] == "yes":
            c["events_asked"] = r.choice(["yes", "no", ""])
    for c in t["consents"]:
        if c["given"] == "yes" and r.random() < 0.1:
            c["withdrawn"] = "2026-10-01"
    t["consents"] = [c for c in t["consents"] if r.random() > 0.1]
    stopped = {s["course"] for s in t["stops"]}
    for c in t["courses"]:
        own = [s["start"][:10] for s in t["sessions"] if s["course"] == c["course"]]
        if c["course"] not in stopped and own and r.random() < 0.15:
            day = min(date.fromisoformat(max(own)) + timedelta(days=r.randrange(60)), date(2026, 10, 31))
            row = dict.fromkeys(t["stops"][0] if t["stops"] else ("course", "date", "reason", "detail"), "")
            reason = r.choice(["lack of effect", "adverse event", "own wish"])
            t["stops"].append(row | {"course": c["course"], "date": str(day), "reason": reason})
        if r.random() < 0.1:
            c["pain_type"] = "not classified"
    unasked = {s["session"] for s in t["sessions"] if s["events_asked"] == "no"}
    t["adverse_events"] = [e for e in t["adverse_events"] if e["session"] not in unasked]
    for e in t["adverse_events"]:
        e["severity"] = r.choice(SEVERITIES)
    for p in t["participants"]:
        p["sex"] = p["sex"] if r.random() > 0.1 else ""
        p["year_of_birth"] = p["year_of_birth"] if r.random() > 0.1 else ""
    return as_files(files, t)


class Twin:
    """One registry on one day."""

    def __init__(self, files: dict[str, bytes], today: date, site: str | None = None) -> None:
        self.t, self.today = tables(files), today
        self.d: dict[str, Any] = tomllib.loads(files["registry.toml"].decode())
        self.visits = {v["id"]: v for v in self.d["visits"]}
        self.people = [p for p in self.t["participants"] if site in (None, p["site"])]
        self.refused = [p for p in self.people if self._out(p["participant"])]
        staying = [p["participant"] for p in self.people if p not in self.refused]
        self.index = [c for who in staying if (c := self._first_begun(who)) is not None]

    def _out(self, who: str) -> bool:
        own = [c for c in self.t["consents"] if c["participant"] == who and c["purpose"] == "registry"]
        if not own:
            return False
        last = max(own, key=lambda c: c["date"])
        return last["given"] == "no" or bool(last["withdrawn"])

    def held(self, course: str) -> Rows:
        own = [s for s in self.t["sessions"] if s["course"] == course and s["status"] in ("running", "signed")]
        return sorted(own, key=lambda s: s["start"])

    def _first_begun(self, who: str) -> dict[str, str] | None:
        own = sorted((c for c in self.t["courses"] if c["participant"] == who), key=lambda c: int(c["number"]))
        return next((c for c in own if self.held(c["course"])), None)

    def zero(self, course: str) -> date:
        held = self.held(course)
        treated = [s for s in held if s["kind"] == "treatment"] or held
        return date.fromisoformat(treated[-1]["start"][:10])

    def span(self, course: str, visit: str) -> tuple[date, date]:
        v = self.visits[visit]
        day = date.fromisoformat(self.held(course)[0]["start"][:10]) if v.get("baseline") else (
            self.zero(course) + timedelta(days=v["day"]))  # fmt: skip
        return day - timedelta(days=v["before"]), day + timedelta(days=v["after"])

    def next_begin(self, course: dict[str, str]) -> date | None:
        begins = [
            date.fromisoformat(self.held(c["course"])[0]["start"][:10])
            for c in self.t["courses"]
            if c["participant"] == course["participant"]
            and int(c["number"]) > int(course["number"])
            and self.held(c["course"])
        ]
        return min(begins) if begins else None

    def value(self, course: dict[str, str], visit: str, instrument: str, item: str) -> tuple[date, Decimal] | None:
        low, high = self.span(course["course"], visit)
        again = self.next_begin(course)
        found = [
            (date.fromisoformat(a["date"]), Decimal(a["value"]))
            for a in self.t["assessments"]
            if (a["course"], a["visit"], a["instrument"], a["item"]) == (course["course"], visit, instrument, item)
            and a["value"]
        ]
        fits = [(d, v) for d, v in found if low <= d <= high]
        if visit != "baseline" and again is not None:
            fits = [(d, v) for d, v in fits if d <= again]
        return min(fits, key=lambda f: f[0]) if fits else None

    def stop(self, course: str) -> tuple[date, str] | None:
        own = [s for s in self.t["stops"] if s["course"] == course]
        return (date.fromisoformat(own[0]["date"]), own[0]["reason"]) if own else None

    def status(self, course: dict[str, str], visit: str, definition: dict[str, Any]) -> str:
        _, closes = self.span(course["course"], visit)
        stop = self.stop(course["course"])
        unwanted = definition.get("not_stopped_for")
        if unwanted and stop and stop[1] == unwanted and stop[0] <= closes and stop[0] <= self.today:
            return "no"
        instrument, item = definition.get("instrument", "nrs"), definition.get("item", "average")
        after = self.value(course, visit, instrument, item)
        if after is None:
            return "not due" if self.today <= closes else "unknown"
        if definition["kind"] == "at-most":
            return "yes" if after[1] <= definition["threshold"] else "no"
        before = self.value(course, "baseline", instrument, item)
        if before is None or before[1] == 0:
            return "unknown"
        fell = before[1] - after[1]
        least = Decimal(str(definition["threshold"])) * (before[1] / 100 if definition["kind"] == "percent" else 1)
        return "yes" if fell >= least else "no"

    def responders(self, visit: str) -> dict[str, tuple[int, int, int, dict[str, tuple[int, int]]]]:
        """Definition -> responders, due, assessed, and responders of assessed by pain type."""
        out = {}
        for definition in self.d["responders"]:
            said = [(c["pain_type"], self.status(c, visit, definition)) for c in self.index]
            types = {
                k: (sum(x == (k, "yes") for x in said), n)
                for k in dict.fromkeys(k for k, _ in said)
                if (n := sum(x in ((k, "yes"), (k, "no")) for x in said))
            }
            yes, no, unknown = (sum(s == word for _, s in said) for word in ("yes", "no", "unknown"))
            out[definition["id"]] = (yes, yes + no + unknown, yes + no, types)
        return out

    def flow(self, visit: str) -> dict[str, int]:
        counted = Counter[str]()
        for c in self.index:
            own = [a for a in self.t["assessments"] if a["course"] == c["course"] and a["visit"] == visit]
            met = [k for k in self.t["contacts"] if k["course"] == c["course"] and k["visit"] == visit]
            pain = self.value(c, visit, "nrs", "average")
            if pain is None and self.today <= self.span(c["course"], visit)[1]:
                counted["not_due"] += 1
                continue
            counted["due"] += 1
            if not any(a["value"] for a in own) and not any(k["reached"] == "yes" for k in met):
                counted["not_followed"] += 1
                continue
            counted["followed"] += 1
            if pain is not None and self.value(c, "baseline", "nrs", "average") is not None:
                counted["analysed"] += 1
        enrolled, refused, treated = len(self.people), len(self.refused), len(self.index)
        names = ("not_due", "due", "not_followed", "followed", "analysed")
        return {
            "enrolled": enrolled,
            "refused": refused,
            "not_treated": enrolled - refused - treated,
            "treated": treated,
            **{name: counted[name] for name in names},
        }

    def harms(self) -> dict[str, int]:
        counted = Counter[str]()
        for c in self.index:
            own = [SEVERITIES.index(e["severity"]) for e in self.t["adverse_events"] if e["course"] == c["course"]]
            sessions = [s["events_asked"] for s in self.held(c["course"])]
            met = [k for k in self.t["contacts"] if k["course"] == c["course"] and k["reached"] == "yes"]
            said = sessions + [k["events_asked"] for k in met]
            if own or "yes" in said:
                counted["asked"] += 1
                counted["asked_every_session"] += set(sessions) == {"yes"}
            elif set(said) == {"no"}:
                counted["never_asked"] += 1
            else:
                counted["not_recorded"] += 1
            counted["with_event"] += bool(own)
            counted["events"] += len(own)
            if own:
                counted["worst " + SEVERITIES[max(own)]] += 1
        return dict(counted)

    def milligrams(self) -> dict[str, Decimal]:
        """Session -> mg, of the segments that no later one replaced, all in mg/h."""
        replaced = {g["replaces"] for g in self.t["segments"] if g["replaces"]}
        treated = {c["participant"] for c in self.index}
        courses = {c["course"] for c in self.t["courses"] if c["participant"] in treated}
        out: dict[str, Decimal] = {}
        for s in self.t["sessions"]:
            if s["course"] not in courses or s["status"] not in ("running", "signed"):
                continue
            total = Decimal(0)
            for g in self.t["segments"]:
                if g["session"] == s["session"] and g["segment"] not in replaced:
                    minutes = _minutes(g["stop"]) - _minutes(g["start"])
                    total += Decimal(g["rate"]) * minutes / 60
            out[s["session"]] = total
        return out

    def relief(self) -> list[tuple[int, bool]]:
        """Days and whether relief ended, of each index course where that can be told."""
        out = []
        for c in self.index:
            before = self.value(c, "baseline", "nrs", "average")
            if before is None or before[1] == 0:
                continue
            zero, ends, seen = self.zero(c["course"]), [], []
            again, stop = self.next_begin(c), self.stop(c["course"])
            if again and again <= self.today:
                ends.append(again)
            if stop and stop[1] == "lack of effect" and stop[0] <= self.today:
                ends.append(stop[0])
            for visit in self.visits:
                found = None if visit == "baseline" else self.value(c, visit, "nrs", "average")
                if found is not None:
                    seen.append(found[0])
                    if found[1] > before[1] * (100 - self.d["relief_percent"]) / 100:
                        ends.append(found[0])
            if ends:
                out.append((max((min(ends) - zero).days, 0), True))
            elif seen and max(seen) > zero:
                out.append(((max(seen) - zero).days, False))
        return out


def _minutes(stamp: str) -> int:
    day, clock = stamp.split("T")
    hours, minutes = clock.split(":")[:2]
    return date.fromisoformat(day).toordinal() * 1440 + int(hours) * 60 + int(minutes)

"""``registry.toml`` and ``instruments/*.toml``: sites, schedule, instruments, responders and protocols, set beforehand.

What is counted, when and with which threshold stands here before the first result, so that a report cannot choose its
definition after the fact. Reading is strict: an unknown field, a wrong type or a name that leads nowhere is a problem.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from importlib.resources import files as package_files
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from balm.registry.tables import DOSE_UNITS, FORMS, RATE_UNITS, SEGMENT_KINDS, SESSION_KINDS, STOP_REASONS
from balm.vocabulary.problems import Problem
from balm.vocabulary.table_columns import Column
from balm.vocabulary.table_text import read_cell, unknown_name
from balm.vocabulary.toml_text import load_toml

FILE = "registry.toml"
INSTRUMENTS = "instruments/"
#: A century.
MOST_DAYS = 36_525
RESPONDER_KINDS = ("percent", "points", "at-most", "at-least")
BETTER = ("lower", "higher")


@dataclass(frozen=True, slots=True)
class Site:
    """A place that treats; ``timezone`` is its clock (IANA name)."""

    id: str
    name: str
    country: str = ""
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Visit:
    """A point of the schedule: ``day`` after the last treatment session, and the window that still counts."""

    id: str
    label: str
    day: int
    before: int = 0
    after: int = 0
    baseline: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A question with the range of its answers; ``words`` name whole answers from ``low`` upwards."""

    id: str
    label: str
    low: float
    high: float
    whole: bool = False
    words: tuple[str, ...] = ()
    optional: bool = False
    loinc: str = ""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A questionnaire, as its licence allows it to be loaded."""

    id: str
    name: str
    better: str
    items: tuple[Item, ...]
    version: str = ""
    licence: str = ""
    source: str = ""

    def item(self, name: str) -> Item | None:
        """The item called ``name``."""
        return next((i for i in self.items if i.id == name), None)


@dataclass(frozen=True, slots=True)
class Answered:
    """An item of an instrument."""

    instrument: str
    item: str


@dataclass(frozen=True, slots=True)
class Responder:
    """A definition of response; ``percent`` and ``points`` are reductions of pain from baseline.

    ``not_stopped_for``: whoever stopped the treatment for this reason is no responder, whatever the answers say.
    """

    id: str
    label: str
    kind: str
    threshold: float
    instrument: str = ""
    item: str = ""
    not_stopped_for: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One bolus or infusion of a protocol."""

    session: str
    kind: str
    dose: Decimal | None = None
    dose_unit: str = ""
    rate: Decimal | None = None
    rate_unit: str = ""
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Protocol:
    """What a clinic means to give; what was given stands in the segments."""

    id: str
    label: str
    drug: str
    form: str
    steps: tuple[Step, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A whole ``registry.toml`` with the instruments it names."""

    title: str
    therapy: str
    drug: str
    primary_visit: str
    primary_responder: str
    pain: Answered
    sites: tuple[Site, ...]
    visits: tuple[Visit, ...]
    instruments: tuple[Instrument, ...]
    responders: tuple[Responder, ...]
    protocols: tuple[Protocol, ...] = ()
    simulated: bool = False
    small_cells: int = 5
    relief_percent: float = 30.0
    until_next_infusion: bool = True

    @property
    def baseline(self) -> Visit:
        """The visit before treatment."""
        return next(v for v in self.visits if v.baseline)

    @property
    def follow_ups(self) -> tuple[Visit, ...]:
        """The visits after treatment, in order."""
        return tuple(sorted((v for v in self.visits if not v.baseline), key=lambda v: v.day))

    @property
    def primary(self) -> Responder:
        """The definition of response that sites, charts and comparisons use."""
        return next(r for r in self.responders if r.id == self.primary_responder)

    def visit(self, name: str) -> Visit | None:
        """The visit called ``name``."""
        return next((v for v in self.visits if v.id == name), None)

    def instrument(self, name: str) -> Instrument | None:
        """The instrument called ``name``."""
        return next((i for i in self.instruments if i.id == name), None)

    def site(self, name: str) -> Site | None:
        """The site called ``name``."""
        return next((s for s in self.sites if s.id == name), None)


def default_definition_text() -> str:
    """The ``registry.toml`` a registry starts with."""
    return (package_files("balm.registry") / "defaults.toml").read_text("utf-8")


def bundled_instruments() -> dict[str, bytes]:
    """The instruments that come with the package: ``instruments/nrs.toml`` -> its bytes."""
    folder = package_files("balm.registry") / "instruments"
    return {
        f"{INSTRUMENTS}{f.name}": f.read_bytes()
        for f in sorted(folder.iterdir(), key=lambda f: f.name)
        if f.name.endswith(".toml")
    }


def read_definition(text: str, files: Mapping[str, bytes] | None = None) -> tuple[Definition | None, list[Problem]]:
    """The definition in ``text`` with the instruments of ``files`` (``instruments/*.toml``) and the bundled ones.

    >>> found, problems = read_definition(default_definition_text())
    >>> found.primary_visit, [r.id for r in found.responders], problems
    ('mo1', ['pain30', 'pain50', 'points2', 'pgic2', 'pain50-kept'], [])
    """
    taken = _Taken(FILE)
    try:
        data = load_toml(text)
    except ValueError as error:
        return None, [Problem(f"cannot be read as TOML: {error}", file=FILE)]
    instruments = _instruments({**bundled_instruments(), **_of_folder(files or {})}, taken)
    names = taken.words(data.get("instruments", ["nrs", "pgic"]), "instruments")
    for name in names:
        if name not in instruments:
            taken.wrong("instruments", unknown_name("an instrument (instruments/NAME.toml)", name, sorted(instruments)))
    body = {k: v for k, v in data.items() if k != "instruments"}
    found = taken.one(
        Definition,
        body,
        "",
        {
            "instruments": tuple(instruments[n] for n in names if n in instruments),
            "pain": taken.one(Answered, data.get("pain"), "pain") if "pain" in data else None,
            "sites": taken.many(Site, data.get("sites"), "sites"),
            "visits": taken.many(Visit, data.get("visits"), "visits"),
            "responders": taken.many(Responder, data.get("responders"), "responders"),
            "protocols": _protocols(data.get("protocols", []), taken),
        },
    )
    if found is not None and not taken.problems:
        _check(found, taken)
    return (None if taken.problems else found), taken.problems


def _of_folder(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {n: b for n, b in files.items() if n.startswith(INSTRUMENTS) and n.endswith(".toml")}


def _instruments(files: Mapping[str, bytes], taken: _Taken) -> dict[str, Instrument]:
    found: dict[str, Instrument] = {}
    for name, body in sorted(files.items()):
        own = _Taken(name)
        try:
            data = load_toml(body.decode("utf-8"))
        except ValueError as error:
            taken.problems.append(Problem(f"cannot be read as TOML: {error}", file=name))
            continue
        items = own.many(Item, data.get("items"), "items")
        one = own.one(Instrument, data, "", {"items": items})
        if one is not None:
            if one.better not in BETTER:
                own.wrong("better", f"must be one of {list(BETTER)}; got {one.better!r}")
            if f"{INSTRUMENTS}{one.id}.toml" != name:
                own.wrong("id", f"must be the name of the file, {name[len(INSTRUMENTS) : -5]!r}; got {one.id!r}")
            for item in one.items:
                if item.low >= item.high:
                    own.wrong(f"items {item.id}", f"low ({item.low:g}) must be below high ({item.high:g})")
                if item.words and len(item.words) != item.high - item.low + 1:
                    own.wrong(f"items {item.id}", f"has {len(item.words)} words for {item.low:g} to {item.high:g}")
            found[one.id] = one
        taken.problems += own.problems
    return found


def _protocols(data: object, taken: _Taken) -> tuple[Protocol, ...]:
    found = []
    if not isinstance(data, list):
        taken.wrong("protocols", "must be written [[protocols]]")
        return ()
    for number, one in enumerate(data, start=1):
        place = f"protocols {number}"
        if not isinstance(one, dict):
            taken.wrong(place, "must be a table")
            continue
        steps = taken.many(Step, one.get("steps", []), f"{place}.steps")
        protocol = taken.one(Protocol, one, place, {"steps": steps})
        if protocol is None:
            continue
        if protocol.form not in FORMS:
            taken.wrong(f"{place}.form", f"must be one of {list(FORMS)}; got {protocol.form!r}")
        for step in protocol.steps:
            for name, allowed in (
                ("session", SESSION_KINDS),
                ("kind", SEGMENT_KINDS),
                ("dose_unit", ("", *DOSE_UNITS)),
                ("rate_unit", ("", *RATE_UNITS)),
            ):
                if getattr(step, name) not in allowed:
                    taken.wrong(f"{place}.steps.{name}", f"must be one of {list(allowed)}; got {getattr(step, name)!r}")
            for name in ("dose", "rate"):
                value = getattr(step, name)
                if (value is None) != (getattr(step, f"{name}_unit") == ""):
                    taken.wrong(f"{place}.steps.{name}", f"{name} and {name}_unit come together")
                if value is not None and value <= 0:
                    taken.wrong(f"{place}.steps.{name}", f"must be above 0; got {value}")
        found.append(protocol)
    return tuple(found)


def _check(d: Definition, taken: _Taken) -> None:
    """Names that lead nowhere, and numbers that cannot be."""
    for place, things in (
        ("sites", d.sites),
        ("visits", d.visits),
        ("responders", d.responders),
        ("protocols", d.protocols),
    ):
        ids = [thing.id for thing in things]
        for name in sorted({i for i in ids if ids.count(i) > 1}):
            taken.wrong(place, f"{name!r} stands there more than once")
        if not ids and place != "protocols":
            taken.wrong(place, f"needs at least one [[{place}]]")
    if sum(v.baseline for v in d.visits) != 1:
        taken.wrong("visits", "exactly one visit has baseline = true")
        return
    follow = [v.id for v in d.follow_ups]
    if d.primary_visit not in follow:
        taken.wrong("primary_visit", unknown_name("a visit after baseline", d.primary_visit, follow))
    if d.primary_responder not in (names := [r.id for r in d.responders]):
        taken.wrong("primary_responder", unknown_name("one of [[responders]]", d.primary_responder, names))
    for visit in d.visits:
        if visit.before < 0 or visit.after < 0 or (not visit.baseline and visit.day < 1):
            taken.wrong(f"visits {visit.id}", "day is 1 or more after baseline; before and after are 0 or more")
        if max(visit.day, visit.before, visit.after) > MOST_DAYS:
            taken.wrong(f"visits {visit.id}", f"day, before and after are {MOST_DAYS:,} or less")
    for site in d.sites:
        try:
            ZoneInfo(site.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            taken.wrong(f"sites {site.id}.timezone", f"is no time zone such as 'Europe/Brussels': {site.timezone!r}")
    if d.small_cells < 0 or not 0 < d.relief_percent <= 100:
        taken.wrong("small_cells, relief_percent", "small_cells is 0 or more; relief_percent lies between 0 and 100")
    asked = [("pain", d.pain.instrument, d.pain.item)]
    asked += [(f"responders {r.id}", r.instrument, r.item) for r in d.responders if r.instrument or r.item]
    for place, instrument, item in asked:
        known = d.instrument(instrument)
        if known is None:
            taken.wrong(place, unknown_name("one of `instruments`", instrument, [i.id for i in d.instruments]))
        elif known.item(item) is None:
            taken.wrong(place, unknown_name(f"an item of {instrument}", item, [i.id for i in known.items]))
    for r in d.responders:
        if r.kind not in RESPONDER_KINDS:
            taken.wrong(f"responders {r.id}.kind", f"must be one of {list(RESPONDER_KINDS)}; got {r.kind!r}")
        elif r.kind in ("at-most", "at-least") and not r.instrument:
            taken.wrong(f"responders {r.id}", f"kind {r.kind!r} needs the instrument and item it is about")
        if r.not_stopped_for and r.not_stopped_for not in STOP_REASONS:
            taken.wrong(f"responders {r.id}.not_stopped_for", f"must be one of {list(STOP_REASONS)}")


class _Taken:
    """Fields taken from TOML into data classes, with what is wrong."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def wrong(self, place: str, reason: str) -> None:
        self.problems.append(Problem(reason, file=self.file, column=place))

    def words(self, value: object, place: str) -> tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            return tuple(value)
        self.wrong(place, "must be a list of words")
        return ()

    def many(self, kind: type[Any], value: object, place: str) -> tuple[Any, ...]:
        if value is None:
            self.wrong(place, f"is missing; write [[{place}]]")
            return ()
        if not isinstance(value, list):
            self.wrong(place, f"must be written [[{place}]]")
            return ()
        found = [self.one(kind, one, f"{place} {n}") for n, one in enumerate(value, start=1)]
        return tuple(one for one in found if one is not None)

    def one(self, kind: type[Any], data: object, place: str, given: Mapping[str, Any] | None = None) -> Any:
        if not isinstance(data, dict):
            self.wrong(place or "", "must be a table of fields")
            return None
        known = {f.name: f for f in fields(kind)}
        prefix = f"{place}." if place else ""
        before = len(self.problems)
        for name in data:
            if name not in known:
                self.wrong(f"{prefix}{name}", unknown_name("a field here", name, list(known)))
        values = dict(given or {})
        for name, field in known.items():
            if name in values:
                continue
            if name not in data:
                if field.default is field.default_factory:  # both MISSING: it must be there
                    self.wrong(f"{prefix}{name}", "is missing")
                continue
            values[name] = self._typed(data[name], str(field.type), f"{prefix}{name}")
            if name == "id" and isinstance(values[name], str):
                reason = read_cell(values[name], Column("id", "id", ""))[1] if values[name] else "must not be empty"
                if reason:
                    self.wrong(f"{prefix}{name}", f"{reason}; got {values[name]!r}")
        for name, field in known.items():
            if values.get(name, ...) is None and field.default is field.default_factory:
                return None
        return kind(**values) if len(self.problems) == before else None

    def _typed(self, value: object, kind: str, place: str) -> Any:
        wanted: Sequence[tuple[str, str, Iterable[type]]] = (
            ("bool", "true or false", (bool,)),
            ("int", "a whole number", (int,)),
            ("float", "a number", (int, float)),
            ("Decimal", 'a number in quotes, such as "0.5"', (str,)),
            ("tuple[str, ...]", "a list of words", (list,)),
            ("str", "text in quotes", (str,)),
        )
        for name, words, types in wanted:
            if not kind.startswith(name):
                continue
            if not isinstance(value, tuple(types)) or (isinstance(value, bool) and name != "bool"):
                self.wrong(place, f"must be {words}; got {value!r}")
                return None
            if name == "float":
                try:
                    plain = float(value)  # type: ignore[arg-type]
                except OverflowError:
                    plain = math.inf
                if not math.isfinite(plain):
                    self.wrong(place, "must be a finite number")
                return plain
            if name == "Decimal":
                number, reason = read_cell(str(value), Column(place, "decimal", ""))
                if reason:
                    self.wrong(place, f"{reason}; got {value!r}")
                return number
            if name == "tuple[str, ...]":
                return self.words(value, place)
            return value
        raise AssertionError(kind)

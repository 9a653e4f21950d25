"""A therapy in its own words: names, settings, drug forms, conditions, comorbidities, and what no input can be.

Read from ``guidance/therapy.toml`` of a review package, so that another therapy is another file and no other code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from balm.guidance.bounds import Bounds, read_bounds
from balm.guidance.units import Quantity, quantity_of
from balm.vocabulary.problems import InputError, Problem, unknown_option
from balm.vocabulary.toml_text import load_toml

FILE = "guidance/therapy.toml"
#: What can be guarded against slips of the hand, with a unit of its kind.
GUARDED = {
    "weight": "kg", "bolus": "mg/kg", "rate": "mg/kg/h", "duration": "h", "sessions": "", "total": "mg/kg",
    "concentration": "mg/mL",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """One word of a list: its id, its name, other spellings, the broader word it stands under."""

    id: str
    name: str
    also: tuple[str, ...] = ()
    under: str | None = None
    area: str | None = None  # of harm: cardiovascular, liver ...
    about: str = ""

    def is_called(self, word: str) -> bool:
        """Whether ``word`` is one of its names, whatever the case."""
        return _plain(word) in {_plain(name) for name in (self.id, self.name, *self.also)}


@dataclass(frozen=True, slots=True)
class Guard:
    """What an input can be at all. It catches slips of the hand; it is no dose limit, and says so."""

    bounds: Bounds
    why: str


@dataclass(frozen=True, slots=True)
class Therapy:
    """A therapy and the words that may be used to ask about it."""

    id: str
    name: str
    also: tuple[str, ...]
    drugs: tuple[str, ...]
    routes: tuple[str, ...]
    setting: str
    reference_weight: Quantity
    intended_use: str
    settings: tuple[Named, ...]
    forms: tuple[Named, ...]
    conditions: tuple[Named, ...]
    comorbidities: tuple[Named, ...]
    guards: Mapping[str, Guard]
    setting_of: Mapping[str, str]  # study -> setting, where it is not the therapy's own
    gaps: tuple[str, ...] = ()

    def is_called(self, word: str) -> bool:
        """Whether a person who types ``word`` means this therapy."""
        return _plain(word) in {_plain(name) for name in (self.id, self.name, *self.also)}

    def setting_called(self, word: str) -> Named:
        """The setting a person means; :class:`InputError` with the list where there is none."""
        return _found("setting", word, self.settings)

    def form_called(self, word: str) -> Named:
        """The drug form a person means."""
        return _found("form", word, self.forms)

    def condition_called(self, word: str) -> Named:
        """The condition a person means."""
        return _found("condition", word, self.conditions)

    def comorbidity_called(self, word: str) -> Named:
        """The comorbidity a person means."""
        return _found("comorbidity", word, self.comorbidities)

    def setting_holding(self, written: str) -> str | None:
        """The id of the setting a statement's ``setting`` belongs to; ``None`` where it belongs to none."""
        return next((s.id for s in self.settings if s.is_called(written)), None)

    def form_of(self, written: str | None) -> str | None:
        """The id of a drug form as a source writes it; ``None`` where none is stated."""
        return None if not written else next((f.id for f in self.forms if f.is_called(written)), None)

    def conditions_in(self, written: str | None) -> frozenset[str]:
        """Ids of the conditions that a source names, separated by ``;``."""
        parts = [p for p in (written or "").split(";") if p.strip()]
        return frozenset(c.id for c in self.conditions if any(c.is_called(p) for p in parts))


def broader(word: str, words: Iterable[Named]) -> frozenset[str]:
    """``word`` and everything it stands under.

    >>> broader("b", [Named("a", "A"), Named("b", "B", under="a")]) == {"a", "b"}
    True
    """
    parent = {w.id: w.under for w in words}
    found: set[str] = set()
    at: str | None = word
    while at is not None and at not in found:
        found.add(at)
        at = parent.get(at)
    return frozenset(found)


def _plain(word: str) -> str:
    return " ".join(word.casefold().replace("_", " ").replace("-", " ").split())


def _found(name: str, word: str, words: Sequence[Named]) -> Named:
    for known in words:
        if known.is_called(word):
            return known
    close = _near(word, words)
    if not close:
        raise unknown_option(name, word, [known.id for known in words])
    near = " or ".join(f"{said!r} ({known.id})" if said != known.id else repr(said) for said, known in close)
    raise InputError(f"{name} must be one of {[known.id for known in words]}; got {word!r} (did you mean {near}?)")


#: How many near names a refused word is answered with.
MOST_NEAR = 3


def _near(word: str, words: Sequence[Named]) -> list[tuple[str, Named]]:
    """Names that are spelt like ``word`` or share a word with it, best first, one for each entry."""
    import difflib  # only a mistake needs it

    given = _plain(word)
    parts = {p for p in given.split() if len(p) > 3}
    scored: list[tuple[float, int, str, Named]] = []
    for i, known in enumerate(words):
        names = dict.fromkeys((known.id, known.name, *known.also))
        best = max(
            (
                difflib.SequenceMatcher(None, given, _plain(n)).ratio() + 0.25 * bool(parts & set(_plain(n).split())),
                n,
            )
            for n in names
        )
        if best[0] >= 0.7:
            scored.append((-best[0], i, best[1], known))
    return [(said, known) for _, _, said, known in sorted(scored)[:MOST_NEAR]]


def read_therapy(data: bytes) -> tuple[Therapy | None, tuple[Problem, ...]]:
    """The therapy of ``guidance/therapy.toml``, or ``None`` with every problem found."""
    try:
        given = load_toml(data.decode("utf-8"))
    except ValueError as error:
        return None, (Problem(f"cannot be read: {error}", file=FILE),)
    problems: list[Problem] = []

    def wrong(column: str, reason: str, row: int | None = None) -> None:
        problems.append(Problem(reason, file=FILE, row=row, column=column))

    own = given.get("therapy", {})
    if not isinstance(own, dict):
        return None, (Problem("must be a table `[therapy]`", file=FILE, column="therapy"),)
    known = {"therapy", "plausible", "settings", "forms", "conditions", "comorbidities", "setting_of"}
    for name in sorted(set(given) - known):
        wrong(name, f"is no table of this file; known are {', '.join(sorted(known))}")
    for name in ("id", "name", "setting", "reference_weight", "intended_use"):
        if not isinstance(own.get(name), str) or not own[name].strip():
            wrong(f"therapy.{name}", "must not be empty")
    lists = {name: _names(given.get(name, []), name, wrong) for name in
             ("settings", "forms", "conditions", "comorbidities")}  # fmt: skip
    guards = _guards(given.get("plausible", {}), wrong)
    if "weight" not in guards:
        wrong("plausible.weight", "must say which weights are possible, or 700 kg would pass")
    weight = None
    if isinstance(own.get("reference_weight"), str):
        try:
            weight = quantity_of(own["reference_weight"], "reference_weight", measures="kg")
        except InputError as error:
            wrong("therapy.reference_weight", str(error))
    if own.get("setting") not in {s.id for s in lists["settings"]}:
        wrong("therapy.setting", f"must be a setting of this file; got {own.get('setting')!r}")
    setting_of = given.get("setting_of", {})
    if not isinstance(setting_of, dict) or not set(setting_of.values()) <= {s.id for s in lists["settings"]}:
        wrong("setting_of", "must give each study a setting of this file")
    if problems or weight is None:
        return None, tuple(problems)
    return Therapy(
        id=own["id"],
        name=own["name"],
        also=tuple(own.get("also", ())),
        drugs=tuple(own.get("drugs", ())),
        routes=tuple(own.get("routes", ())),
        setting=own["setting"],
        reference_weight=weight,
        intended_use=own["intended_use"],
        settings=lists["settings"],
        forms=lists["forms"],
        conditions=lists["conditions"],
        comorbidities=lists["comorbidities"],
        guards=guards,
        setting_of=setting_of,
        gaps=tuple(own.get("gaps", ())),
    ), ()


def _names(rows: Any, name: str, wrong: Any) -> tuple[Named, ...]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        wrong(name, f"must be a list of tables, `[[{name}]]`")
        return ()
    found: list[Named] = []
    for number, row in enumerate(rows, start=1):
        for field in sorted(set(row) - {"id", "name", "also", "under", "area", "about"}):
            wrong(f"{name}.{field}", "is no field of this table", number)
        if not all(isinstance(row.get(field), str) and row[field] for field in ("id", "name")):
            wrong(f"{name}.id", "id and name must not be empty", number)
            continue
        found.append(
            Named(row["id"], row["name"], tuple(row.get("also", ())), row.get("under"), row.get("area"),
                  row.get("about", ""))
        )  # fmt: skip
    ids = {n.id for n in found}
    for number, named in enumerate(found, start=1):
        if named.under is not None and named.under not in ids:
            wrong(f"{name}.under", f"{named.under!r} is none of these {name}", number)
    return tuple(found)


def _guards(given: Any, wrong: Any) -> dict[str, Guard]:
    if not isinstance(given, dict):
        wrong("plausible", "must be a table `[plausible]`")
        return {}
    found: dict[str, Guard] = {}
    for name, row in given.items():
        if name not in GUARDED:
            wrong(f"plausible.{name}", f"cannot be guarded; known are {', '.join(GUARDED)}")
            continue
        try:
            bounds = read_bounds(str(row["bounds"]), str(row.get("unit", "1")))
        except (KeyError, TypeError, InputError) as error:
            wrong(f"plausible.{name}", f"must have bounds, unit and why: {error}")
            continue
        if GUARDED[name] and not bounds.measures(GUARDED[name]):
            wrong(f"plausible.{name}", f"must be given in {GUARDED[name]} or a unit of the same kind")
            continue
        found[name] = Guard(bounds, str(row.get("why", "")))
    return found

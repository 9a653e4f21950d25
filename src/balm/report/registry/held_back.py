"""Which counts of an audit are held back: every number of people of the report, and the sums that tie them together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

from balm.registry.audit import Audit, ResponderResult
from balm.registry.small_cells import LINE, PART, TOTAL, UNPRINTED, Cells, held_back, small
from balm.registry.tables import SEVERITIES


@dataclass(frozen=True, slots=True)
class HeldBack:
    """The counts of an audit by name, and which of them may not be printed."""

    counts: dict[str, int]
    hidden: frozenset[str]
    #: Those that the report prints; the others are the rest that everybody can work out.
    printed: frozenset[str] = frozenset()

    def count(self, name: str) -> int | None:
        """The count, ``None`` where it is held back."""
        return None if name in self.hidden else self.counts[name]

    def parts(self, stem: str, names: list[str]) -> dict[str, int | None]:
        """The counts under a stem."""
        return {name: self.count(f"{stem}.{name}") for name in names}


def held_back_of(found: Audit, limit: int) -> HeldBack:
    """Name every count of people that the report prints, tie them together, and see which may not be printed."""
    cells = Cells()
    _flow(cells, found)
    _people(cells, found)
    for r in found.responders:
        _responder(cells, found, r)
    _groups(cells, found)
    _pain(cells, found)
    _relief(cells, found)
    _harms(cells, found)
    _nested(cells, found, limit)
    printed = frozenset(name for name, dear in cells.dear.items() if dear != UNPRINTED)
    return HeldBack(cells.counts, held_back(cells, limit), printed)


def _named(cells: Cells, stem: str, parts: tuple[tuple[str, int], ...], whole: str, rest: str = "") -> None:
    names = []
    unreached = stem.split(".")[-1] in ("reasons", "why", "why_not_analysed")
    for name, n in parts:  # why somebody stopped says something about them; that nobody reached or asked them does not
        untold = name == "not recorded" or (unreached and not name.startswith("stopped"))
        cells.add(f"{stem}.{name}", n, PART, untold=untold)
        names.append(f"{stem}.{name}")
    if rest:
        cells.split(whole, names, rest)
    elif names:
        cells.sum(whole, names)


def _same(cells: Cells, one: str, other: str) -> None:
    """Two names for what is the same people wherever the numbers agree."""
    if cells.counts[one] == cells.counts[other]:
        cells.sum(one, [other])


def _flow(cells: Cells, found: Audit) -> None:
    f = found.flow
    for name in ("treated", "due", "analysed", "followed"):
        cells.add(name, getattr(f, name), TOTAL)
    cells.add("enrolled", f.enrolled, LINE + 0.5)
    for name in ("refused", "not_treated"):
        cells.add(name, getattr(f, name), LINE)
    for name in ("not_due", "not_followed"):
        cells.add(name, getattr(f, name), LINE, untold=True)
    cells.sum("enrolled", ["refused", "not_treated", "treated"])
    cells.sum("treated", ["not_due", "due"])
    cells.sum("due", ["followed", "not_followed"])
    cells.split("followed", ["analysed"], "not_analysed", untold=True)
    _named(cells, "reasons", f.reasons, "not_followed")
    _named(cells, "why_not_analysed", f.why_not_analysed, "not_analysed")
    cells.add("consent_not_recorded", f.consent_not_recorded, LINE, untold=True)
    cells.split("treated", ["consent_not_recorded"], "consent_recorded")


def _people(cells: Cells, found: Audit) -> None:
    cells.add("people", found.people, TOTAL)
    _same(cells, "treated", "people")
    _named(cells, "sex", found.sexes, "people")
    _named(cells, "pain_type", found.pain_types, "treated")
    cells.add("age_known", found.ages[3], LINE)
    cells.split("people", ["age_known"], "age_unknown", untold=True)
    _named(cells, "stops", found.stops, "treated", "not_stopped")


def _responder(cells: Cells, found: Audit, r: ResponderResult) -> None:
    at = f"responder.{r.definition.id}"
    primary = r.definition.id == found.primary.id
    over, of = r.over_treated, r.over_assessed
    cells.add(f"{at}.due", over.n, TOTAL)
    cells.add(f"{at}.assessed", of.n, TOTAL if primary else LINE)
    cells.add(f"{at}.yes", of.x, TOTAL if primary else LINE)
    cells.add(f"{at}.not_due", r.not_due, LINE, untold=True)
    _same(cells, "due", f"{at}.due")
    _same(cells, "analysed", f"{at}.assessed")
    cells.sum("treated", [f"{at}.due", f"{at}.not_due"])
    cells.split(f"{at}.due", [f"{at}.assessed"], f"{at}.not_assessed", untold=True)
    cells.split(f"{at}.due", [f"{at}.yes"], f"{at}.not_yes")
    cells.split(f"{at}.assessed", [f"{at}.yes"], f"{at}.no")
    _named(cells, f"{at}.why", r.not_assessed, f"{at}.not_assessed")
    _shares(cells, f"{at}.type", [(t, s.x, s.n) for t, s in r.by_pain_type], at)
    if not primary:  # the same people of a pain type stand in the table once for each definition
        for t, _ in r.by_pain_type:
            if f"responder.{found.primary.id}.type.{t}.n" in cells.counts:
                _same(cells, f"responder.{found.primary.id}.type.{t}.n", f"{at}.type.{t}.n")


def _shares(cells: Cells, stem: str, groups: list[tuple[str, int, int]], at: str) -> None:
    """Groups that make up the people assessed under a definition, and their responders those of the definition."""
    for name, x, n in groups:
        cells.add(f"{stem}.{name}.n", n, PART)
        cells.add(f"{stem}.{name}.yes", x, PART)
        cells.split(f"{stem}.{name}.n", [f"{stem}.{name}.yes"], f"{stem}.{name}.no")
    if groups and sum(n for _, _, n in groups) == cells.counts[f"{at}.assessed"]:
        for whole, part in (("assessed", "n"), ("yes", "yes"), ("no", "no")):
            cells.sum(f"{at}.{whole}", [f"{stem}.{name}.{part}" for name, _, _ in groups])


def _groups(cells: Cells, found: Audit) -> None:
    at = f"responder.{found.primary.id}"
    _shares(cells, "site", [(s.id, s.x, s.n) for s in found.sites], at)
    chart = found.over_time.responders
    if chart is not None:
        pairs = zip(found.over_time.periods, chart.values, chart.sizes, strict=True)
        _shares(cells, "period", [(period, round(v * n), n) for period, v, n in pairs], at)


def _nested(cells: Cells, found: Audit, limit: int) -> None:
    """Counts of people who are all among those of another count can be subtracted: 50 % relief is 30 % relief too.

    Who is among whom is read from the people themselves, so that it holds for definitions that nobody thought of as
    nested. A difference that is small becomes a number that no printed ones may give away.
    """
    sets = {}
    for r in found.responders:
        at = f"responder.{r.definition.id}"
        sets[f"{at}.yes"] = r.people("responder")
        sets[f"{at}.assessed"] = r.people("responder", "no responder")
    own = {whole: _groups_of(cells, whole, found) for whole in sets}
    for (inner, few), (outer, many) in permutations(sets.items(), 2):
        if not few <= many:
            continue
        pairs = [(inner, outer), *((part, outer) for part in own[inner].values())]
        pairs += [(part, own[outer][group]) for group, part in own[inner].items() if group in own[outer]]
        for fewer, more in pairs:
            between = f"{more} without {fewer}"
            if small(cells.counts[more] - cells.counts[fewer], limit) and between not in cells.counts:
                cells.split(more, [fewer], between)


def _groups_of(cells: Cells, whole: str, found: Audit) -> dict[str, str]:
    """The counts of the groups that make up responders, or people assessed, under a definition: by group."""
    at, _, what = whole.rpartition(".")
    end = ".yes" if what == "yes" else ".n"
    stems = [f"{at}.type."] + (["site.", "period."] if at == f"responder.{found.primary.id}" else [])
    return {
        name.removeprefix(f"{at}.").removesuffix(end): name
        for stem in stems
        for name in cells.counts
        if name.startswith(stem) and name.endswith(end)
    }


def _pain(cells: Cells, found: Audit) -> None:
    p = found.pain
    for i, visit in enumerate(p.visits):
        at = f"pain.{visit}"
        cells.add(f"{at}.observed", p.observed[i], LINE)
        for name, n in (("missing", p.missing[i]), ("treated_again", p.again[i]), ("not_due", p.not_due[i])):
            cells.add(f"{at}.{name}", n, PART, untold=name != "treated_again")
        cells.sum("treated", [f"{at}.{n}" for n in ("observed", "missing", "treated_again", "not_due")])
        if visit == found.visit.id:
            _same(cells, "analysed", f"{at}.observed")
            _same(cells, "not_due", f"{at}.not_due")
    cells.add("pain.people", p.people, LINE)
    cells.split("treated", ["pain.people"], "pain.nobody", untold=True)


def _relief(cells: Cells, found: Audit) -> None:
    curve = found.relief
    if curve is None:
        return
    cells.add("relief.n", curve.n, LINE)
    cells.add("relief.ended", sum(curve.events), LINE)
    cells.split("treated", ["relief.n"], "relief.nobody", untold=True)
    cells.split("relief.n", ["relief.ended"], "relief.held")
    _named(cells, "relief.how", found.relief_how, "relief.n")


def _harms(cells: Cells, found: Audit) -> None:
    h = found.harms
    cells.add("harms.people", h.people, TOTAL)
    _same(cells, "treated", "harms.people")
    cells.add("harms.asked", h.asked, TOTAL)
    for name in ("never_asked", "not_recorded", "asked_every_session"):
        cells.add(f"harms.{name}", getattr(h, name), LINE, untold=True)
    cells.sum("harms.people", ["harms.asked", "harms.never_asked", "harms.not_recorded"])
    cells.split("harms.asked", ["harms.asked_every_session"], "harms.asked_sometimes", untold=True)
    cells.add("harms.any", h.with_event, LINE)
    cells.split("harms.asked", ["harms.any"], "harms.none")
    cells.add("harms.serious", h.serious, PART)
    cells.split("harms.any", ["harms.serious"], "harms.not_serious")
    for severity in SEVERITIES:
        cells.add(f"harms.worst.{severity}", h.worst[severity], PART)
    cells.sum("harms.any", [f"harms.worst.{s}" for s in SEVERITIES])

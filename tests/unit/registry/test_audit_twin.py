"""Every count of the audit beside a slow twin that reads the cells of the files, on registries with much amiss."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from balm.registry.audit import Audit, audit
from balm.registry.demonstration import END, demonstration_files
from balm.registry.reading import read_registry
from balm.registry.registry import Registry
from balm.registry.relief import reliefs
from tests.unit.registry.twin import SEVERITIES, Twin, disturbed

LAST = END.date()


@pytest.mark.parametrize(
    ("seed", "today", "site"), [(3, LAST, None), (8, LAST - timedelta(days=300), None), (21, LAST, "sim-north")]
)
def test_every_count_is_that_of_the_slow_twin(seed: int, today: date, site: str | None) -> None:
    files = disturbed(demonstration_files(seed=seed, people=22), seed)
    registry, problems = read_registry(files, today=LAST)
    assert registry is not None, problems
    found, twin = audit(registry, today, site=site), Twin(files, today, site)
    visit = found.visit.id
    flow = twin.flow(visit)
    assert {name: getattr(found.flow, name) for name in flow} == flow
    assert flow["treated"] > 5 and flow["refused"] + flow["not_treated"] + flow["not_followed"] > 0  # much is amiss
    for at, results in ((visit, found.responders), *found.at_visits):
        want = twin.responders(at)
        for result in results:
            over, known = result.over_treated, result.over_assessed
            types = {name: (share.x, share.n) for name, share in result.by_pain_type}
            got = (over.x, over.n, known.n, types)
            assert got == want[result.definition.id] and over.x == known.x, (at, result.definition.id)
    _harms(found, twin)
    assert {one.session: one.mg for one in found.doses} == twin.milligrams()
    _relief(registry, twin, today)
    assert [(s.id, s.x, s.n) for s in found.sites] == _sites(twin, visit)


def _harms(found: Audit, twin: Twin) -> None:
    want = twin.harms()
    names = ("asked", "asked_every_session", "never_asked", "not_recorded", "with_event", "events")
    assert {name: getattr(found.harms, name) for name in names} == {name: want.get(name, 0) for name in names}
    assert {name: found.harms.worst[name] for name in SEVERITIES} == {
        name: want.get(f"worst {name}", 0) for name in SEVERITIES
    }


def _relief(registry: Registry, twin: Twin, today: date) -> None:
    courses = [registry.course_of[c["course"]] for c in twin.index]
    assert sorted((r.days, r.ended) for r in reliefs(registry, courses, today)) == sorted(twin.relief())


def _sites(twin: Twin, visit: str) -> list[tuple[str, int, int]]:
    primary = next(r for r in twin.d["responders"] if r["id"] == twin.d["primary_responder"])
    site_of = {p["participant"]: p["site"] for p in twin.t["participants"]}
    said = [(site_of[c["participant"]], twin.status(c, visit, primary)) for c in twin.index]
    return [
        (s["id"], said.count((s["id"], "yes")), said.count((s["id"], "yes")) + said.count((s["id"], "no")))
        for s in twin.d["sites"]
    ]

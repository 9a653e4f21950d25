"""What changed in a network: what came, each comparison with the trial that moved it, decisions gone stale."""

from __future__ import annotations

import json
import math

import pytest

from balm.report.document.network_certainty import network_certainty_sections
from balm.report.released_results import results_json
from balm.report.version_words import changes_parts, changes_plain, changes_text
from balm.review.living.changed import Changes, changes_between
from balm.review.living.grown import analyses_alone
from balm.review.living.history import as_of, version_called
from balm.review.package import Package
from balm.review.synthesis import synthesise
from tests.made_network import NETWORK, TRIANGLE, VERSIONS, network_package

PAIR = ("B", "Placebo")


def package(arms=TRIANGLE, decided=(), networks: str = NETWORK) -> Package:
    return network_package(
        arms, networks=networks, more={"versions.csv": VERSIONS, "network_certainty.csv": list(decided)}
    )


def row(rating: str, pair=PAIR, **more: str) -> dict[str, str]:
    return {"network": "relief-network", "treatment": pair[0], "against": pair[1], "domain": "overall",
            "rating": rating, "assessor": "Ann", "time": "2025-01-02"} | more  # fmt: skip


def between(then: Package, now: Package, *, frozen: bool = True) -> Changes:
    return changes_between(synthesise(then), synthesise(now), since="First", frozen=frozen)


def since_first(now: Package) -> Changes:
    then = analyses_alone(as_of(now, version_called(now, "1")))
    return changes_between(then, synthesise(now), since="First", frozen=False)


def test_new_studies_treatments_and_comparisons_are_named() -> None:
    (n,) = since_first(package()).networks
    assert n.new == ("s5", "s6") and n.treatments == ("C",) and n.direct == (("B", "C"),)
    assert (n.before.studies, n.after.studies, n.before.treatments, n.after.treatments) == (4, 6, 3, 4)
    assert (n.before.direct, n.after.direct, n.before.parts) == (3, 4, 1) and not n.same
    new = next(c for c in n.comparisons if (c.treatment, c.against) == ("C", "Placebo"))
    assert new.before is None and new.after.k == 0 and new.after.low < new.after.estimate < new.after.high
    said = changes_text(since_first(package()), package())
    for words in (
        "then: 4 studies, 492 people, 3 treatments, 3 comparisons with direct evidence",
        "now:  6 studies, 688 people, 4 treatments, 4 comparisons with direct evidence",
        "new: S5 2020, S6 2020", "new treatments: C", "direct evidence for the first time: B against C",
        "then: not compared: nothing joins the two", "indirect evidence only",
        "the trial that moved it: S6 2020; without it nothing can be estimated",
    ):  # fmt: skip
        assert words in said, said
    assert "nan" not in said and "None" not in said and "()" not in said


def test_the_trial_that_moved_a_comparison_is_found_by_leaving_it_out_of_the_network() -> None:
    now = package()
    (n,) = since_first(now).networks
    change = next(c for c in n.comparisons if (c.treatment, c.against) == PAIR)
    first, second = change.moves
    assert abs(first.by) >= abs(second.by) and {first.study, second.study} == {"s5", "s6"}
    today = synthesise(now).networks[0].fit.compare(*PAIR)
    for move in change.moves:
        arms = [arm for arm in TRIANGLE if arm[0] != move.study]
        without = synthesise(network_package(arms)).networks[0].fit.compare(*PAIR)
        assert move.by == pytest.approx(today.estimate - without.estimate, rel=1e-12)
        assert move.standing.estimate == pytest.approx(math.exp(without.estimate), rel=1e-12)
    assert change.before.estimate != change.after.estimate == pytest.approx(math.exp(today.estimate), rel=1e-12)
    assert change.before.k == 1 and change.after.k == 2


def test_nothing_has_changed_where_nothing_has() -> None:
    one = package(decided=[row("low")])
    changes = between(one, one)
    assert changes.same and not changes.stale and all(n.same for n in changes.networks)


def test_certainty_then_and_now_stands_beside_the_comparison() -> None:
    then, now = package(decided=[row("low")]), package(decided=[row("low"), row("moderate", time="2026-01-02")])
    changes = between(then, now)
    (n,) = changes.networks
    (moved,) = [c for c in n.comparisons if not c.same]
    assert (moved.certainty.before, moved.certainty.after) == ("low", "moderate") and not changes.same
    said = dict(changes_parts(changes, now))
    assert "    certainty: low then, moderate now" in said["Networks"]
    assert "certainty decisions on networks: 1 new, 0 changed" in said["Certainty"]


def test_a_decision_whose_data_changed_is_stale_and_one_of_a_pair_that_is_gone_is_still_named() -> None:
    then = package(decided=[row("low"), row("moderate", ("C", "Placebo"))])
    arms = [arm for arm in TRIANGLE if arm[0] != "s6"] + [("s6", "C", 14, 30)]  # the arm of B is gone, and C with it
    now = package(arms, decided=[row("low"), row("moderate", ("C", "Placebo"))])
    changes = between(then, now)
    found = {s.of: s for s in changes.stale if s.what == "certainty"}
    assert set(found) == {"Relief, all drugs: B against Placebo", "Relief, all drugs: C against Placebo"}
    gone = found["Relief, all drugs: C against Placebo"]
    assert gone.why == "decided as moderate; the network gives no estimate of it any more" and gone.who == "Ann"
    (n,) = changes.networks
    assert (
        n.gone == ("s6",)
        and n.no_treatments == ("C",)
        and n.no_direct == (("C", "B"),)
        and len([c for c in n.comparisons if not c.same]) == 3
    )
    lost = next(c for c in n.comparisons if {c.treatment, c.against} == {"C", "Placebo"})
    assert lost.after is None and lost.before is not None and lost.certainty is None
    said = changes_text(changes, now)
    words = network_certainty_sections(synthesise(now))[0].blocks[0].runs[0].text
    assert "without an estimate in this network now: C against Placebo (moderate)." in words
    assert "treatments no longer in it: C" in said and "now:  not compared: nothing joins the two" in said


def test_corrected_numbers_a_changed_plan_and_a_network_not_planned_before() -> None:
    arms = [("s1", "A", 33, 60) if arm[:2] == ("s1", "A") else arm for arm in TRIANGLE]
    (n,) = between(package(), package(arms, networks=NETWORK + 'model = "common"\n')).networks
    assert n.corrected == ("s1",) and n.plan == (("model", "random", "common"),) and not n.new
    changes = between(package(networks=""), package())
    (new,) = changes.networks
    assert new.before is None and new.after.studies == 6 and new.comparisons == ()
    assert "then: not planned" in changes_text(changes, package())
    for one in (changes, between(package(), package(networks="")), since_first(package())):
        json.dumps(changes_plain(one), allow_nan=False)


def test_a_large_network_prints_the_comparisons_that_matter_and_counts_the_rest() -> None:
    names = [f"T{i}" for i in range(8)]
    arms = [(f"s{i}", t, n, 50) for i, t in enumerate(names, 1) for t, n in ((t, 20 + i), ("Placebo", 15))]
    then = network_package(arms)
    now = network_package([*arms, ("s9", "T0", 30, 40), ("s9", "T1", 10, 40)])
    (_, *lines) = dict(changes_parts(between(then, now), now))["Networks"]
    assert sum(line.startswith("  T") for line in lines) == 15 and "against Placebo" in lines[4]
    assert "further comparisons that moved" in lines[-1]


def test_a_release_keeps_the_numbers_of_a_network_and_their_certainty() -> None:
    now = synthesise(package(decided=[row("low")]))
    (kept,) = json.loads(results_json(now))["networks"]
    (part,) = kept["parts"]
    fit = now.networks[0].fit
    assert fit is not None and part["fit"] == json.loads(json.dumps(fit.to_dict()))
    assert part["studies"] == [s.study for s in now.networks[0].studies] and kept["not_used"] == []
    decided = {(c["treatment"], c["against"]): c["certainty"] for c in kept["certainty"]}
    assert decided[PAIR] == "low" and list(decided.values()).count("not rated") == 5, "six pairs of four treatments"

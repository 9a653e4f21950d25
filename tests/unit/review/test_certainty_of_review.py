"""The certainty of the bundled review: decided for every outcome, fresh, and stale as soon as a number changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from balm.actions.review import Review
from balm.review.certainty.of_analysis import basis_of, body_of
from balm.review.certainty.rating import Certainty, certainties, certainty_of
from balm.review.package import Package
from balm.review.synthesis import Synthesis, analyse

FOLDER = Path(__file__).parents[3] / "reviews" / "ketamine-chronic-pain"


@pytest.fixture(scope="module")
def synthesis() -> Synthesis:
    return Review.load(FOLDER).synthesise()


def test_every_outcome_of_the_question_is_decided_and_fresh(synthesis: Synthesis) -> None:
    for analysis, found in certainties(synthesis).items():
        assert analysis == "hardy-check" or found.overall is not None, analysis
        assert not found.stale and not found.notes, (analysis, found.notes)
        assert all(d.decision is None or d.decision.reason for d in found.domains)


def test_a_decision_does_not_go_stale_by_the_last_digits_of_a_machine(synthesis: Synthesis) -> None:
    result = synthesis.analysis("pain-week-1")
    assert result.whole is not None

    def basis(factor: float) -> str:
        whole = replace(result.whole, estimate=result.whole.estimate * factor)
        return basis_of(synthesis.package, replace(result, whole=whole))

    assert basis(1.0) == basis(1.0 + 1e-9) != basis(1.01)


def test_no_data_is_not_rated_and_not_called_very_low(synthesis: Synthesis) -> None:
    found = certainties(synthesis)["pain-over-4-weeks"]
    assert (found.certainty, found.symbols, found.proposed.certainty) == ("not rated", "", "not rated")


def test_cross_over_participants_are_counted_once(synthesis: Synthesis) -> None:
    body = body_of(synthesis.package, synthesis.analysis("pain-weeks-1-4"))
    assert (body.k, body.participants) == (1, 20)


def _changed(package: Package) -> Package:
    rows = tuple(
        replace(r, events=r.events + 1) if r.study == "noppers2011" and r.events == 2 else r for r in package.results
    )
    return replace(package, results=rows)


def test_a_changed_number_makes_the_decision_stale(synthesis: Synthesis) -> None:
    package = _changed(synthesis.package)
    found = certainty_of(package, analyse(package, synthesis.analysis("responders-over-4-weeks").spec))
    assert found.stale and "stale" in found.notes[0]
    other = certainty_of(package, analyse(package, synthesis.analysis("pain-week-1").spec))
    assert not other.stale


def test_another_important_difference_makes_it_stale(synthesis: Synthesis) -> None:
    def rated(package: Package) -> Certainty:
        spec = next(a for a in package.meta.analyses if a.id == "pain-week-1")
        return certainty_of(package, analyse(package, spec))

    def with_difference(value: float) -> Package:
        meta = synthesis.package.meta
        outcomes = tuple(
            replace(o, important_difference=replace(o.important_difference, value=value))
            if o.id == "pain-intensity" and o.important_difference
            else o
            for o in meta.outcomes
        )
        return replace(synthesis.package, meta=replace(meta, outcomes=outcomes))

    now = rated(with_difference(1.0))
    assert not now.stale and now.overall is not None
    assert now.overall.basis in (now.basis, *now.earlier), "kept before the difference was part of the basis, too"
    assert rated(with_difference(2.0)).basis != now.basis and rated(with_difference(2.0)).earlier == now.earlier

    def decided_anew(package: Package) -> Package:
        rows = (replace(c, basis=now.basis) if c.analysis == "pain-week-1" else c for c in package.certainty)
        return replace(package, certainty=tuple(rows))

    assert not rated(decided_anew(with_difference(1.0))).stale
    assert rated(decided_anew(with_difference(2.0))).stale


def test_a_new_risk_of_bias_judgement_makes_it_stale(synthesis: Synthesis) -> None:
    one = synthesis.package.risk_of_bias[0]
    more = replace(one, study="sigtermans2009", domain="Overall", judgement="high")
    package = replace(synthesis.package, risk_of_bias=(*synthesis.package.risk_of_bias, more))
    found = certainty_of(package, analyse(package, synthesis.analysis("pain-week-1").spec))
    assert found.stale
    proposal = found.proposed.domain("risk of bias")
    assert proposal is not None and "at high risk" in proposal.rule


def test_a_chosen_baseline_risk_moves_the_rated_scale(synthesis: Synthesis) -> None:
    result = synthesis.analysis("responders-immediate")
    own, chosen = body_of(synthesis.package, result), body_of(synthesis.package, result, 0.05)
    assert own.baseline == pytest.approx(7 / 64) and chosen.baseline == 0.05
    assert chosen.estimate == pytest.approx(own.estimate * 0.05 * 64 / 7)


def test_of_several_decisions_the_last_stands_and_none_is_lost(synthesis: Synthesis) -> None:
    package = synthesis.package
    first = next(c for c in package.certainty if c.analysis == "pain-week-1" and c.domain == "overall")
    again = replace(package, certainty=(*package.certainty, replace(first, rating="low", assessor="another")))
    found = certainty_of(again, synthesis.analysis("pain-week-1"))
    assert found.certainty == "low"
    assert any("lead from high to very low" in n for n in found.notes)

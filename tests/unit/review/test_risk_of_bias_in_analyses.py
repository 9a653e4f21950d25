"""One assessment feeds the analyses: lights beside the forest plot, leaving out high risk, weights of the summary."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from balm.actions.review import Review
from balm.report.html_report.analysis_view import view
from balm.report.review_report import build_report
from balm.review.package import Package, SensitivitySpec
from balm.review.plan import read_plan
from balm.review.risk_of_bias.of_analysis import at_risk, lights_of
from balm.review.risk_of_bias.on_record import groups
from balm.review.risk_of_bias.weights import table_of, weights_of
from balm.review.synthesis import analyse, synthesise
from balm.vocabulary.evidence import BiasJudgement

KETAMINE = Review.load(Path(__file__).parents[3] / "reviews" / "ketamine-chronic-pain")
RESULT = {"outcome": "responder", "window": "immediate", "comparison": "ketamine-placebo"}


def judgement(study: str, domain: str, word: str, **more: object) -> BiasJudgement:
    given = {"result": None, "tool": "RoB 2", "reason": None, "assessor": "consensus", "report": None, "source": None}
    return BiasJudgement(**{**given, "study": study, "domain": domain, "judgement": word, "verified": True, **more})  # type: ignore[arg-type]


def judged(overall: dict[str, str], **more: object) -> Package:
    """The bundled review with these overall judgements, each with one domain."""
    rows = [
        judgement(study, domain, word, **more)
        for study, word in overall.items()
        for domain in ("Randomisation process", "Overall")
    ]
    return replace(KETAMINE.package, risk_of_bias=tuple(rows))


SPEC = next(a for a in KETAMINE.package.meta.analyses if a.id == "responders-immediate")
ALL = {row.study: "low" for row in analyse(KETAMINE.package, SPEC).rows}
FIRST = next(iter(ALL))
WORSE = ALL | {FIRST: "high"}


def test_judgements_of_another_result_do_not_count() -> None:
    assert at_risk(judged(WORSE, **RESULT), SPEC) == (FIRST,)
    assert at_risk(judged(WORSE, **RESULT | {"outcome": "pain-intensity"}), SPEC) == ()
    assert at_risk(judged(WORSE, **RESULT | {"window": "over-4-weeks"}), SPEC) == ()
    assert at_risk(judged(WORSE), SPEC) == (FIRST,), "of the whole study"


def test_a_judgement_of_the_result_comes_before_one_of_the_study() -> None:
    whole = judgement(FIRST, "Overall", "high", tool="RoB 1")
    package = replace(KETAMINE.package, risk_of_bias=(whole, judgement(FIRST, "Overall", "low", **RESULT)))
    assert at_risk(package, SPEC) == ()


def test_without_an_overall_judgement_any_domain_of_bias_decides_but_not_applicability() -> None:
    domain = judgement(FIRST, "Patient selection", "high")
    assert at_risk(replace(KETAMINE.package, risk_of_bias=(domain,)), SPEC) == (FIRST,)
    concern = replace(domain, domain="Patient selection: applicability")
    assert at_risk(replace(KETAMINE.package, risk_of_bias=(concern,)), SPEC) == ()


def test_leaving_out_high_risk_is_the_analysis_without_these_studies() -> None:
    package = judged(WORSE, **RESULT)
    plans = (
        SensitivitySpec("Without high risk", "risk-of-bias", ("high",)),
        SensitivitySpec("Without it", "without", (FIRST,)),
        SensitivitySpec("Without critical", "risk-of-bias", ("critical",)),
    )
    bias, without, nothing = analyse(package, replace(SPEC, sensitivity=plans)).sensitivity
    assert bias.fit is not None and without.fit is not None and nothing.fit is not None
    assert bias.fit.estimate == without.fit.estimate
    assert FIRST not in {row.study for row in bias.rows}
    assert "so nothing changes" in nothing.note
    assert nothing.fit.k == bias.fit.k + 1


def test_studies_that_nobody_has_judged_stay_and_are_named() -> None:
    package = judged({FIRST: "high"}, **RESULT)
    [found] = analyse(
        package, replace(SPEC, sensitivity=(SensitivitySpec("x", "risk-of-bias", ("high",)),))
    ).sensitivity
    others = [row.label for row in analyse(package, SPEC).rows if row.study != FIRST]
    assert found.note.startswith("not assessed, so they stay: ")
    assert all(label in found.note for label in others)


def test_the_plan_takes_judgements_only() -> None:
    text = (KETAMINE.package.folder / "review.toml").read_text("utf-8")
    more = '[[analyses.sensitivity]]\nlabel = "x"\nvary = "risk-of-bias"\nvalues = ["high", "VALUE"]\n'
    assert not read_plan(f"{text}\n{more.replace('VALUE', 'serious')}")[1]
    _, [problem] = read_plan(f"{text}\n{more.replace('VALUE', 'bad')}")
    assert "bad" in str(problem)


def test_lights_stand_beside_the_forest_where_half_of_the_studies_are_judged() -> None:
    package = judged(WORSE, **RESULT)
    domains, lights = lights_of(package, SPEC)
    assert domains == ("Randomisation process", "Overall")
    assert lights[FIRST] == {"Randomisation process": "high", "Overall": "high"}
    few = judged({FIRST: "high"}, **RESULT)
    for one, shown in ((package, True), (few, False)):
        figure = view(analyse(one, SPEC), replace(synthesise(KETAMINE.package), package=one), {}).figure
        assert figure is not None
        assert ("Randomisation process" in figure.svg) is shown


def test_the_report_shows_a_figure_for_each_kind_of_result_and_what_was_overruled() -> None:
    rows = (
        *KETAMINE.package.risk_of_bias,
        judgement(FIRST, "Overall", "low", **RESULT, proposed="some concerns", override_reason="authors answered"),
    )
    synthesis = synthesise(replace(KETAMINE.package, risk_of_bias=rows))
    page = build_report(synthesis, KETAMINE.flow())
    assert "RoB 2: Responders with at least 50% relief, immediate" in page
    assert "low (proposed: some concerns; authors answered)" in page


def test_the_summary_weighs_by_the_meta_analysis() -> None:
    package = judged(WORSE, **RESULT)
    [group] = groups(package.risk_of_bias)
    weights = weights_of(package, group)
    assert set(weights) == set(ALL)
    assert sum(weights.values()) == pytest.approx(100)
    table = table_of(package, group, weights)
    assert table.weights == pytest.approx([weights[s] for s in ALL])
    assert table.overall == ("high", *["low"] * (len(ALL) - 1))

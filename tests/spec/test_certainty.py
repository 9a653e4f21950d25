"""Rules of GRADE (Core GRADE 2025) as the project reads them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from balm.review.certainty.body import Body, StudyResult
from balm.review.certainty.network import network_certainty
from balm.review.certainty.on_record import certainty_problems
from balm.review.certainty.proposing import propose
from balm.review.certainty.strength import EXCEPTIONS, strength_problem
from balm.review.certainty.words import LEVELS, level_after
from balm.vocabulary.evidence import CertaintyJudgement
from balm.vocabulary.problems import InputError


def study(label: str, estimate: float, *, weight: float = 50, half: float = 0.5, **more: Any) -> StudyResult:
    return StudyResult(
        label, weight, estimate, estimate - half, estimate + half, more.pop("n", 500), more.pop("bias", "low"), **more
    )


def body(*studies: StudyResult, **more: Any) -> Body:
    given = {
        "estimate": -1.6,
        "low": -2.1,
        "high": -1.1,
        "important": 1.0,
        "i2": 0.0,
        "tau2": 0.0,
        "q_p": 0.8,
        "sd": 3.0,
    }
    return Body("a", studies or (study("A", -1.5), study("B", -1.7)), **{**given, **more})


def rating(b: Body, domain: str, target: str | None = None) -> str:
    found = propose(b, target).domain(domain)
    assert found is not None
    return found.rating


# ---- target


def test_an_estimate_beyond_the_important_difference_is_rated_as_an_important_effect() -> None:
    target = propose(body()).target
    assert target is not None and (target.kind, target.thresholds) == ("an important effect", (-1.0,))


def test_an_estimate_within_it_is_rated_as_little_or_no_effect() -> None:
    target = propose(body(estimate=-0.2, low=-0.6, high=0.2)).target
    assert target is not None and (target.kind, target.thresholds) == ("little or no effect", (-1.0, 1.0))


def test_without_an_important_difference_the_threshold_is_no_effect() -> None:
    target = propose(body(important=None)).target
    assert target is not None and (target.kind, target.thresholds) == ("any effect", (0.0,))


def test_a_person_may_choose_the_target() -> None:
    wide = body(low=-2.6, high=-0.6)
    assert rating(wide, "imprecision") == "serious"
    assert rating(wide, "imprecision", "any effect") == "not serious"


# ---- imprecision


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-2.1, -1.1, "not serious"),
        (-2.6, -0.6, "serious"),  # crosses the important difference
        (-3.4, 0.2, "serious"),  # and no effect, without important harm
        (-4.4, 1.2, "very serious"),  # important both ways
        (-6.4, 3.2, "extremely serious"),  # three times important both ways
        (-2.1, -1.0, "not serious"),  # the end on the threshold does not cross it
    ],
)
def test_imprecision_by_the_interval_against_the_important_difference(low: float, high: float, expected: str) -> None:
    assert rating(body(low=low, high=high), "imprecision") == expected


def ratio(r: float, low: float, high: float, n: float, base: float = 0.2) -> Body:
    def per(x: float) -> float:
        return 1000 * (x * base - base)

    studies = (study("A", per(r), n=n / 2, half=10), study("B", per(r), n=n / 2, half=10))
    return body(
        *studies, estimate=per(r), low=per(low), high=per(high), important=None, ratio=(r, low, high), ratio_kind="RR",
        baseline=base, unit="per 1000", sd=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("r", "low", "high", "n", "expected"),
    [
        (0.8, 0.7, 0.9, 300, "not serious"),  # modest: the size is not asked
        (0.5, 0.4, 0.62, 300, "serious"),  # implausibly large, 300 of 1806
        (0.5, 0.4, 0.62, 2000, "not serious"),  # size met
        (0.5, 0.26, 0.96, 300, "very serious"),  # upper over lower 3.7
        (0.9, 0.7, 1.15, 300, "serious"),  # crosses no effect
        (0.9, 0.6, 1.4, 300, "very serious"),  # 25 % both ways
        (1.0, 0.2, 5.0, 30, "extremely serious"),  # three times both ways
    ],
)
def test_imprecision_of_ratios(r: float, low: float, high: float, n: float, expected: str) -> None:
    assert rating(ratio(r, low, high, n), "imprecision") == expected


def test_a_risk_difference_has_the_same_cue_for_a_large_effect() -> None:
    b = replace(ratio(3.0, 2.0, 4.0, 76), ratio=None, ratio_kind="")
    assert rating(b, "imprecision") == "serious"


def test_without_an_important_difference_a_person_says_what_the_ends_mean() -> None:
    found = propose(body(important=None, low=-30.0, high=26.0)).domain("imprecision")
    assert found is not None and found.rating == "serious" and "No minimal important difference is stated" in found.ask


def test_two_studies_with_one_degree_of_freedom_go_one_level_below_walds_interval() -> None:
    wide = body(low=-19.0, high=16.0, wald=(-2.1, -1.1))
    assert (rating(replace(wide, wald=None), "imprecision"), rating(wide, "imprecision")) == (
        "extremely serious", "serious",
    )  # fmt: skip


# ---- inconsistency


def test_variation_on_one_side_of_the_threshold_is_not_serious() -> None:
    b = body(study("A", -1.3, half=0.1), study("B", -3.0, half=0.1), i2=90.0, tau2=1.0, q_p=0.001)
    assert rating(b, "inconsistency") == "not serious"


def test_variation_across_the_threshold_is_serious() -> None:
    b = body(study("A", -0.3, half=0.1), study("B", -3.0, half=0.1), i2=90.0, tau2=1.0, q_p=0.001)
    assert rating(b, "inconsistency") == "serious"


def test_important_effects_both_ways_are_very_serious() -> None:
    b = body(study("A", 1.5, half=0.1), study("B", -3.0, half=0.1), i2=95.0, tau2=4.0, q_p=0.001)
    assert rating(b, "inconsistency") == "very serious"


def test_a_prediction_interval_counts_from_five_studies() -> None:
    few = body(*(study(str(i), -1.6, weight=25) for i in range(4)), tau2=0.1, prediction=(-3.0, -0.2))
    many = body(*(study(str(i), -1.6, weight=20) for i in range(5)), tau2=0.1, prediction=(-3.0, -0.2))
    assert (rating(few, "inconsistency"), rating(many, "inconsistency")) == ("not serious", "serious")


def test_one_study_shows_no_inconsistency_and_says_so() -> None:
    found = propose(body(study("A", -1.6, weight=100), i2=float("nan"), tau2=float("nan"), q_p=float("nan")))
    inconsistency = found.domain("inconsistency")
    assert inconsistency is not None and inconsistency.rating == "not serious" and "one study" in inconsistency.rule


# ---- risk of bias


@pytest.mark.parametrize(
    ("first", "second", "weight", "without", "expected"),
    [
        ("high", "low", 60, (-1.5, -2, -1), "serious"),
        ("high", "low", 30, (-1.5, -2, -1), "not serious"),
        ("high", "low", 30, (-0.5, -1.5, 0.5), "serious"),  # lies elsewhere without it
        ("some", "low", 60, None, "serious"),
        ("not assessed", "not assessed", 60, None, "serious"),
        ("low", "low", 60, None, "not serious"),
    ],
)
def test_risk_of_bias_by_weight_and_without_high(
    first: str, second: str, weight: float, without: Any, expected: str
) -> None:
    b = body(
        study("A", -1.6, weight=weight, bias=first), study("B", -1.6, weight=100 - weight, bias=second),
        without_high=without,
    )  # fmt: skip
    assert rating(b, "risk of bias") == expected


@pytest.mark.parametrize(
    ("without", "asked"), [((-1.5, -2, -1), "much the same result"), ((-0.5, -1.5, 0.5), "where the two differ")]
)
def test_most_weight_at_high_risk_leaves_to_a_person_what_the_others_show(without: Any, asked: str) -> None:
    b = body(study("A", -1.6, weight=70, bias="high"), study("B", -1.5, weight=30), without_high=without)
    found = propose(b).domain("risk of bias")
    assert found is not None and found.rating == "serious" and asked in found.ask


def test_critical_risk_lowers_by_two() -> None:
    b = body(study("A", -1.6, weight=60, bias="high", critical=True), study("B", -1.6, weight=40))
    assert rating(b, "risk of bias") == "very serious"


# ---- indirectness, publication bias


def test_studies_outside_the_limits_of_the_review_are_indirect() -> None:
    assert rating(body(study("A", -1.6, scope="sensitivity"), study("B", -1.6)), "indirectness") == "serious"


def test_a_small_study_test_counts_from_ten_studies() -> None:
    nine = body(*(study(str(i), -1.6, weight=100 / 9) for i in range(9)), small_study_p=0.01)
    ten = body(*(study(str(i), -1.6, weight=10) for i in range(10)), small_study_p=0.01)
    assert (rating(nine, "publication bias"), rating(ten, "publication bias")) == ("not serious", "serious")


def test_eligible_studies_without_numbers_raise_suspicion() -> None:
    assert rating(body(silent=1), "publication bias") == "not serious"
    assert rating(body(silent=2), "publication bias") == "serious"


# ---- start, raising, sum


def test_where_certainty_starts() -> None:
    assert propose(body()).start == "high"
    assert propose(body(randomised=False)).start == "low"
    assert propose(body(randomised=False, robins=True)).start == "high"
    assert propose(body(controlled=False)).start == "low"


@pytest.mark.parametrize(
    ("r", "low", "high", "expected"),
    [(2.5, 1.5, 4.0, "large"), (6.0, 3.0, 8.0, "very large"), (0.15, 0.1, 0.25, "very large"), (2.5, 0.9, 7.0, "none")],
)
def test_a_large_effect_raises_what_was_not_lowered(r: float, low: float, high: float, expected: str) -> None:
    b = replace(ratio(r, low, high, 100_000), randomised=False)
    assert rating(b, "large effect") == expected
    assert rating(replace(b, silent=9), "large effect") == "none"
    assert rating(replace(b, randomised=True), "large effect") == "none"


def test_a_large_effect_without_randomisation_needs_no_information_size_but_no_very_wide_interval() -> None:
    b = replace(ratio(6.0, 3.7, 9.7, 900), randomised=False)
    assert (rating(b, "imprecision"), rating(b, "large effect")) == ("not serious", "very large")
    assert rating(replace(b, randomised=True), "imprecision") == "serious", "of a trial it may be chance"
    wide = replace(ratio(6.0, 2.1, 17.0, 900), randomised=False)
    assert (rating(wide, "imprecision"), rating(wide, "large effect")) == ("serious", "none")


def test_what_only_a_person_can_say_is_asked() -> None:
    def asked(b: Body, domain: str) -> str:
        found = propose(b).domain(domain)
        assert found is not None
        return found.ask

    concerns = body(study("A", -1.5, bias="some"), study("B", -1.7, bias="some"))
    assert "where the concerns leave the result credible" in asked(concerns, "risk of bias")
    nobody = body(study("A", -1.5, bias="not assessed"), study("B", -1.7, bias="some"))
    assert "Assess the studies" in asked(nobody, "risk of bias")
    varied = body(study("A", -0.2), study("B", -3.0), low=-2.9, high=-0.3, i2=90.0, tau2=3.0, q_p=0.001)
    assert "do not lower twice" in asked(varied, "imprecision")
    assert "twice" not in asked(replace(varied, low=-2.1, high=-1.1), "imprecision"), "one reason, lowered once"


def test_single_arm_evidence_is_very_low() -> None:
    b = body(
        study("A", 500, half=100), study("B", 550, half=100), estimate=520, low=350, high=680, important=None,
        controlled=False, randomised=False,
    )  # fmt: skip
    found = propose(b)
    assert (found.start, found.certainty) == ("low", "very low")
    assert rating(b, "risk of bias") == "very serious" and rating(b, "imprecision") == "serious"


def test_no_data_is_not_rated() -> None:
    found = propose(Body("a", ()))
    assert (found.certainty, found.domains, found.target) == ("not rated", (), None)


def test_every_proposal_shows_its_rule_and_source() -> None:
    found = propose(body())
    assert found.certainty == "high" and len(found.domains) == 8
    assert all(p.rule and p.source for p in found.domains)


@pytest.mark.parametrize("start", LEVELS)
def test_certainty_stays_on_its_scale(start: str) -> None:
    assert level_after(start, -9) == "very low" and level_after(start, 9) == "high"


# ---- network


def test_the_indirect_estimate_is_no_better_than_the_worse_of_its_loop() -> None:
    found = network_certainty(loop=("high", "low"), intransitivity=-1)
    assert (found.indirect, found.network) == ("very low", "very low")


def test_the_part_that_gives_more_information_sets_the_network_estimate() -> None:
    given: dict[str, Any] = {"direct": "low", "loop": ("high", "moderate")}
    assert network_certainty(**given).network == "moderate"
    assert network_certainty(**given, direct_share=0.8).network == "low"
    assert network_certainty(**given, incoherence=-1, imprecision=-1).network == "very low"


@pytest.mark.parametrize(
    "wrong",
    [{}, {"direct": "good"}, {"direct": "low", "imprecision": -4}, {"direct": "low", "incoherence": -1},
     {"direct": "low", "direct_share": 2.0}],
)  # fmt: skip
def test_a_network_rating_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        network_certainty(**wrong)


# ---- strength


@pytest.mark.parametrize("certainty", ["low", "very low"])
def test_strong_on_low_certainty_needs_a_named_exception(certainty: str) -> None:
    assert "named exception" in (strength_problem("strong", certainty) or "")
    assert all(strength_problem("strong", certainty, e) is None for e in EXCEPTIONS)
    assert strength_problem("conditional", certainty) is None


def test_an_exception_where_none_is_needed_is_refused() -> None:
    assert "leave it out" in (strength_problem("strong", "high", "life-threatening") or "")
    with pytest.raises(InputError):
        strength_problem("strong", "low", "because")


# ---- decisions on record


def decision(**more: Any) -> CertaintyJudgement:
    given = {"analysis": "a", "domain": "imprecision", "rating": "serious", "reason": None, "assessor": "x", "row": 1}
    return CertaintyJudgement(**{**given, **more})


@pytest.mark.parametrize(
    ("more", "column"),
    [
        ({"rating": "high"}, "rating"),
        ({"domain": "overall", "rating": "serious"}, "rating"),
        ({"domain": "inconsistency", "rating": "extremely serious"}, "rating"),
        ({"proposed": "not serious"}, "reason"),
        ({"place": 1}, "place"),
        ({"domain": "overall", "rating": "low", "baseline_risk": 0.2}, "baseline_source"),
    ],
)
def test_decisions_that_contradict_grade_are_named(more: dict[str, Any], column: str) -> None:
    (problem,) = certainty_problems([decision(**more)])
    assert (problem.file, problem.row, problem.column) == ("certainty.csv", 1, column)


def test_two_analyses_cannot_share_a_row_of_the_table() -> None:
    first = decision(domain="overall", rating="low", place=1)
    second = decision(analysis="b", domain="overall", rating="low", place=1, row=2)
    assert [p.row for p in certainty_problems([first, second])] == [2]


def test_a_decision_with_a_reason_stands() -> None:
    assert not certainty_problems([decision(proposed="not serious", reason="few events")])

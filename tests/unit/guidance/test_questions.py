"""Questions and plans: what is refused, what is met, and what a plan gives against each limit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balm.actions.guidance import Guidance, ask, folder_of
from balm.actions.guidance_answer import plain_answer
from balm.guidance.dosing import computed
from balm.guidance.limits import check_limits
from balm.guidance.patient import applies, asked, met
from balm.guidance.scheme import read_scheme
from balm.guidance.units import Quantity, compared, parse_unit
from balm.report.guidance.as_text import answer_as_text
from balm.report.guidance.page import answer_html
from balm.review.synthesis import Synthesis
from balm.vocabulary.problems import InputError
from tests.unit.guidance.conftest import KETAMINE

Loaded = tuple[Guidance, Synthesis]


@pytest.mark.parametrize("weight", ["0", "700", "-5", "nan", "inf", "abc", "154 lb", "70,5", "1e400", "70 mg", "", "5"])
def test_weights_that_cannot_be(guidance: Guidance, weight: str) -> None:
    with pytest.raises(InputError) as refused:
        asked(guidance.therapy, weight=weight)
    assert len(refused.value.problems) == 1 and "weight" in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("concentration", ["2", "0 mg/mL", "2 mg", "5000 mg/mL", "-1 mg/mL", "nan mg/mL", ""])
def test_concentrations_that_cannot_be(guidance: Guidance, concentration: str) -> None:
    with pytest.raises(InputError, match="concentration"):
        asked(guidance.therapy, concentration=concentration)


def test_words_that_are_not_known_are_named_with_what_is(guidance: Guidance) -> None:
    for words in ({"setting": "home"}, {"condition": "gout"}, {"form": "R"}, {"comorbidities": ["pregnnacy"]}):
        with pytest.raises(InputError, match="must be one of"):
            asked(guidance.therapy, **words)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("hypertnsion", "did you mean 'hypertension' (cardiovascular)?"),
        ("kidney", "did you mean 'kidney failure' (renal)?"),
        ("pregnnacy", "did you mean 'pregnancy'?"),
        ("severe heart failure", "'heart failure' (cardiovascular) or "),
    ],
)
def test_a_word_that_is_not_known_is_answered_with_those_near_it(guidance: Guidance, word: str, near: str) -> None:
    with pytest.raises(InputError) as refused:
        asked(guidance.therapy, comorbidities=[word])
    assert near in str(refused.value) and "got " + repr(word) in str(refused.value)
    with pytest.raises(InputError) as unlike:
        asked(guidance.therapy, comorbidities=["gout"])
    assert "did you mean" not in str(unlike.value)


def test_a_comorbidity_that_nothing_on_file_is_about_is_a_gap_and_not_safety(loaded: Loaded) -> None:
    answer = plain_answer(ask(*loaded, weight="70", comorbidities=["renal failure", "COPD", "asthma", "pregnancy"]))
    assert answer["asked"]["comorbidities"] == ["renal", "respiratory", "pregnancy"]
    assert answer["nothing_about"] == ["Kidney disease", "Respiratory disease or sleep apnoea"]
    said = answer_as_text(answer)
    assert "NOTHING ON FILE is about: Kidney disease; Respiratory disease or sleep apnoea. That is a gap" in said
    assert "Nothing on file is about:</strong> Kidney disease" in answer_html(answer)
    covered = ask(*loaded, comorbidities=["liver failure", "hypertension", "glaucoma", "substance use", "psychosis"])
    assert plain_answer(covered)["nothing_about"] == []
    assert plain_answer(ask(*loaded, comorbidities=["none"]))["nothing_about"] == []


def test_everything_wrong_is_said_at_once(loaded: Loaded) -> None:
    with pytest.raises(InputError) as refused:
        ask(*loaded, weight="0", condition="gout", concentration="2", plan="1 mg for ever")
    assert len(refused.value.problems) == 4


@pytest.mark.parametrize(
    "plan",
    [
        "50 mg/kg/h for 1 h", "0.5 for 1 h", "0.5 mg/kg/h", "0.5 mg/kg/h for 900 h", "10 mg/kg over 1 min", "pause 1 h",
        "NaN mg/h for 1 h", "-1 mg/h for 2 h", "1 mg/kg/h over 1 h", "2000 mg/h for 1 h", "", ";", "1 mg/h for 0 h",
        "25 mg/h for 4", "0 mg/h for 1 h", "1 mL/h for 2 h",
    ],
)  # fmt: skip
def test_plans_that_cannot_be(guidance: Guidance, plan: str) -> None:
    with pytest.raises(InputError, match="plan"):
        read_scheme(guidance.therapy, plan, asked(guidance.therapy, weight="70").weight)


@pytest.mark.parametrize("sessions", ["0", "-1", "1.5", "many", "10000", "١"])
def test_sessions_that_cannot_be(guidance: Guidance, sessions: str) -> None:
    with pytest.raises(InputError, match="sessions"):
        read_scheme(guidance.therapy, "80 mg over 5 h", asked(guidance.therapy, weight="70").weight, sessions)


def test_a_plan_needs_a_weight(loaded: Loaded) -> None:
    with pytest.raises(InputError, match="plan needs a weight"):
        ask(*loaded, plan="80 mg over 5 h")
    with pytest.raises(InputError, match="sessions belongs to a plan"):
        ask(*loaded, weight="70", sessions="3")


def test_a_plan_adds_up(guidance: Guidance) -> None:
    plan = read_scheme(guidance.therapy, "0.35 mg/kg over 5 min; 0.5 mg/kg/h for 4 h; pause 1 h; 10 mg bolus",
                       asked(guidance.therapy, weight="70").weight, "3")  # fmt: skip
    assert plan.total.value == Decimal("174.5") and plan.course.value == Decimal("523.5")
    reached = plan.reaches(Quantity(Decimal(70), parse_unit("mg")))  # 5 min, then 45.5 mg at 35 mg/h
    assert reached is not None and compared(reached.to("min").value) == 83
    assert plan.reaches(Quantity(Decimal(175), parse_unit("mg"))) is None


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(11, 600)), min_size=1, max_size=6), st.integers(0, 3600))
def test_what_was_given_never_falls_and_ends_at_the_total(parts: list[tuple[int, int]], minute: int) -> None:
    from balm.guidance.therapy import read_therapy

    therapy, _ = read_therapy((KETAMINE / "guidance" / "therapy.toml").read_bytes())
    assert therapy is not None
    text = "; ".join(f"{mg} mg over {minutes} min" for mg, minutes in parts)
    plan = read_scheme(therapy, text, therapy.reference_weight)
    at = plan.given_at(Quantity(Decimal(minute), parse_unit("min")))
    later = plan.given_at(Quantity(Decimal(minute + 7), parse_unit("min")))
    assert Decimal(0) <= at.value <= later.value <= plan.total.value == sum(mg for mg, _ in parts)


def test_each_limit_is_checked_with_the_time_it_is_reached(guidance: Guidance) -> None:
    patient = asked(guidance.therapy, weight="70")
    plan = read_scheme(guidance.therapy, "0.35 mg/kg over 5 min; 0.5 mg/kg/h for 4 h", patient.weight)
    checks = {(c.rule.id, c.what): c for c in check_limits(plan, guidance.rules, patient, guidance.therapy)}
    assert checks["brief-c-5", "total"].verdict == "above"
    assert "reached after 1.383 h" in checks["brief-c-5", "total"].arithmetic
    assert checks["cohen-2018-4", "bolus"].verdict == "within"
    assert checks["cohen-2018-6", "total"].verdict == checks["cohen-2018-6", "duration"].verdict == "within"
    assert ("brief-c-4", "bolus") not in checks  # a dose of another setting limits nothing here
    assert not any(c.rule.is_regimen for c in checks.values())
    short = read_scheme(guidance.therapy, "0.1 mg/kg/h for 1 h", patient.weight)
    below = {(c.rule.id, c.what): c.verdict for c in check_limits(short, guidance.rules, patient, guidance.therapy)}
    assert (
        below["cohen-2018-5", "rate"] == below["cohen-2018-6", "total"] == below["cohen-2018-6", "duration"] == "below"
    )


def test_comorbidities_are_met_possible_not_or_not_asked(guidance: Guidance) -> None:
    severe = next(r for r in guidance.rules if r.id == "cohen-2018-8")

    def said(*given: str) -> str:
        return met(severe, asked(guidance.therapy, comorbidities=list(given)), guidance.therapy)[0]

    assert said("liver-severe") == said("cirrhosis") == "yes"
    assert said("liver disease") == "possible"  # how severe was not said
    assert said("moderate liver disease") == said("none") == "no"
    assert said() == "not asked"
    with pytest.raises(InputError, match="cannot stand beside others"):
        asked(guidance.therapy, comorbidities=["none", "pregnancy"])


def test_settings_forms_and_conditions_are_never_mixed(loaded: Loaded) -> None:
    answer = ask(*loaded, weight="70", setting="acute").answer
    assert {d.rule.id for d in answer.dosed} >= {"schwenk-2018-5"}
    assert all(d.rule.setting == "acute" for d in answer.dosed)
    s_only = ask(*loaded, condition="crps", form="esketamine").answer
    assert "schwartzman2009-ket" not in {d.rule.id for d in s_only.dosed}
    assert "sigtermans2009-ket" in {d.rule.id for d in s_only.dosed}
    why = {r.id: w for r, w in s_only.not_applicable}
    assert "never interchanged" in why["schwartzman2009-ket"] and "acute" in why["schwenk-2018-5"]


def test_a_narrower_condition_belongs_to_a_broader_question(guidance: Guidance) -> None:
    injury = next(r for r in guidance.rules if r.id == "amr2010-ket")
    for condition, wanted in (("neuropathic", True), ("SCI", True), ("central pain", True), ("crps", False)):
        assert (applies(injury, asked(guidance.therapy, condition=condition), guidance.therapy) == "") is wanted


def test_evidence_is_that_of_the_condition(loaded: Loaded) -> None:
    found = {e.analysis: e for e in ask(*loaded, condition="fibromyalgia").evidence}
    week = found["responders-week-1"]
    assert (week.k, week.what, week.studies) == (1, "one study", ("Noppers 2011",))
    assert week.estimate == pytest.approx(5.0)
    everything = {e.analysis: e for e in ask(*loaded).evidence}
    assert everything["responders-immediate"].k == 4 and everything["responders-immediate"].what == "pooled"
    assert not everything["crps-series"].controlled and "hardy-check" not in everything
    assert everything["responders-immediate"].certainty == "very low"


def test_evidence_newer_than_each_source_is_named(loaded: Loaded) -> None:
    guided = ask(*loaded)
    newest = guided.newer[0]
    assert newest.published.label.startswith("Cochrane 2025") and newest.published.estimate == -15.79
    years = {r.source.name: r.source.year or 9999 for r in guided.guidance.rules if r.advises}
    for n in guided.newer:
        assert n.than and all(years[name] < (n.published.year or 0) for name in n.than)
        assert set(n.than) == {name for name, year in years.items() if year < (n.published.year or 0)}
    values = plain_answer(guided)
    cohen = next(r for r in values["rules"] if r["id"].startswith("cohen-2018"))
    assert newest.published.published in cohen["newer_evidence"]
    assert all(set(r["newer_evidence"]) <= {n["published"] for n in values["newer_evidence"]} for r in values["rules"])


@pytest.mark.parametrize("name", ["ketamine", "Ketamine", "IV ketamine", "ketamine-chronic-pain", str(KETAMINE)])
def test_a_therapy_is_found_by_its_names(name: str) -> None:
    assert folder_of(name).resolve() == KETAMINE


@pytest.mark.parametrize(
    ("name", "said"), [("ketamin", "did you mean 'ketamine'"), ("/tmp", "no review.toml"), ("x/y", "no review.toml")]
)
def test_another_name_is_refused(name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        folder_of(name)


def test_a_rate_at_its_limit_is_within_whatever_the_unit_of_time(guidance: Guidance) -> None:
    patient = asked(guidance.therapy, weight="70")
    plan = read_scheme(
        guidance.therapy, "140 mg over 60 min; 46.66666666666666666666666667 mg over 20 min", patient.weight
    )
    twice = read_scheme(guidance.therapy, "2 mg/kg/h for 20 min; 1 mg/kg over 30 min", patient.weight)
    for each in (plan, twice):
        checks = check_limits(each, guidance.rules, patient, guidance.therapy)
        assert {c.verdict for c in checks if c.rule.id == "cohen-2018-5"} == {"within"}


@pytest.mark.parametrize(
    ("rule", "dose", "minutes"),
    [("eide1994-ket", "0.15", 10), ("persson1998-ket045", "0.45", 5), ("kvarnstrom2004-ket", "0.4", 40)],
)
def test_a_rate_is_derived_from_the_minutes_a_regimen_names(
    guidance: Guidance, rule: str, dose: str, minutes: int
) -> None:
    """The tables have 0.167, 0.083 and 0.667 h: rounded, and up to 0.4 % off."""
    weight = Decimal("61.3")
    of = next(r for r in guidance.rules if r.id == rule)
    found = computed(of, Quantity(weight, parse_unit("kg")), None)
    assert found.rate_mg_h is not None and found.rate_mg_h.low is not None
    assert abs(found.rate_mg_h.low - Decimal(dose) * weight * 60 / minutes) < Decimal("1e-20")

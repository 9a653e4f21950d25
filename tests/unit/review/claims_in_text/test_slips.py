"""Each likely slip is named, each typography read, and what is no claim is left alone."""

from __future__ import annotations

import pytest

import balm
from balm.vocabulary.problems import InputError


def first(text: str, kind: str = "estimate"):  # type: ignore[no-untyped-def]
    return next(c for c in balm.check_claims(text) if c.kind == kind)


@pytest.mark.parametrize(
    "text,slip",
    [
        ("MD -1.05 (95% CI -1.72 to -0.39; p = 0.001) ", "one-sided"),
        ("RR 1.42 (95% CI 0.84 to 2.39; p = 0.019)", "decimal point of the p value"),
        ("RR 1.30 (95% CI 1.02 to 1.66; p = 0.005)", ""),
        ("MD -1.05 (95% CI 1.72 to -0.39)", "minus sign"),
        ("MD 1.05 (95% CI -1.72 to -0.39)", "minus sign"),
        ("OR 0.35 (95% CI -0.17 to 0.87)", "log and natural scale"),
        ("OR 2.00 (95% CI 0.90 to 3.10)", "natural scale"),
        ("MD 10.5 (95% CI 0.39 to 1.72)", "decimal point of the estimate"),
        ("MD 1.05 (95% CI 0.39 to 7.12)", "digits of the upper limit"),
        ("RR 1.60 (95% CI 1.05 to 2.44; p = 0.0661)", ""),
        ("MD -1.05 (95% CI -1.72 to -0.39; p = 0.0099)", "90% interval"),
        ("OR 3.32 (95% CI 1.82 to 6.07; p = 0.001)", "= printed for <"),
        ("RR 2.43 (95% CI 1.10 to 5.40; p = .87; I2 = 0%)", "heterogeneity"),
    ],
)
def test_an_inconsistent_estimate_names_its_likely_slip(text: str, slip: str) -> None:
    claim = first(text)
    assert claim.verdict == "inconsistent", claim
    assert slip in claim.slip, claim


def test_the_p_value_of_heterogeneity_is_recognised_by_its_own_arithmetic() -> None:
    # Q = df / (1 - I2) = 6 / 0.4 = 15 on 6 degrees of freedom has p = 0.020
    claim = first("MD -0.20 (95% CI -0.80 to 0.40; p = 0.02, 7 studies, I2 = 60%)")
    assert claim.verdict == "inconsistent" and "that of heterogeneity" in claim.slip


@pytest.mark.parametrize(
    "text",
    [
        "MD -1.05 (95% CI -1.72 to -0.39; I2 = 80%, P for heterogeneity = 0.40; p = 0.002)",
        "RR 1.42 (95% CI 0.84-2.39); P for interaction = 0.01",
        "RR 1.42 (95% CI 0.84-2.39; heterogeneity p < 0.001)",
        "the mean difference was 1.10 (90% CI 0.55 to 1.65, p = 0.001)",
        "OR 1,42 (IC 95 % : 0,84 \u00e0 2,39), p = 0,19",
        "OR 1\u00b742 (95% CI 0\u00b784\u20132\u00b739), p=0\u00b719",
        "RR &#61; 1.42, 95&#37; CI 0.84&ndash;2.39, <i>P</i> = .19",
        "r = 0.45 (95% CI 0.20 to 0.65, p = 0.001)",
        "RR \\textless 1, that is RR 0.75 (95% CI 0.60-0.94, P \\textless .05)",
        "hazard ratio 0.75 (95% confi-\ndence interval 0.60 to\n0.94; p = 0.012)",
        "MD - 1.05 (95% CI - 1.72 to - 0.39)",
        "(p=0.31; RR 1.49; 95% CI 0.69-3.25) or other fillers (p=0.12; RR 1.89; 95% CI 0.84-4.24)",
        "hazard ratio (p=0.035; 0.52 [0.28-0.96])",
    ],
)
def test_what_fits_is_consistent_whatever_its_typography(text: str) -> None:
    claim = first(text)
    assert claim.verdict == "consistent", claim
    assert text[claim.start : claim.end] == claim.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Blood pressure was 140/90 mmHg and heart rate 75 (HR 75 bpm).",
        "In 2019 (pages 23-45), see section 3.1.",
        "Median age 45 (23-67) years.",
        "PM2.5, HbA1c and CYP2D6 on 12/03/2019",
        "Dr Smith, MD (2004-2010)",
        "\u00b2 \u00b3 \u0663",
        "cardiac index (CI) 2.5-4.0 was kept",
        "RR 1×10^999 and p = 1e-999",
        "9" * 500 + " patients, " + "8" * 400 + "%",
    ],
)
def test_what_is_no_claim_is_left_alone(text: str) -> None:
    assert not [c for c in balm.check_claims(text) if c.kind == "estimate" or c.verdict == "inconsistent"]


@pytest.mark.parametrize(
    "text,verdict,part",
    [
        ("23/45 (51.2 %) had relief", "inconsistent", "rounding"),
        ("22/45 (48.8 %) had relief", "inconsistent", "cut off"),
        ("23/45 (48.9 %) had relief", "inconsistent", "the others"),
        ("23/45 (5.11 %) had relief", "inconsistent", "decimal point"),
        ("23/45 (31.1 %) had relief", "inconsistent", "another denominator (23 is that part of 74)"),
        ("76% of 30 patients hallucinated", "inconsistent", "no whole number"),
        ("70% of 30 patients hallucinated", "consistent", "21 of 30"),
        ("46/45 (102.2 %) had relief", "consistent", ""),
    ],
)
def test_percentages(text: str, verdict: str, part: str) -> None:
    claim = first(text, "proportion")
    assert (claim.verdict, part in claim.why) == (verdict, True), claim


@pytest.mark.parametrize(
    "text,verdict",
    [
        ("10 mg/h for 5 h (total 50 mg)", "consistent"),
        ("10 mg/h for 5 h (total 500 mg)", "inconsistent"),
        ("0.5 mg/kg (35 mg in a 70-kg patient)", "consistent"),
        ("0.5 mg/kg (350 mg in a 70-kg patient)", "inconsistent"),
        ("5 mg twice daily (10 mg/day)", "consistent"),
        ("5 mg twice daily (20 mg/day)", "inconsistent"),
        ("80 mg over 2 h (40 mg/h)", "consistent"),
        ("0.1 mg/kg/h for 4 h (0.4 mg/kg)", "consistent"),
        ("0.1 mg/kg/h for 4 h (4 mg/kg)", "inconsistent"),
        ("500 \u00b5g (0.5 mg)", "consistent"),
        ("500 \u00b5g (5 mg)", "inconsistent"),
        ("7 \u00b5g kg-1 min-1 (0.42 mg kg-1 h-1)", "consistent"),
    ],
)
def test_dose_arithmetic(text: str, verdict: str) -> None:
    doses = [c for c in balm.check_claims(text) if c.kind == "dose"]
    assert len(doses) == 2 and {c.verdict for c in doses} == {verdict}, doses


@pytest.mark.parametrize(
    "text,kind,verdict",
    [
        ("Of 120 participants, 58 (48.3%) were women.", "proportion", "consistent"),
        ("Of 120 participants, 58 (43.8%) were women.", "proportion", "inconsistent"),
        ("Pain and sleep correlated (r = -0.42, p < 0.001, n = 97).", "estimate", "consistent"),
        ("Pain and sleep correlated (r = -0.12, p < 0.001, n = 97).", "estimate", "inconsistent"),
        ("(SMD -0.45 [95% CI -0.72, -0.18]; Z = 3.27, p = 0.001; heterogeneity p = 0.06)", "estimate", "consistent"),
        ("(SMD -0.45 [95% CI -0.72, -0.18]; Z = 3.27, p = 0.1; heterogeneity p = 0.06)", "estimate", "inconsistent"),
        ("MD 1.20, SE 0.40, p = 0.003", "estimate", "consistent"),
        ("MD 1.20 (SE 0.40; p = 0.3)", "estimate", "inconsistent"),
    ],
)
def test_other_figures_that_follow_from_each_other(text: str, kind: str, verdict: str) -> None:
    claim = first(text, kind)
    assert claim.verdict == verdict, claim
    assert text[claim.start : claim.end] == claim.text


def test_groups_that_do_not_add_up() -> None:
    said = "120 patients were randomised (60 to ketamine, {} to placebo)"
    assert balm.check_claims(said.format(60))[0].verdict == "consistent"
    assert balm.check_claims(said.format(55))[0].verdict == "inconsistent"


def test_the_interval_that_a_p_value_implies_is_said() -> None:
    claim = first("OR = 0.81 (p = 0.03)")
    assert claim.verdict == "not checkable" and "0.67 to 0.98" in claim.why


def test_something_else_than_text_is_refused() -> None:
    with pytest.raises(InputError, match="text must be a string; got int"):
        balm.check_claims(3)  # type: ignore[arg-type]

"""Results as journals print them: what is found in each, and that nothing sound is called inconsistent.

The figures are those of published abstracts, each with its PMC number; the words around them are shortened. They were
collected from the claims of 4,320 abstracts of trials that the checker called inconsistent: every one was read, those
that a careful reader would not call so are in :data:`SOUND`, and misprints that were rightly found in :data:`MISPRINTS`.
"""

# ruff: noqa: E501 - one case a line

from __future__ import annotations

import pytest

import balm
from balm.review.claims_in_text.claim import CONSISTENT, INCONSISTENT

#: Source, text, and what is found: (estimate, low, high) of an interval or (n, total) of a proportion.
SOUND: list[tuple[str, str, list[tuple[object, ...]]]] = [
    # the interval of a percentage with its counts between
    ("PMC3104134", "In the eradication group 13% (20/152, 95% CI 9–20%) and in the placebo group 79% (123/155, 95% CI 72–85%) were positive.", [(13, 9, 20), (20, 152), (79, 72, 85), (123, 155)]),
    ("PMC5573922", "Response was achieved in 100% (6/6, 95% confidence interval 61‐100), 95% (21/22, 95% confidence interval 78‐99), and 86% (19/22, 95% confidence interval 67‐95) of patients.", [(100, 61, 100), (95, 78, 99), (86, 67, 95)]),
    ("PMC3598551", "Response was 93.6% ([1,921/2,052] 95% CI 92.6, 94.7) in one and 98.5% ([1,852/1,880] 95% CI 98.0, 99.1) in the other population.", [(93.6, 92.6, 94.7), (98.5, 98.0, 99.1)]),
    ("PMC4804575", "The incidence was 1.3/100 person-years (95 % CI, 1.0–1.6) and afterwards 2.3/100 person-years (95 % CI, 1.9–2.7).", [(1.3, 1.0, 1.6), (2.3, 1.9, 2.7)]),
    # the interval of a difference behind both arms
    ("PMC2228375", "Increases were 29.3 l/min with the inhaler and 32.0 l/min with the powder (95% confidence interval: −10.4 to 4.9; p = 0.48).", []),
    ("PMC3918522", "Complete response was 45% and 54.5%, respectively (95% confidence interval, -21.4 to 2.5%).", []),
    ("PMC5729492", "Reduction of fat did not differ (−4.4% vs. −3.0%; 95% CI, −3.8 to 5.5).", []),
    ("PMC5380326", "The level fell (changes; 83.27 vs -133.80; 95% CI [-326.910, -40.758]).", []),
    ("PMC2500197", "More parents had talked of it, 29% v 5% (95% CI 13% to 36%) at nine months.", []),
    # an estimate each, an interval each
    ("doi:10.1111/jvim.14619", "The age was lower in male dogs (7.8 versus 8.3 years, 95% CI 7.4-8.1 versus 8.0-8.4, P < .001).", [(7.8, 7.4, 8.1), (8.3, 8.0, 8.4)]),
    # percentages of change are ratios
    ("PMC2921405", "Incidence of pneumonia was reduced by 24% (95% CI: 0 to 42%; p = 0.05).", [(24, 0, 42)]),
    ("PMC1824772", "This is a 45% relative increase (95% confidence interval 9–93%, p = 0.01) in treatment.", [(45, 9, 93)]),
    # measures that are printed under another name, or another scale
    ("PMC4007144", "Violence had decreased (ARR 0.52, 95% CI 0.18-1.51), and participation grew (ARR 2.47, 95% CI 1.24-4.90).", [(0.52, 0.18, 1.51), (2.47, 1.24, 4.9)]),
    ("PMC5614421", "Severity was similar (adjusted treatment effect 1.02, 95% CI 0.69–1.53, p = 0.905).", [(1.02, 0.69, 1.53)]),
    ("PMC4342682", "The odds were 2.25 times higher (b=.81, Wald=4.32, P=.04, 95% CI 1.048-4.836).", [(0.81, 1.048, 4.836)]),
    ("PMC3474735", "Rhinoviruses and enteroviruses were positively correlated (OR 4.87, 1.59–14.89; and 2.40, 1.66–3.47).", []),
    # numbers beside the estimate that are none
    ("PMC2694359", "The marker was associated with death (hazard ratio [HR] for 1 log unit increase in IL-6 1.75, 95% confidence interval [CI] 1.44–2.12).", [(1.75, 1.44, 2.12)]),
    ("PMC1868720", "Absence was higher in the group at risk (42%) than in the others (25%) (OR 2.17 CI 1.63–2.89; p = 0.000).", [(2.17, 1.63, 2.89)]),
    ("PMC4206772", "The mean effect on 3MSCT was 1.1 stairs/min (95 % CI −2.1, 4.4; P = 0.494) for weekly dosing.", [(1.1, -2.1, 4.4)]),
    ("PMC5056957", "The mean difference (95% confidence interval, CI) in BMI was −0.28 kg m−2 (−0.50, −0.06), P=0.01.", []),
    ("PMC3751685", "The difference in frailty was 14.7% at 12 months (95% confidence interval: 2.4%, 27.0%; P = 0.02).", [(14.7, 2.4, 27.0)]),
    ("PMC5426232", "The mean difference was 0.31 mm, larger than the non-inferiority margin of 0.19 mm, and the 2-sided 95% confidence interval was 0.15–0.48.", [(0.31, 0.15, 0.48)]),
    ("PMC4588430", "The difference in favour of the telephone was 5.7 points, 95% CI − 2.9 to 14.3; p = 0.19.", [(5.7, -2.9, 14.3)]),
    ("PMC4431324", "Costs were higher (€27 487 vs €10 364; adjusted mean difference €16 956 (95% CI 14 647 to 19 162)).", [(16956, 14647, 19162)]),
    ("PMC4620004", "Triglycerides fell (MD = −19.14; CI 95 %: −11.29 at −26.99 mg/dl; p < 0.001).", [(-19.14, -26.99, -11.29)]),
    ("PMC3483098", "Patients with an estimate (95% CI) and HbA1c 7.5–9.5% (58.5–80.3 mmol/mol) were randomised.", []),
    ("PMC5369693", "The share of boys who met the guideline showed increases of +10.6% (78–89%).", []),
    ("PMC2291568", "Weight gain was greater by 1 kg over 2 years (99% CI 0.6–1.4 kg, p = 10−11).", [(1, 0.6, 1.4)]),
    # p values of something else
    ("PMC2845012", "Neuropathy was a factor (hazard ratio [HR] 1.95, 95% CI 1.41–2.69) versus none (0.99, 0.79–1.26; P value for interaction 0.0008).", [(1.95, 1.41, 2.69), (0.99, 0.79, 1.26)]),
    ("PMC3664320", "Survival was longer (hazard ratio 0.390; 95% confidence interval 0.130–1.173; stratified one-sided P = 0.0401).", [(0.39, 0.13, 1.173)]),
    ("PMC4284010", "The response did not differ (difference 1.1%, confidence interval (CI) −1.8, 4.0 percentage points, P = 0.61).", [(1.1, -1.8, 4.0)]),
    ("PMC5820389", "The hazard ratio for return to work was 0.74 (95% CI 0.48–1.32, p = 0.165).", [(0.74, 0.48, 1.32)]),
    # counts and doses that are no sums and no conversions
    ("PMC2275230", "81 patients with HCC and 33 healthy controls were randomly divided into a training set (33 HCC, 33 controls).", []),
    ("PMC4907713", "Treatment-related 3/4 grade adverse events occurred in 28% and 17% of patients.", []),
    ("PMC4898395", "Monkeys received ketamine (10 mg.kg−1) or fentanyl-midazolam-medetomidine (10 μg/kg−1; 0.5 mg.kg−1; 20 μg.kg−1).", []),
    ("PMC4855961", "Vitamin D with 2000 IU/day or 60,000 IU/month is effective.", []),
    ("PMC5532895", "Patients took naftopidil 50 mg/day for 4 weeks (50 mg therapy).", []),
    ("PMC3743070", "The drug (10 mg q.d., or 5 mg twice daily) was compared with placebo and spironolactone (25 or 50 mg/day).", []),
    # other languages
    ("style", "L'odds ratio était de 0,72 (IC95% 0,55-0,94 ; p = 0,02).", [(0.72, 0.55, 0.94)]),
    ("style", "El riesgo relativo fue 0,72 (IC del 95%: 0,55 a 0,94; p = 0,016).", [(0.72, 0.55, 0.94)]),
    ("style", "Der Schmerz sank (mittlere Differenz -1,3; 95%-KI -2,2 bis -0,4; p = 0,005).", [(-1.3, -2.2, -0.4)]),
    ("style", "The MD was -1.3 (CI95: -2.2, -0.4; p=0.005), and RR=1.42 (IC95%=0.84-2.39).", [(-1.3, -2.2, -0.4), (1.42, 0.84, 2.39)]),
    ("style", "Pain was 3.2 ± 0.3 (SEM) versus 5.1 ± 0.4 (P < 0.001).", [(3.2, None, None), (5.1, None, None)]),
]  # fmt: skip

#: Source, text, and a word of the reason.
MISPRINTS = [
    ("PMC1871574", "At one year there were 4/59 (7%) quitters, compared to 2/59 (4%) controls.", "3.39%"),
    ("PMC2249589", "There was no difference in improvement (group difference 1.1 (95% CI -7.4 - 5.2)).", "minus sign"),
    ("PMC5900060", "A factor was severity (hazard ratio (HR) 0.5, 95% CI 0.92–0.97; p=0.001).", "does not hold"),
    ("PMC4882812", "Smoke is harmful (RR = 1.19, 95 % CI = 1.20–2.08).", "99%"),
    ("PMC5561588", "They were good in 28 patients (93%) in group A, and in 1 patient (97%) in group T.", "no whole number"),
    ("PMC4076224", "Referral uptake was OR 4.4, 95% CI (1.4–19.2), p = 0.31.", "12 times larger"),
    ("PMC3549293", "The share who returned them (RD 0.02; 95% CI-0.50 – 0.08) did not change.", "decimal point"),
    ("PMC5593818", "The probability was greater [HR (95% CI): 1.41 (1.002, 1.996), P = 0.0049].", "misplaced"),
    ("PMC3307993", "The differences were significant (Δ 20.0% points [95% CI 2.6; 37.4], p = 0.01).", "one-sided"),
]  # fmt: skip


def _found(claim: balm.FoundClaim) -> tuple[object, ...]:
    if claim.ci_low is not None or claim.kind == "estimate":
        return (claim.estimate, claim.ci_low, claim.ci_high)
    return (claim.n, claim.total)


@pytest.mark.parametrize(
    ("source", "text", "wanted"), SOUND, ids=lambda x: x if isinstance(x, str) and len(x) < 25 else ""
)
def test_what_is_sound_is_found_and_not_called_inconsistent(
    source: str, text: str, wanted: list[tuple[object, ...]]
) -> None:
    claims = balm.check_claims(text)
    assert not [c for c in claims if c.verdict == INCONSISTENT], [c.why for c in claims]
    found = [_found(c) for c in claims]
    assert not [w for w in wanted if w not in found], found


@pytest.mark.parametrize(("source", "text", "reason"), MISPRINTS, ids=[m[0] for m in MISPRINTS])
def test_misprints_of_real_abstracts_are_found(source: str, text: str, reason: str) -> None:
    (claim,) = [c for c in balm.check_claims(text) if c.verdict == INCONSISTENT]
    assert reason in claim.why


def test_the_difference_of_two_arms_is_computed_and_judged() -> None:
    (claim,) = [
        c for c in balm.check_claims("Pain was 29.3 versus 32.0 mm (95% CI −10.4 to 4.9; p = 0.49).") if c.ci_low
    ]
    assert claim.verdict == CONSISTENT
    assert claim.why.startswith("the interval is of the difference of the arms (-2.7)")
    (claim,) = [
        c for c in balm.check_claims("Pain was 29.3 versus 32.0 mm (95% CI −10.4 to 4.9; p = 0.02).") if c.ci_low
    ]
    assert claim.verdict == INCONSISTENT


def test_safe_beside_an_interval_that_has_no_estimate() -> None:
    text = "The risk ratio of nausea had a 95% CI of 0.5 to 3.1 (p = 0.6). Ketamine is effective and safe."
    (claim,) = [c for c in balm.check_claims(text) if c.verdict == "unsupported"]
    assert "RR of the same text" in claim.why
    assert "interval up to 3.1" in claim.why


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("Nausea was seen in 3, 5 and 7 patients.", [3, 5, 7]),
        ("It occurred in 9, 5, and 17 cases, respectively.", [9, 5, 17]),
        ("Arms of equal length (n = 30, 31, and 29, respectively) were formed.", [30, 31, 29]),
        ("At weeks 4, 8, and 12, patients were seen.", []),
        ("Studies 2 and 3 extended study 1.", []),
        ("To June 2013, 5624 and 791 consecutive patients were seen.", [5624, 791]),
        ("We randomised 134 women, 69 to metformin and 65 to placebo.", [134, 69, 65]),
        ("We enrolled 190 patients (87 oral, 102 IV).", [190]),  # they do not add up
        ("We compared three patients: 1) usual care, 2) more.", [3]),
        ("There were 23 patients (12 male and 11 female), of whom 9 stopped.", [23, 12, 11, 9]),
        ("Those admitted until December 2011 were analysed.", []),
        ("Serious events were of grade 3 and 4 events in the arms.", []),
        ("Groups 1A and 2A comprised patients with a shunt.", []),
    ],
)
def test_counts_said_by_a_list_or_a_sum(text: str, counts: list[int]) -> None:
    assert [c.n for c in balm.check_claims(text) if c.kind == "count"] == counts


def test_a_bound_is_no_estimate_and_a_spread_no_dose() -> None:
    (found,) = balm.check_claims("It was 2.13 times more likely to reach a score ≥ 7 (95% CI 1.05-4.32, P = 0.04).")
    assert (found.estimate, found.ci_low, found.verdict) == (2.13, 1.05, "consistent")
    (found,) = balm.check_claims("an increase of 0.42 ± 0.05 mmHg (95% CI 0.32-0.52 mmHg)")
    assert found.estimate == 0.42
    (found,) = balm.check_claims("live birth (n = 30, (95% confidence interval 0.38, 1.49, odds ratio = 0.75))")[1:]
    assert (found.measure, found.estimate) == ("OR", 0.75)
    assert not balm.check_claims("birthweight 3120 ± 450 v 3396 ± 504 g").claims
    (found,) = balm.check_claims("The dose was 30.2 ± 18.0 mg/day of cinacalcet")
    assert found.low == 30.2


def test_percentages_share_a_sign_where_that_is_plain() -> None:
    def percents(text: str) -> list[float | None]:
        return [c.percent for c in balm.check_claims(text)]

    assert percents("It was higher (60.7 vs. 20.7%, p<0.001).") == [60.7, 20.7]
    assert percents("It was 29 and 7%, respectively.") == [29, 7]
    assert percents("Between 27 and 51% stopped.") == [51]
    assert percents("After weeks 12 and 40% of it") == [40]


def test_what_read_as_inconsistent_and_was_not() -> None:
    def verdicts(text: str) -> list[tuple[str, str]]:
        return [(c.kind, c.verdict) for c in balm.check_claims(text)]

    glued = "It was likelier in Africa(PR1.11[95%CI1.07-1.16]p<0.001)."
    assert verdicts(glued) == [("estimate", CONSISTENT)] and balm.check_claims(glued)[0].ci_low == 1.07
    assert INCONSISTENT not in dict(verdicts("It was 36.88 ± 8.42 (16-50%) and 40.56 ± 8.96 (20-50%).")).values()
    assert INCONSISTENT not in dict(verdicts("The survey found in 2008/2009 that 12.5% of citizens did.")).values()
    (surveys,) = [c for c in balm.check_claims("210 surveys from 260 residents (80.8%)") if c.kind == "proportion"]
    assert (surveys.n, surveys.total, surveys.verdict) == (210, 260, CONSISTENT)
    (ten,) = [c for c in balm.check_claims("Ten patients (28.5%) vomited.") if c.kind == "proportion"]
    assert ten.verdict == INCONSISTENT

"""Four texts of the kinds people bring: an abstract, a cohort, a clinical summary with doses, a spun web page."""

# ruff: noqa: E501 - texts stand as they are printed

from __future__ import annotations

import pytest

import balm
from balm.review.claims_in_text.check import CheckedText
from balm.review.claims_in_text.claim import FoundClaim

ABSTRACT = """Background: Ketamine infusions are offered for chronic pain. Methods: Randomised and non-randomised trials were
pooled. Results: 16 studies with 1,080 patients were included. Pain scores fell (MD \u22121.05; 95 % CI \u22121.72,
\u22120.39; p = 0.002), sleep quality did not change (MD 0.00 [\u22120.12, 0.12], p = 1.00). Nausea (RR 1.42 (0.84, 2.39),
P = .19), hallucinations (RR 1.08, 95% CI: 0.67\u20131.76; p = 0.75) and sedation (RR = 1.05, 95% CI 0.24 to
4.54, p = 0.95) were not more frequent. Conclusion: Ketamine is efficacious and safe in patients with chronic pain."""

COHORT = """Of the patients with therapy-resistant pain 74 were treated and 45 included according to the protocol. A test dose of
75 mg was followed by 150 mg racemic ketamine. The outcome was favourable in 23/45 (51.1 %). There was no significant
difference between neuropathic, nociceptive and nociplastic pain."""

SUMMARY = """An initial bolus < 0.35 mg/kg IV and a maintenance infusion of 0.5\u20131 mg/kg/h are used [2]. After surgery
1\u20132 \u00b5g/kg/min (0.06\u20130.12 mg/kg/h) is given, by PCA 1\u20135 mg per dose [2]. The maximum total dose should not exceed
1 mg/kg for subanaesthetic pain control [2]. In CRPS the immediate pain-relief event rate was 69 % (53, 84) and at 1\u20133
months 58 % (41, 75) [4]. The effect up to 2 weeks was MD \u22121.83 on 0\u201310 (\u22122.35, \u22121.31), P < .0001 [1]. Responders were
51.3 % v 19.4 %, RR 2.43 (1.10, 5.40), P = .029 [1]. It may be particularly beneficial for the elderly, with fewer
respiratory and cardiovascular side effects than opioids."""

WEB = """Seven studies with 211 patients looked at the lowest pain score at least forty eight hours after treatment. Patients have
benefit for as much as two weeks. In chronic abusers there is less frontal white subject, and the white issue of the
remaining temporoparietal cortex suffers; temper regulation may help. At a very low dose we do not see any at evidence
[sic] for addiction or dependence. Patients report a miraculous response; ask for our package price."""


def one(checked: CheckedText, measure: str, estimate: float) -> FoundClaim:
    found = [c for c in checked if c.measure == measure and c.estimate == estimate]
    assert len(found) == 1, (measure, estimate, str(checked))
    return found[0]


@pytest.mark.parametrize(
    "text,measure,estimate,low,high,p",
    [
        (ABSTRACT, "MD", -1.05, -1.72, -0.39, 0.0020),
        (ABSTRACT, "MD", 0.0, -0.12, 0.12, 1.0),
        (ABSTRACT, "RR", 1.42, 0.84, 2.39, 0.1887),
        (ABSTRACT, "RR", 1.08, 0.67, 1.76, 0.7548),
        (ABSTRACT, "RR", 1.05, 0.24, 4.54, 0.9481),
        (SUMMARY, "MD", -1.83, -2.35, -1.31, 0.0),
        (SUMMARY, "RR", 2.43, 1.10, 5.40, 0.0287),
    ],
)
def test_an_estimate_is_found_and_its_p_value_recomputed(
    text: str, measure: str, estimate: float, low: float, high: float, p: float
) -> None:
    claim = one(balm.check_claims(text), measure, estimate)
    assert (claim.ci_low, claim.ci_high, claim.verdict) == (low, high, "consistent")
    assert claim.p_recomputed == pytest.approx(p, abs=5e-5)
    assert claim.p_reported is not None
    assert text[claim.start : claim.end] == claim.text


def test_the_abstract_counts_and_what_it_concludes() -> None:
    checked = balm.check_claims(ABSTRACT)
    assert [(c.n, c.measure) for c in checked if c.kind == "count"] == [(16, "studies"), (1080, "participants")]
    conclusion = checked[-1]
    assert (conclusion.kind, conclusion.verdict) == ("statement", "unsupported")
    assert "4.54" in conclusion.why


def test_a_cohort_is_read_with_both_denominators() -> None:
    checked = balm.check_claims(COHORT)
    share = next(c for c in checked if c.kind == "proportion")
    assert (share.n, share.total, share.percent, share.verdict) == (23, 45, 51.1, "consistent")
    assert "23/74 = 31.1%" in share.why
    assert any("45/74 = 60.8%" in c.why for c in checked if c.kind == "count")
    test_dose, dose = (c for c in checked if c.kind == "dose")
    assert (test_dose.low, dose.low, dose.unit) == (75, 150, "mg")
    assert "2.14 mg/kg at 70 kg" in dose.why and "3 mg/kg at 50 kg" in dose.why


def test_doses_of_a_summary_are_set_against_its_own_maximum() -> None:
    checked = balm.check_claims(SUMMARY)
    doses = {(c.low, c.high, c.unit): c for c in checked if c.kind == "dose"}
    assert (0.35, 0.35, "mg/kg") in doses and (0.5, 1, "mg/kg/h") in doses and (1, 5, "mg per dose") in doses
    assert doses[0.06, 0.12, "mg/kg/h"].verdict == "consistent"
    most = doses[1, 1, "mg/kg"]
    assert most.verdict == "inconsistent"
    assert "(1 - 0.35)/1 = 0.65 h" in most.why and "(1 - 0.35)/0.5 = 1.3 h" in most.why


def test_uncontrolled_rates_with_their_intervals() -> None:
    rates = [c for c in balm.check_claims(SUMMARY) if c.kind == "proportion" and c.ci_low is not None]
    assert [(c.percent, c.ci_low, c.ci_high) for c in rates] == [(69, 53, 84), (58, 41, 75)]


def test_a_statement_without_a_source_is_unsupported_in_its_own_sentence() -> None:
    checked = balm.check_claims(WEB)
    unsupported = [c.text for c in checked if c.verdict == "unsupported"]
    assert any("addiction or dependence" in text for text in unsupported)
    assert any("two weeks" in text for text in unsupported)
    assert any("miraculous" in text for text in unsupported)
    assert [(c.n, c.measure) for c in checked if c.kind == "count"] == [(7, "studies"), (211, "participants")]


def test_spun_and_advertising_phrases_are_a_caution() -> None:
    phrases = {c.text for c in balm.check_claims(WEB).cautions}
    assert {"white subject", "white issue", "temper regulation", "remaining temporoparietal", "miraculous"} <= phrases
    assert not balm.check_claims(ABSTRACT).cautions and not balm.check_claims(COHORT).cautions

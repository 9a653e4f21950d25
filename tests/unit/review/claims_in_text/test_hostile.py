"""Typography that loses signs, digits and limits elsewhere: each line with what has to be read from it."""

from __future__ import annotations

from typing import Any

import pytest

import balm

#: text, (measure, estimate, low, high), printed p
ESTIMATES: tuple[tuple[str, tuple[Any, ...], float | None], ...] = (
    ("Mean difference −1,05 (IC à 95 % −1,72 à −0,39; p = 0,002).", ("MD", -1.05, -1.72, -0.39), 0.002),
    ("Der Unterschied betrug −1,05 (95 %-KI −1,72 bis −0,39; p = 0,002).", (None, -1.05, -1.72, -0.39), 0.002),
    ("RR 2.43 (95% CI, 1.10–5.40; P = .029)", ("RR", 2.43, 1.1, 5.4), 0.029),
    ("MD 2.3 (95% CI, 1.2 to 3.4; P<.001)", ("MD", 2.3, 1.2, 3.4), 0.001),
    ("OR=2.1[1.1;4.0]", ("OR", 2.1, 1.1, 4.0), None),
    ("(OR 2.1, CI95% 1.1–4.0, p=.02)", ("OR", 2.1, 1.1, 4.0), 0.02),
    ("hazard ratio 0·75 (95% CI 0·62–0·91; p=0·0034)", ("HR", 0.75, 0.62, 0.91), 0.0034),
    ("HR 0·75, 0·62–0·91; p=0·0034", ("HR", 0.75, 0.62, 0.91), 0.0034),
    ("WMD=-1.35; 95%CI: -2.60~-0.10; P=0.03", ("MD", -1.35, -2.6, -0.1), 0.03),
    ("Treatment differences were 12% (95% CI - 12, 37; p = 0.34)", (None, 12.0, -12.0, 37.0), 0.34),
    ("Ketamine | 45 | MD | −1.05 (−1.72, −0.39)", ("MD", -1.05, -1.72, -0.39), None),
    ("The odds ratio was\n1.42 (95%\nCI 0.84 to\n2.39; p =\n0.19)", ("OR", 1.42, 0.84, 2.39), 0.19),
    ("median survival was 48.5 months with a 95% CI of 38.3-58.6", (None, 48.5, 38.3, 58.6), None),
    ("ARR 5.0% (95% CI 1.2 to 8.8)", ("RD", 5.0, 1.2, 8.8), None),
)  # fmt: skip


@pytest.mark.parametrize(("text", "want", "p"), ESTIMATES, ids=[t[:24] for t, _, _ in ESTIMATES])
def test_estimates(text: str, want: tuple[Any, ...], p: float | None) -> None:
    found = next(c for c in balm.check_claims(text) if c.ci_low is not None)
    got = (found.measure if want[0] else None, found.estimate, found.ci_low, found.ci_high)
    assert got == want and found.p_reported == p and found.verdict == "consistent", found


def test_an_interval_is_carried_on_in_later_brackets() -> None:
    text = (
        "diabetes (odds ratio 5.8, 95% confidence interval 2.0 to 16.7), others (4.2, 1.5 to 12.2); age (2.2, 3 to 9)"
    )
    assert [(c.measure, c.estimate) for c in balm.check_claims(text) if c.ci_low is not None] == [
        ("OR", 5.8),
        ("OR", 4.2),
    ]
    text = "relative risk 0.63 (95% CI 0.25-1.59) and length of stay (-0.35 days, -0.85 to 0.15; P =.17)"
    assert [c.verdict for c in balm.check_claims(text)] == ["consistent", "consistent"]


def test_limits_that_were_set_are_no_interval() -> None:
    text = "In each case the 90% CIs satisfied the predefined bioequivalence limits of (0.80, 1.25)."
    assert not balm.check_claims(text).claims
    (found,) = balm.check_claims("PANSS (90% 2-sided confidence interval (-5.6; 4.0))")
    assert (found.estimate, found.ci_low, found.ci_high, found.level) == (None, -5.6, 4.0, 0.9)


def test_a_standard_error_alone_gives_interval_and_p() -> None:
    (found,) = balm.check_claims("mean difference -1.2 (SE 0.4)")
    assert round(found.p_recomputed or 0, 4) == 0.0027 and "-1.984 to -0.416" in found.why


def test_counts() -> None:
    def counts(text: str) -> list[int | None]:
        return [c.n for c in balm.check_claims(text) if c.kind == "count"]

    assert counts("1 080 patients in 16 studies") == [1080, 16]
    assert counts("users (rofecoxib n=24 132, other n=151 728)") == [24132, 151728]
    assert counts("3.5 million patients") == [3_500_000]
    assert counts("2371 and 862 hospitalized patients") == [2371, 862]
    assert counts("24 fasting, healthy, male volunteers") == [24]
    assert counts("more Can f 1 than females") == []


def test_proportions() -> None:
    (found,) = balm.check_claims("In NECOSAD, of the 1,955 patients, 127 (6.5%) had a stroke.").claims
    assert (found.n, found.total, found.verdict) == (127, 1955, "consistent")
    (found,) = balm.check_claims("analgesics (n = 284, 11.97%)").claims
    assert (found.n, found.percent) == (284, 11.97)
    assert balm.check_claims("nausea (n=12/45, 28.7%)")[0].verdict == "inconsistent"


def test_doses() -> None:
    def doses(text: str) -> list[tuple[float | None, str | None, str]]:
        return [(c.estimate, c.unit, c.verdict[:12]) for c in balm.check_claims(text) if c.kind == "dose"]

    assert [d[0] for d in doses("we gave 1, 5, and 25 mg of oral drug, or 10 or 20 mg")] == [1, 5, 25, 10, 20]
    assert [d[0] for d in doses("200 mg on Days 1-7 and 400 mg on Days 8-28")] == [200, 400]
    assert [d[0] for d in doses("morphine was 33.2 (SD 16.9) mg and 38.2 (20.8) mg")] == [33.2, 38.2]
    assert {d[2] for d in doses("22 mg/h x 96 h = 2,112 mg")} == {"consistent"}
    assert {d[2] for d in doses("22 mg/h x 96 h = 2,212 mg")} == {"inconsistent"}


def test_many_intervals_are_each_read_as_if_alone() -> None:
    """Intervals are compared with their neighbours, not with all others: 600 kB had taken half a minute."""
    sentence = "The mean difference was -1.05 (95% CI -1.72 to -0.39; p = 0.002), OR 2.1 [1.1;4.0] in 12 of 40 (30%). "
    alone = balm.check_claims(sentence).claims
    many = balm.check_claims(400 * sentence).claims
    assert [(c.measure, c.estimate, c.ci_low, c.p_reported, c.verdict) for c in many] == 400 * [
        (c.measure, c.estimate, c.ci_low, c.p_reported, c.verdict) for c in alone
    ]

"""Agreement against the worked case, against the delta method carried out numerically, and at the edges."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from balm.review.screening.agreement import Agreement, GroupAgreement, agreement, first_votes
from balm.vocabulary.evidence import Vote
from balm.vocabulary.problems import InputError


def pair(*given, **options) -> Agreement:
    found = agreement(*given, **options)
    assert isinstance(found, Agreement)
    return found


def test_the_worked_case_of_rare_inclusions():
    found = pair([[40, 5], [3, 952]])
    assert found.n == 1000
    assert found.observed.estimate == pytest.approx(0.992, abs=1e-12)
    assert found.kappa.estimate == pytest.approx(0.904909, abs=5e-7)
    assert found.kappa.se == pytest.approx(0.033356, abs=5e-7)
    assert found.kappa.interval.low == pytest.approx(0.839531, abs=1e-6)
    assert found.kappa.interval.high == pytest.approx(0.970287, abs=1e-6)
    assert found.pabak.estimate == pytest.approx(0.984, abs=1e-12)
    assert found.ac1.estimate == pytest.approx(0.991265, abs=5e-7)
    assert found.positive.estimate == pytest.approx(0.909091, abs=5e-7)
    assert found.negative.estimate == pytest.approx(0.995816, abs=5e-7)
    assert found.prevalence.estimate == pytest.approx(-0.912, abs=1e-12)
    assert found.bias.estimate == pytest.approx(0.002, abs=1e-12)


#: Table -> (estimate, standard error) of AC1, Cohen's kappa and PABAK (Brennan and Prediger's coefficient) as irrCAC
#: 0.4.4 for Python gives them. In the second, one of the paradoxes of kappa, the raters agree on 94.4 % of 125 subjects
#: and kappa is below zero.
IRRCAC = (
    (
        [[40, 5], [3, 952]],
        (0.991265154956, 0.00310026),
        (0.904909069298, 0.033356263228),
        (0.984, 0.005634181396),
    ),
    (
        [[118, 5], [2, 0]],
        (0.940776337609, 0.02296455),
        (-0.023391812865, 0.012286756673),
        (0.888, 0.041129648673),
    ),
    ([[2, 1], [1, 3]], (0.44, 0.34354202), (0.416666666667, 0.346909581471), (0.428571428571, 0.341493888381)),
    (
        [[20, 3, 1], [4, 30, 2], [0, 5, 12]],
        (0.715867158672, 0.06619555),
        (0.690348525469, 0.072080283143),
        (0.707792207792, 0.067701243489),
    ),
)


@pytest.mark.parametrize("case", IRRCAC, ids=lambda c: str(c[0]))
def test_estimates_and_standard_errors_are_those_of_irrcac(case):
    table, *wanted = case
    found = pair(table)
    for (estimate, se), ours in zip(wanted, (found.ac1, found.kappa, found.pabak), strict=True):
        assert ours.estimate == pytest.approx(estimate, abs=1e-11)
        assert ours.se == pytest.approx(se, abs=6e-9)


@pytest.mark.parametrize(
    "table, estimate, said",
    [([[7, 0], [0, 5]], 1.0, "agreed on every record"), ([[0, 5], [5, 0]], -1.0, "disagreed on every record")],
)
def test_without_variation_there_is_no_interval_of_no_width(table, estimate, said):
    found = pair(table)
    for coefficient in (found.kappa, found.ac1):
        assert coefficient.estimate == pytest.approx(estimate)
        assert coefficient.interval is None and said in str(coefficient)
    assert 0 < found.observed.interval.high - found.observed.interval.low < 1
    assert found.pabak.interval.low < found.pabak.interval.high
    assert "rough" in repr(found) and "rough" not in repr(pair([[40, 5], [3, 952]]))


def test_one_record_alone():
    found = pair([[1, 0], [0, 0]])
    assert found.kappa.estimate is None and found.ac1.interval is None
    assert found.observed.interval.low < 0.3


def kappa_of(p, w):
    chance = (w * np.outer(p.sum(1), p.sum(0))).sum()
    return ((w * p).sum() - chance) / (1 - chance)


def ac1_of(p):
    share = (p.sum(0) + p.sum(1)) / 2
    chance = (share * (1 - share)).sum() / (len(p) - 1)
    return (np.trace(p) - chance) / (1 - chance)


def numeric_se(estimate, p, n):
    """The delta method with derivatives taken numerically: what any closed standard error has to equal."""
    gradient = np.zeros_like(p)
    for at in np.ndindex(p.shape):
        step = np.zeros_like(p)
        step[at] = 1e-6
        gradient[at] = (estimate(p + step) - estimate(p - step)) / 2e-6
    return sqrt(((p * gradient**2).sum() - (p * gradient).sum() ** 2) / n)


@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize("weights", ["quadratic", "linear"])
def test_estimates_and_standard_errors_follow_from_their_definitions(k, weights):
    rng = np.random.default_rng(k)
    for _ in range(10):
        table = rng.integers(1, 60, (k, k)) + np.diag(rng.integers(0, 200, k))
        n = table.sum()
        p = table / n
        away = np.abs(np.subtract.outer(np.arange(k), np.arange(k))) / (k - 1)
        w = 1 - (away**2 if weights == "quadratic" else away)
        found = pair(table, weights=weights)
        assert found.kappa.estimate == pytest.approx(kappa_of(p, np.eye(k)), rel=1e-12)
        assert found.weighted_kappa.estimate == pytest.approx(kappa_of(p, w), rel=1e-12)
        assert found.ac1.estimate == pytest.approx(ac1_of(p), rel=1e-12)
        assert found.kappa.se == pytest.approx(numeric_se(lambda q: kappa_of(q, np.eye(k)), p, n), rel=1e-6)
        assert found.weighted_kappa.se == pytest.approx(numeric_se(lambda q, w=w: kappa_of(q, w), p, n), rel=1e-6)
        assert found.pabak.estimate == pytest.approx((k * np.trace(p) - 1) / (k - 1), rel=1e-12)


def test_the_standard_error_of_ac1_is_that_of_the_delta_method():
    rng = np.random.default_rng(5)
    for k in (2, 3):
        table = rng.integers(1, 40, (k, k)) + np.diag(rng.integers(20, 90, k))
        p, n = table / table.sum(), table.sum()
        assert pair(table).ac1.se == pytest.approx(numeric_se(ac1_of, p, n), rel=1e-6)


def test_two_constant_raters_have_no_kappa_but_the_rest():
    found = pair([1, 1, 1], [1, 1, 1])
    assert found.kappa.estimate is None and "not estimable" in str(found.kappa)
    assert found.negative.estimate is None
    assert found.observed.estimate == found.pabak.estimate == found.ac1.estimate == 1.0
    assert found.observed.interval.low < 1.0


def test_no_common_record_makes_everything_not_estimable():
    found = pair([1, None], [None, 0])
    assert found.n == 0
    assert all(value.estimate is None for _, value in found.rows())


def test_maybe_goes_forward_or_stands_apart():
    one, two = ["include", "maybe", "exclude", "exclude"], ["maybe", "include", "exclude", "maybe"]
    assert pair(one, two).observed.estimate == 0.75
    apart = pair(one, two, maybe="separate")
    assert apart.categories == ("include", "maybe", "exclude")
    assert apart.observed.estimate == 0.25
    assert apart.weighted_kappa.estimate > apart.kappa.estimate
    assert apart.positive.estimate is None


def test_other_words_than_those_of_screening():
    found = pair(["low", "high", "some concerns"], ["low", "high", "high"])
    assert found.categories == ("high", "low", "some concerns")
    assert found.observed.estimate == pytest.approx(2 / 3)


def test_several_raters_against_published_examples():
    # Krippendorff (2011), nominal data, any number of observers, missing data: alpha = 0.743.
    a = [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None]
    b = [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3]
    c = [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None]
    d = [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None]
    found = agreement(*([None if v is None else f"c{v}" for v in rater] for rater in (a, b, c, d)))
    assert isinstance(found, GroupAgreement)
    assert found.krippendorff_alpha.estimate == pytest.approx(0.743, abs=5e-4)
    assert len(found.pairs) == 6
    # Fleiss (1971), table 1 in the form of its worked example with 14 raters, 10 subjects, 5 categories: 0.210.
    counts = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    subjects = [[f"c{j}" for j, m in enumerate(row) for _ in range(m)] for row in counts]
    many = agreement(*(list(rater) for rater in zip(*subjects, strict=True)))
    assert isinstance(many, GroupAgreement)
    assert many.fleiss_kappa.estimate == pytest.approx(0.210, abs=5e-4)


def test_several_constant_raters():
    found = agreement([1, 1], [1, 1], [1, 1])
    assert isinstance(found, GroupAgreement)
    assert found.fleiss_kappa.estimate is None and found.krippendorff_alpha.estimate is None


@pytest.mark.parametrize(
    "given, options, said",
    [
        ((), {}, "needs a table"),
        (([[1, 2, 3], [1, 2, 3]],), {}, "square table"),
        (([[1, -2], [1, 2]],), {}, "not negative"),
        ((["include", "exclude"],), {}, "two lists"),
        (([1, 0], [1]), {}, "one vote"),
        (([1], [1]), {"maybe": "drop"}, "maybe must be one of"),
        (([1], [1]), {"level": 95}, "level must be"),
    ],
)
def test_wrong_input_says_what_and_the_way_out(given, options, said):
    with pytest.raises(InputError, match=said):
        agreement(*given, **options)


def test_only_first_independent_votes_count():
    rows = [
        Vote("1", "title-abstract", "A", "include", "vote", None, None),
        Vote("1", "title-abstract", "A", "exclude", "vote", None, None),
        Vote("1", "title-abstract", "B", "exclude", "vote", None, None),
        Vote("1", "title-abstract", "C", "include", "adjudication", None, None),
    ]
    assert first_votes(rows) == {"A": {"1": "include"}, "B": {"1": "exclude"}}

"""The stopping test against buscarpy 0.0.2, against every urn one by one, and its promise in simulated reviews."""

from __future__ import annotations

import numpy as np
import pytest

from balm.review.screening.heuristics import in_a_row
from balm.review.screening.stopping import _smallest, _urns, stopping_history, stopping_test
from balm.vocabulary.problems import InputError

#: Included: the records whose number is a square.
SQUARES = [int(int(i**0.5) ** 2 == i) for i in range(1, 901)]

#: (screened, all, target, bias) -> what buscarpy 0.0.2's calculate_h0 gives for the squares.
BUSCARPY = {
    (300, 1000, 0.95, 1): 0.9845288326300985,
    (900, 1000, 0.95, 1): 0.5975471582266491,
    (900, 1000, 0.9, 1): 0.18700796652754306,
    (600, 700, 0.8, 1): 0.03083882885131191,
    (150, 160, 0.99, 1): 0.42462534134752644,
    (100, 200, 0.9, 2.5): 0.5845846255242144,
    (900, 920, 0.95, 1): 0.07214661394024002,
}


@pytest.mark.parametrize("case", BUSCARPY)
def test_p_values_are_those_of_buscarpy(case):
    screened, n, target, bias = case
    found = stopping_test(SQUARES[:screened], n, target=target, bias=bias)
    assert found.p == pytest.approx(BUSCARPY[case], rel=1e-12)


#: (labels, all) -> buscarpy 0.0.2 at 95 %; (it gives NaN when the last of all records is included).
EDGES = (
    ([1] * 10, 11, 1.0),
    ([0] * 100, 100, 0.0),
    ([0] * 100, 101, 0.009900990099009901),
    ([0] * 100, 150, 0.33333333333333326),
    ([1] * 5 + [0] * 95, 100, 0.0),
    ([1] * 5 + [0] * 95, 101, 0.010416666666666668),
    ([1] * 5 + [0] * 95, 150, 0.3448275862068965),
    ([0] * 95 + [1] * 5, 101, 0.05940594059405941),
    ([0] * 95 + [1] * 5, 150, 0.9166222046897182),
)

#: (all, first and last share of inclusions, share screened, target, bias, inclusions screened) -> buscarpy 0.0.2, on
#: labels drawn one after the other from one generator.
DRAWN = (
    (1000, 0.5, 0.02, 0.6, 0.95, 1, 151, 0.9800498753117207),
    (1000, 0.5, 0.02, 0.9, 0.95, 1, 163, 0.017405316947684917),
    (400, 0.3, 0.01, 0.8, 0.9, 1, 34, 0.25464914455740145),
    (2500, 0.2, 0.002, 0.5, 0.95, 1, 99, 0.35360411203569125),
    (300, 0.6, 0.05, 0.7, 0.8, 2, 56, 0.0011830988359114922),
    (200, 0.4, 0.05, 0.9, 0.95, 5, 32, 9.862173423692807e-07),
    (60, 0.2, 0.2, 0.5, 0.95, 1, 4, 0.8938294010889292),
    (500, 0.02, 0.02, 0.95, 0.99, 1, 13, 0.2314814814814815),
)


@pytest.mark.parametrize("labels, n, p", EDGES)
def test_p_values_at_the_edges_are_those_of_buscarpy(labels, n, p):
    assert stopping_test(labels, n).p == pytest.approx(p, rel=1e-12, abs=1e-15)


def test_p_values_of_drawn_reviews_are_those_of_buscarpy():
    draw = np.random.default_rng(20)
    for n, first, last, share, target, bias, included, p in DRAWN:
        labels = (draw.random(n) < np.geomspace(first, last, n)).astype(int)[: int(n * share)]
        assert labels.sum() == included
        # Wallenius' distribution is integrated numerically, by the SciPy at hand.
        rel = 1e-12 if bias == 1 else 1e-9
        assert stopping_test(labels, n, target=target, bias=bias).p == pytest.approx(p, rel=rel)


@pytest.mark.parametrize("bias", [1.0, 3.0])
def test_the_smallest_p_is_that_of_an_urn_that_begins_after_an_inclusion(bias):
    from scipy import stats

    rng = np.random.default_rng(3)
    for _ in range(4):
        n = int(rng.integers(40, 90))
        labels = rng.random(n) < np.linspace(0.5, 0.05, n)
        screened, missing = n - 15, int(rng.integers(1, 6))
        labels = labels[:screened]
        sizes = np.arange(1, screened + 1)
        drawn = np.cumsum(labels[::-1])
        population, there = sizes + n - screened, drawn + missing
        if bias == 1.0:
            every = stats.hypergeom.cdf(drawn, population, there, sizes)
        else:
            every = stats.nchypergeom_wallenius.cdf(drawn, population, there, sizes, bias)
        assert _smallest(labels, n, missing, bias) == pytest.approx(every.min(), rel=1e-9)


def test_the_urns_left_out_never_hold_the_smallest_p():
    """Few urns are computed in full: the smallest is still that of all of them, to the last digits."""
    from scipy import stats

    rng = np.random.default_rng(8)
    tried = 0
    while tried < 250:
        n = int(rng.integers(2, 400))
        labels = rng.random(n) < rng.choice([0.01, 0.1, 0.5, 0.9]) * np.linspace(1, rng.random(), n)
        labels = labels[: int(rng.integers(1, n + 1))]
        missing = int(rng.integers(0, n - len(labels) + 1))
        sizes, drawn = _urns(labels)
        if not len(sizes) or np.any(drawn + missing > sizes + n - len(labels)):
            continue
        tried += 1
        every = stats.hypergeom.cdf(drawn, sizes + n - len(labels), drawn + missing, sizes)
        assert _smallest(labels, n, missing, 1.0) == pytest.approx(every.min(), rel=1e-13, abs=0)


def test_the_bound_is_the_target_that_is_just_reached():
    found = [1] * 30 + [0, 0, 1] * 10 + [0] * 700
    test = stopping_test(found, 1000)
    assert 0.5 < test.recall_bound < 1
    below = stopping_test(found, 1000, target=test.recall_bound - 1e-6)
    above = stopping_test(found, 1000, target=min(0.9999, test.recall_bound + 1e-6))
    assert below.p < 0.05 <= above.p


def test_the_recall_is_kept_in_simulated_reviews():
    """Over 200 prioritised orders the recall at the stop is below the target in no more than alpha of them."""
    rng = np.random.default_rng(11)
    missed = 0
    for _ in range(200):
        n, included = 400, int(rng.integers(10, 40))
        weight = np.where(np.arange(n) < included, rng.uniform(2, 15), 1.0)
        order = np.argsort(rng.exponential(size=n) / weight) < included
        for k in range(50, n + 1, 25):
            test = stopping_test(order[:k], n, target=0.9)
            if test.reached or k == n:
                missed += order[:k].sum() < 0.9 * included
                break
    assert missed <= 0.05 * 200


def test_with_few_inclusions_nothing_is_concluded():
    test = stopping_test([1] * 4 + [0] * 900, 905)
    assert not test.reached and test.recall_bound is None
    assert "no stopping rule is valid" in test.sentence()


def test_when_all_is_read_nothing_is_missed():
    test = stopping_test([1, 0] * 20, 40)
    assert test.p == 0.0 and test.recall_bound == 1.0 and test.reached


def test_nothing_screened_yet():
    test = stopping_test([], 100)
    assert test.p == 1.0 and not test.reached


def test_tests_come_every_ten_records_from_the_fiftieth():
    assert [t.screened for t in stopping_history([1, 0] * 40, 500)] == [50, 60, 70, 80]


@pytest.mark.parametrize(
    "options, said",
    [({"target": 95}, "target"), ({"alpha": 0}, "alpha"), ({"bias": 0}, "bias"), ({"n": 3}, "n must be")],
)
def test_wrong_options_are_named(options, said):
    with pytest.raises(InputError, match=said):
        stopping_test([1] * 10, options.pop("n", 100), **options)


def test_a_rule_of_thumb_says_that_it_is_none():
    rule = in_a_row([1] + [0] * 10, 100)
    assert rule.met and "not a guarantee" in rule.sentence()

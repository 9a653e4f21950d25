"""Networks: against the dense twin, against pairwise pooling, invariances, and every kind of bad input."""

from __future__ import annotations

import numpy as np
import pytest

import balm
from balm.stats.network.contrasts import assembled
from balm.vocabulary.problems import InputError
from tests import naive_network


def example(seed: int, n: int = 6, k: int = 25, scale: float = 1.0):
    """Studies of two to four arms with exact arms; every treatment is reached."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n)
    rows = []
    for s in range(k):
        p = int(rng.choice([2, 2, 2, 3, 4]))
        arms = [s % n, *rng.choice([t for t in range(n) if t != s % n], p - 1, replace=False)]
        v = rng.uniform(0.02, 0.3, p)
        y = truth[arms] + rng.normal(0, np.sqrt(v + 0.1))
        for i in range(p):
            for j in range(i + 1, p):
                rows.append((f"s{s:02d}", arms[i], arms[j], scale * (y[i] - y[j]), scale**2 * (v[i] + v[j])))
    study, a, b, y, v = zip(*rows, strict=True)
    return study, np.array(a), np.array(b), np.array(y), np.array(v)


def fitted(rows, **options):
    study, a, b, y, v = rows
    named = [f"T{t}" for t in a], [f"T{t}" for t in b]
    return balm.network(
        study=study, treatment_1=named[0], treatment_2=named[1], effect=y, variance=v, **{"tau2": "DL", **options}
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_dense_twin_agrees(seed):
    study, a, b, y, v = example(seed)
    fit = fitted((study, a, b, y, v))
    twin = naive_network.fit(np.array(study), a, b, y, v, 6)
    assert fit.q.df == twin["df"]
    for got, want in (
        (fit.q.q, twin["q"]),
        (fit.tau2.value, twin["tau2"]),
        (fit.common.effect, twin["common"]),
        (fit.random.effect, twin["random"]),
    ):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("tau2", ["DL", "REML", "ML"])
def test_two_treatments_are_a_pairwise_pool(tau2):
    rng = np.random.default_rng(3)
    y, v = rng.normal(0.3, 0.5, 9), rng.uniform(0.02, 0.2, 9)
    fit = balm.network(study=range(9), treatment_1=["A"] * 9, treatment_2=["B"] * 9, effect=y, variance=v, tau2=tau2)
    pooled = balm.pool(balm.EffectSizes(effect=y, variance=v), tau2=tau2, inference="wald")
    assert fit.tau2.value == pytest.approx(pooled.tau2, rel=1e-9)
    assert fit.compare("A", "B").estimate == pytest.approx(pooled.estimate, rel=1e-10)
    assert fit.compare("A", "B").se == pytest.approx(pooled.se, rel=1e-10)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
@pytest.mark.parametrize("tau2", ["DL", "REML"])
def test_scale_changes_nothing(scale, tau2):
    one, other = fitted(example(1), tau2=tau2), fitted(example(1, scale=scale), tau2=tau2)
    assert other.tau2.value == pytest.approx(one.tau2.value * scale**2, rel=1e-8)
    np.testing.assert_allclose(other.p_scores, one.p_scores, rtol=1e-8)


def test_order_and_direction_of_rows_change_nothing():
    study, a, b, y, v = example(5)
    order = np.random.default_rng(1).permutation(len(y))
    shuffled = [study[i] for i in order], b[order], a[order], -y[order], v[order]
    np.testing.assert_allclose(fitted(shuffled).effect, fitted(example(5)).effect, atol=1e-10)


def test_arms_and_their_contrasts_agree():
    arms = {
        "study": ["1", "1", "1", "2", "2", "3", "3"],
        "treatment": list("ABCABBC"),
        "events": [3, 5, 0, 7, 9, 4, 6],
        "n": [30, 31, 29, 60, 58, 40, 41],
    }
    fit = balm.network("OR", data=arms, treatment="treatment", events="events", n="n", tau2="DL")
    first = balm.effect_sizes("OR", events_1=[3], n_1=[30], events_2=[0], n_2=[29], add=0.5)
    rows = fit.contrasts
    at = (rows.study == 0) & (rows.first == 0) & (rows.second == 2)
    assert float(rows.effect[at][0]) == pytest.approx(float(first.effect[0]), rel=1e-12)
    assert float(rows.variance[at][0]) == pytest.approx(float(first.variance[0]), rel=1e-12)


@pytest.mark.parametrize(
    ("measure", "events", "add", "way"),
    [
        ("OR", [0, 3, 5], 0.0, "give add= above 0"),
        ("RR", [0, 3, 5], 0.0, "give add= above 0"),
        ("RD", [0, 0, 5], 0.0, "give add= above 0"),
        ("RR", [20, 20, 5], 0.5, "take OR or RD"),
    ],
)
def test_a_pair_without_a_standard_error_is_named_and_no_number_comes_of_it(
    measure: str, events: list[int], add: float, way: str
) -> None:
    table = {"study": ["1"] * 3 + ["2"] * 2, "treatment": [*"ABCAB"], "events": [*events, 1, 4], "n": [20] * 5}
    with pytest.raises(InputError, match=rf"study '1': A and B have no {measure} with a standard error.*{way}"):
        balm.network(measure, data=table, treatment="treatment", events="events", n="n", add=add)


def test_studies_without_any_event_are_left_out_and_named():
    arms = {"study": list("112233"), "treatment": list("ABABAB"), "events": [0, 0, 1, 2, 3, 4], "n": [9] * 6}
    fit = balm.network("RR", data=arms, treatment="treatment", events="events", n="n")
    assert fit.left_out == ("1",) and fit.k == 2 and "left out" in repr(fit)


def test_sucra_by_simulation_is_the_p_score():
    fit = fitted(example(2))
    np.testing.assert_allclose(fit.sucra(draws=200_000), fit.p_scores, atol=5e-3)
    np.testing.assert_allclose(fit.rank_chances(draws=1000).sum(axis=1), 1.0)


def test_better_turns_the_ranking_round():
    low, high = fitted(example(2)), fitted(example(2), better="higher")
    np.testing.assert_allclose(low.p_scores + high.p_scores, 1.0)
    assert low.league_table()[0][0] == high.league_table()[-1][-1]


def test_direct_and_indirect_make_the_network_estimate():
    for one in fitted(example(4)).split():
        if one.k and one.proportion < 1:
            assert one.proportion * one.direct + (1 - one.proportion) * one.indirect == pytest.approx(one.effect)


def test_rounded_contrasts_of_one_study_are_taken_as_they_are():
    fit = balm.network(
        study=["1", "1", "1"], treatment_1=list("AAB"), treatment_2=list("BCC"), effect=[1.0, 2.01, 1.0], se=[0.3] * 3
    )
    assert fit.q.q > 0 and fit.q.df == 0


def test_a_disconnected_network_is_one_error_that_names_its_parts():
    with pytest.raises(InputError, match=r"2 parts.*\(1\) A, B: 1 study; \(2\) C, D: 2 studies"):
        balm.network(
            study=["1", "2", "3"],
            treatment_1=["A", "C", "C"],
            treatment_2=["B", "D", "D"],
            effect=[1, 2, 3],
            se=[1] * 3,
        )


GOOD = {
    "study": ["1", "2", "3"],
    "treatment_1": ["A", "A", "B"],
    "treatment_2": ["B", "C", "C"],
    "effect": [1.0, 2.0, 1.0],
    "se": [0.3, 0.3, 0.3],
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"se": [0.3, -0.3, 0.3]}, r"row 2, column se: study '2'.*above 0; got '-0.3'"),
        ({"effect": [1.0, "x", 1.0]}, r"row 2, column effect.*got 'x'"),
        ({"treatment_2": ["A", "C", "C"]}, r"row 1.*compares 'A' with itself"),
        ({"treatment_2": ["B", "", "C"]}, r"row 2, column treatment_2: a name is missing"),
        ({"study": ["1", "1", "3"]}, r"study '1' compares 3 treatments and must bring each of their 3 contrasts"),
        ({"study": ["1", "1", "1"], "effect": [1.0, -2.0, 1.0]}, r"study '1'.*do not add up"),
        ({"study": ["1", "1", "1"], "se": [0.1, 0.1, 3.0]}, r"study '1'.*contradict each other"),
        ({"variance": [1, 1, 1]}, r"give se or variance"),
        ({"tau2": "PM"}, r"tau2 must be one of"),
        ({"tau2": -1.0}, r"tau2 must be a number of 0 or more"),
        ({"model": "fixed"}, r"did you mean 'common'"),
        ({"reference": "Z"}, r"reference must be one of"),
        ({"level": 95}, r"level must lie between 0 and 1"),
        ({"events": [1, 2, 3]}, r"events describes arms"),
        ({"treatment": ["A", "B", "C"]}, r"arms .treatment. or contrasts, not both"),
    ],
)
def test_bad_input_is_one_clear_error(change, said):
    with pytest.raises(InputError, match=said):
        balm.network(**{**GOOD, **change})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"events": [3, 40, 1, 2]}, r"row 2, column events.*got '40'"),
        ({"treatment": list("AABB")}, r"study '1' has two arms of the same treatment"),
        ({"study": list("1233")}, r"study '1' has one arm only"),
        ({"n": None}, r"missing: n"),
        ({"mean": [1, 2, 3, 4]}, r"not mean"),
        ({"events": [0, 0, 0, 0]}, r"no study has an event"),
    ],
)
def test_bad_arms_are_one_clear_error(change, said):
    arms = {"study": list("1122"), "treatment": list("ABAB"), "events": [1, 2, 3, 4], "n": [20] * 4}
    with pytest.raises(InputError, match=said):
        balm.network("OR", **{**arms, **change})


def test_one_study_has_no_heterogeneity_to_estimate():
    fit = balm.network(study=["1"], treatment_1=["A"], treatment_2=["B"], effect=[1.0], se=[0.5])
    assert fit.tau2.value == 0 and fit.q.df == 0 and np.isnan(fit.compare("B").prediction.low)
    assert fit.to_dict()["i2"] is None


def test_names_are_sorted_whatever_their_case():
    assert assembled(["1", "2"], ["b", "A"], ["A", "C"], [1, 1], [1, 1]).treatments == ("A", "b", "C")


@pytest.mark.parametrize("p", [3, 4, 6])
def test_rows_of_a_study_of_several_arms_carry_its_covariance(p):
    from balm.stats.network.rows import rows_of

    rng = np.random.default_rng(p)
    v, y = rng.uniform(0.01, 1.0, p), rng.normal(size=p)
    i, j = np.triu_indices(p, 1)
    names = [f"T{x}" for x in range(p)]
    one = assembled(["1"] * len(i), [names[a] for a in i], [names[b] for b in j], y[i] - y[j], v[i] + v[j])
    rows = rows_of(one)
    # the rows' variances put together give the variance of every contrast, and their values its effect
    back = np.zeros((p, p))
    for vector, variance in zip(rows.vector, rows.variance, strict=True):
        back += variance * np.outer(vector, vector)
    np.testing.assert_allclose(np.diag(back)[i] + np.diag(back)[j] - 2 * back[i, j], v[i] + v[j], rtol=1e-12)
    np.testing.assert_allclose((rows.vector.T @ rows.value)[i] - (rows.vector.T @ rows.value)[j], y[i] - y[j])
    np.testing.assert_allclose(rows.laplacian(1 / rows.variance), np.linalg.pinv(back), atol=1e-9)
    np.testing.assert_allclose(rows.variances(back), rows.variance, rtol=1e-10)


def test_a_network_with_many_more_treatments_than_the_square_holds_is_still_found_connected(monkeypatch):
    from balm.stats.network import connection

    study, a, b, y, v = example(3)
    want = fitted((study, a, b, y, v)).effect
    monkeypatch.setattr(connection, "DENSE", 0)
    np.testing.assert_array_equal(fitted((study, a, b, y, v)).effect, want)


def test_places_that_are_passed_over_hold_no_maximum():
    from balm.stats.network.tau2 import _maximised

    several = looked = 0
    for seed in [*range(60), 93, 216]:
        rng = np.random.default_rng(seed)
        k = int(rng.integers(2, 9))
        values = 10 ** rng.uniform(-3, 2, k)
        squares = rng.chisquare(1, k) * (values + 10 ** rng.uniform(-3, 2))
        places = [0]

        def score(t, values=values, squares=squares, places=places):
            places[0] += 1
            deviance = (squares / (values + t)).sum() + np.log(values + t).sum()
            return float((squares / (values + t) ** 2).sum()), float((1 / (values + t)).sum()), float(deviance)

        everywhere = _maximised(score, float(np.median(values)), "REML", None)
        looked += places[0]
        places[0] = 0
        found = _maximised(score, float(np.median(values)), "REML", float(squares.sum()))
        looked -= places[0]
        assert found.maxima == everywhere.maxima
        assert found.value == pytest.approx(everywhere.value, rel=1e-11, abs=1e-300)
        several += found.maxima > 1
    assert several >= 2
    assert looked > 0


def test_what_the_data_cannot_say_about_heterogeneity_is_said_and_is_no_number():
    one = balm.network(study=["1"], treatment_1=["A"], treatment_2=["B"], effect=[0.1], se=[0.2])
    assert "Network: 1 study," in repr(one)
    assert "neither heterogeneity nor inconsistency can be estimated" in repr(one)
    assert "random effects are the common ones" in repr(one)
    assert "nan" not in repr(one)
    assert "tau2 =" not in repr(one)
    assert one.to_dict()["tau2"] is None
    two = balm.network(
        study=["1", "2"], treatment_1=list("AA"), treatment_2=list("BB"), effect=[0.1, 0.5], se=[0.2, 0.2]
    )
    assert "one degree of freedom" in repr(two)
    assert two.to_dict()["tau2"] == pytest.approx(0.04)
    three = balm.network(
        study=["1", "2", "3"], treatment_1=list("AAA"), treatment_2=list("BBB"), effect=[0.1, 0.5, 0.2], se=[0.2] * 3
    )
    assert three.notes == ()


@pytest.mark.parametrize("se", [1e-200, 1e200])
def test_sizes_whose_squares_have_no_room_are_refused(se):
    with pytest.raises(InputError, match="choose another unit"):
        balm.network(study=["1", "2"], treatment_1=list("AB"), treatment_2=list("BC"), effect=[0.1, 0.2], se=[0.2, se])


def test_arms_whose_squares_have_no_room_are_refused():
    with pytest.raises(InputError, match="choose another unit"):
        balm.network("MD", study=[1, 1], treatment=["A", "B"], mean=[1.0, 2.0], sd=[1e200, 1e200], n=[10, 10])


def test_rows_of_a_study_may_be_apart_and_labels_need_stripping():
    rows = [
        ("s1", "A", "B", 0.3),
        ("s2", "B", "C", 0.1),
        ("s1", "A", "C", 0.5),
        ("s1", "B", "C", 0.2),
        ("s3", "A", "C", 0.9),
    ]
    study, one, two, effect = map(list, zip(*rows, strict=True))
    tidy = balm.network(study=study, treatment_1=one, treatment_2=two, effect=effect, se=[0.2] * 5)
    untidy = balm.network(
        study=[f" {s} " for s in study],
        treatment_1=one,
        treatment_2=[f"{t} " for t in two],
        effect=effect,
        se=[0.2] * 5,
    )
    assert tidy.contrasts.studies == untidy.contrasts.studies == ("s1", "s2", "s3")
    np.testing.assert_array_equal(tidy.effect, untidy.effect)
    numbers = balm.network(
        study=[int(s[1]) for s in study], treatment_1=one, treatment_2=two, effect=effect, se=[0.2] * 5
    )
    assert numbers.contrasts.studies == ("1", "2", "3")
    np.testing.assert_array_equal(tidy.effect, numbers.effect)

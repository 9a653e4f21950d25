"""The order: features, solver, ranking and simulation, each against its definition carried out slowly."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from math import log, sqrt

import numpy as np
import pytest
from scipy import sparse

from balm.review.screening import included_block, simulation
from balm.review.screening.features import features_of
from balm.review.screening.measures import loss, mean_position, ndcg, recall_after, work_saved
from balm.review.screening.ranking import rank
from balm.review.screening.simulation import simulate_screening
from balm.review.screening.solver import C, balanced_weights, solve
from balm.vocabulary.problems import InputError
from balm.vocabulary.record import Record

TEXTS = [
    "Ketamine infusion for chronic pain: a randomised trial.",
    "Chronic pain and ketamine; an infusion trial in adults",
    "",
    "Asthma inhaler, asthma steroids and the ÉTUDE of naïve users",
    "the asthma the inhaler the steroids",
    "ketamine a b c ketamine infusion",
    "Diabetes, diet & sugar in adults",
    "Diet sugar trial",
]


def slow_features(texts: list[str]) -> list[dict[str, float]]:
    counts = []
    for text in texts:
        words = re.findall(r"(?u)\b\w\w+\b", text.lower())
        counts.append(Counter([*words, *(f"{a} {b}" for a, b in pairwise(words))]))
    n, spread = len(texts), Counter(t for c in counts for t in c)
    rows = []
    for count in counts:
        row = {
            t: (1 + log(m)) * (log((1 + n) / (1 + spread[t])) + 1) for t, m in count.items() if spread[t] <= 0.95 * n
        }
        length = sqrt(sum(v * v for v in row.values())) or 1.0
        rows.append({t: v / length for t, v in row.items()})
    return rows


def dots(one: list[dict[str, float]], two: list[dict[str, float]]) -> np.ndarray:
    return np.array([[sum(v * b.get(t, 0.0) for t, v in a.items()) for b in two] for a in one])


def test_features_are_those_of_their_definition():
    found = features_of(TEXTS)
    want = dots(slow_features(TEXTS), slow_features(TEXTS))
    assert np.abs((found.matrix @ found.matrix.T).toarray() - want).max() < 1e-12
    near = (found.shared @ found.by_term).toarray()
    np.fill_diagonal(near, found.own)
    assert np.abs(near - want).max() < 1e-12


def test_terms_of_nearly_every_record_are_left_out():
    texts = [f"pain word{i}" for i in range(40)]
    found = features_of(texts)
    assert found.columns[found.words["pain"]] == -1
    assert np.abs((found.matrix @ found.matrix.T).toarray() - np.eye(40)).max() < 1e-12


def test_a_projected_record_is_the_record():
    found = features_of(TEXTS)
    for i, text in enumerate(TEXTS):
        assert np.abs((found.project(text) - found.matrix[[i]]).toarray()).max() < 1e-12
    assert found.project("entirely different words").nnz == 0


def test_inclusions_weigh_nearly_ten_times_all_exclusions():
    weights = balanced_weights(np.array([True, True, False, False, False]))
    assert weights.sum() == pytest.approx(5)
    assert weights[:2].sum() / weights[2:].sum() == pytest.approx(9.8)


def test_the_solver_finds_the_least_of_its_objective():
    from scipy.optimize import minimize

    rng = np.random.default_rng(2)
    for _ in range(5):
        x = np.column_stack([rng.normal(size=(30, 4)) * 3, np.ones(30)])
        included = x[:, 0] + rng.normal(size=30) > 0.5
        y, weights = np.where(included, 1.0, -1.0), balanced_weights(included)

        def objective(w, x=x, y=y, weights=weights):
            gap = np.maximum(0, 1 - y * (x @ w))
            return w @ w / 2 + C * (weights * gap**2).sum(), w - 2 * C * x.T @ (weights * y * gap)

        best = minimize(objective, np.zeros(5), jac=True, method="BFGS", options={"gtol": 1e-9}).x
        kernel = x @ x.T
        b, f = solve(kernel.__matmul__, kernel.diagonal(), included)
        assert np.abs(f - x @ best).max() < 1e-6
        assert (y * f >= 1).any()  # some lie outside the margin, so the active set was at work
        again, _ = solve(kernel.__matmul__, kernel.diagonal(), included, start=b, fitted=f)
        assert np.abs(again - b).max() < 1e-8


def records() -> list[Record]:
    return [Record(f"r{i}", title=t) for i, t in enumerate(TEXTS)]


def test_without_anything_the_order_is_chance_and_repeats():
    one, two = rank(records(), seed=3), rank(records(), seed=3)
    assert one.basis == "chance" and one.ids == two.ids
    assert rank(records(), seed=4).ids != one.ids
    assert rank(records(), {"r0": "exclude"}).basis == "chance"


def test_the_question_is_enough_to_start():
    found = rank(records(), question="asthma inhaler")
    assert found.basis == "likeness" and set(found.ids[:2]) == {"r3", "r4"}
    assert rank(records(), {"r0": "exclude"}, question="asthma inhaler").basis == "decisions"


def test_a_question_without_a_known_word_is_chance():
    assert rank(records(), question="xylophone").basis == "chance"


def test_decisions_order_the_rest():
    found = rank(records(), {"r0": "include", "r3": "exclude"})
    assert found.basis == "decisions" and set(found.ids[:2]) == {"r1", "r5"}
    assert "r0" not in found.ids and len(found) == 6
    assert rank(records(), {0: "maybe", 3: 0}).ids == found.ids
    assert rank(records(), ["include", None, None, "exclude", None, None, None, None]).ids == found.ids


def test_an_undone_decision_leaves_no_trace():
    plain = rank(records(), {"r0": "include", "r3": "exclude"})
    other = rank(records(), dict(reversed({"r0": "include", "r3": "exclude"}.items())), features=features_of(TEXTS))
    assert plain.ids == other.ids and np.array_equal(plain.scores, other.scores)


def test_the_block_of_the_included_changes_the_way_and_not_the_order():
    rng = np.random.default_rng(4)
    vocabulary = [f"word{i}" for i in range(400)]
    common = 1 / np.arange(1, 401)
    texts = [" ".join(rng.choice(vocabulary, 30, p=common / common.sum())) for _ in range(500)]
    decisions = {i: int(i % 9 == 0) for i in range(300)}
    features = features_of(texts)
    found = rank(texts, decisions, features=features)
    rows, included = features.matrix[:300], np.array([i % 9 == 0 for i in range(300)])
    kernel = (rows @ rows.T).toarray() + 1.0
    b, _ = solve(kernel.__matmul__, kernel.diagonal(), included)
    plain = np.asarray(features.matrix[300:] @ (rows.T @ b)) + b.sum()
    assert found.order.tolist() == (300 + np.argsort(-plain, kind="stable")).tolist()
    assert np.abs(found.scores - np.sort(plain)[::-1]).max() < 1e-9
    assert np.array_equal(rank(texts, decisions, features=features).scores, found.scores)


def test_the_block_is_of_the_active_included_and_has_a_limit(monkeypatch):
    rng = np.random.default_rng(9)
    matrix = sparse.csr_array(np.abs(rng.normal(size=(12, 5))))
    diagonal = np.asarray((matrix * matrix).sum(axis=1)).ravel() + 1.0
    included = np.arange(12) < 4
    active, ridge, residual = np.arange(12) != 1, np.linspace(0.5, 2, 12), rng.normal(size=12)
    nearby = included_block.included_block(matrix, diagonal, included)
    found = nearby(active, ridge)(residual)
    block = [0, 2, 3]
    kernel = (matrix[block] @ matrix[block].T).toarray() + 1.0 + np.diag(ridge[block])
    assert np.abs(kernel @ found[block] - residual[block]).max() < 1e-12
    assert np.allclose(found[4:], residual[4:] / (diagonal + ridge)[4:])
    monkeypatch.setattr(included_block, "MOST", 3)
    assert included_block.included_block(matrix, diagonal, included) is None


@pytest.mark.parametrize(
    "decisions, said",
    [({"r99": 1}, "no record 'r99'"), ({"r1": "perhaps"}, "include, maybe or exclude"), ([1], "one a record")],
)
def test_wrong_decisions_are_named(decisions, said):
    with pytest.raises(InputError, match=said):
        rank(records(), decisions)


def made(n: int = 120) -> tuple[list[str], list[int]]:
    rng = np.random.default_rng(8)
    labels = [int(i % 12 == 0) for i in range(n)]
    common = [f"word{i}" for i in range(60)]
    own = [f"pain{i}" for i in range(8)]
    return [" ".join(rng.choice(common + own * (5 if y else 1), 25)) for y in labels], labels


def slow_order(texts: list[str], labels: list[int], yes: int, no: int) -> list[int]:
    """Every step anew, with the whole kernel and to full accuracy."""
    rows = slow_features(texts)
    kernel = dots(rows, rows) + 1
    known, order = [yes, no], []
    while sum(labels[i] for i in known) < sum(labels):
        sub = kernel[np.ix_(known, known)]
        b, _ = solve(sub.__matmul__, sub.diagonal(), np.array([labels[i] == 1 for i in known]))
        scores = kernel[:, known] @ b
        scores[known] = -np.inf
        order.append(int(np.argmax(scores)))
        known.append(order[-1])
    return order


def test_a_simulation_reads_in_the_order_of_full_training_at_each_step(monkeypatch):
    texts, labels = made()
    want = slow_order(texts, labels, 0, 1)
    done = simulate_screening(texts, labels, prior_included=0, prior_excluded=1)
    assert done.order[: done.read].tolist() == want
    assert sorted([*done.order.tolist(), 0, 1]) == list(range(len(texts)))
    monkeypatch.setattr(simulation, "MOST_BYTES", 0)  # the way of large sets, without a stored kernel
    assert simulate_screening(texts, labels, prior_included=0, prior_excluded=1).order[: done.read].tolist() == want


def test_a_simulation_repeats_and_follows_its_seed():
    texts, labels = made()
    features = features_of(texts)
    one, two = (simulate_screening(features, labels, seed=5, schedule="5%") for _ in range(2))
    assert np.array_equal(one.order, two.order)
    seeds = {simulate_screening(features, labels, seed=s).prior_included for s in range(6)}
    assert len(seeds) > 1
    assert one.to_dict()["n_included"] == sum(labels)


@pytest.mark.parametrize(
    "options, said",
    [
        ({"prior_included": 1}, "not"),
        ({"prior_excluded": 999}, "position from 0"),
        ({"prior_included": [0, 0]}, "twice"),
        ({"schedule": "often"}, "schedule must be"),
        ({"labels": [1] * 120}, "no record is excluded"),
        ({"labels": [1, 0]}, "one a record"),
        ({"labels": ["?"] * 120}, "label must be"),
    ],
)
def test_wrong_input_of_a_simulation_is_named(options, said):
    texts, labels = made()
    with pytest.raises(InputError, match=said):
        simulate_screening(texts, options.pop("labels", labels), **options)


def test_measures_of_an_order_by_hand():
    found = [True, False, True, False, False, False, False, False, True, False]
    assert work_saved(found) == pytest.approx(0.95 - 9 / 10)
    assert work_saved(found, 2 / 3) == pytest.approx(2 / 3 - 3 / 10)
    assert recall_after(found, 0.3) == pytest.approx(2 / 3)
    assert mean_position(found) == pytest.approx((1 + 3 + 9) / 30)
    assert loss(found) == pytest.approx((13 - 6) / 21)
    ideal = 1 / np.log2([2, 3, 4])
    assert ndcg(found) == pytest.approx((1 / np.log2([2, 4, 10])).sum() / ideal.sum())


def test_without_inclusions_there_is_nothing_to_measure():
    for measure in (work_saved, recall_after, mean_position, loss, ndcg):
        assert np.isnan(measure([False, False]))


def test_words_of_scripts_without_blanks_are_found():
    """A question in Chinese or Japanese ranks by its parts: a whole title would be one word, and the order chance."""
    records = [
        Record("1", title="Asthma in children"),
        Record("2", title="哮喘患儿的护理"),
        Record("3", title="氯胺酮治疗慢性疼痛的临床研究"),
        Record("4", title="ケタミンによる慢性疼痛の治療"),
    ]
    assert rank(records, question="氯胺酮 疼痛").ids[:2] == ("3", "4")
    assert rank(records, question="ケタミン").ids[0] == "4"
    assert rank(records, {"3": "include", "1": "exclude"}).ids[0] == "4"


def test_records_that_cannot_be_told_apart_or_read_are_refused():
    twice = [Record("a", title="Ketamine"), Record("a", title="Asthma"), Record("b", title="Pain")]
    with pytest.raises(InputError, match="several records go by the id 'a'; name them by position"):
        rank(twice, {"a": "include"})
    assert rank(twice, {0: "include", "b": "exclude"}).ids == ("a",)
    with pytest.raises(InputError, match="records must be records or texts; got None"):
        rank(["ketamine", None, "pain"], {0: "include"})

"""Contributions and evidence flow: against every path written out, and what must hold in any network."""

from __future__ import annotations

import numpy as np
import pytest

import balm
from balm.stats.network.contributions import along_random_walks, along_shortest_paths
from balm.vocabulary.problems import InputError
from tests.unit.stats.test_network import example, fitted


def paths_of(flow, ends, source, sink):
    """Every path that follows the flow, as numbers of edges."""
    out = {}
    for e, (i, j) in enumerate(zip(*ends, strict=True)):
        if abs(flow[e]) > 1e-10:
            tail, head = (i, j) if flow[e] > 0 else (j, i)
            out.setdefault(tail, []).append((head, e))
    waiting, found = [(source, [])], []
    while waiting:
        node, path = waiting.pop()
        if node == sink:
            found.append(path)
        else:
            waiting += [(head, [*path, e]) for head, e in out.get(node, [])]
    return found, out


@pytest.mark.parametrize("seed", range(6))
def test_random_walks_are_all_paths_by_their_probability(seed):
    study, a, b, y, v = example(seed, n=7, k=20)
    two = [study.count(s) == 1 for s in study]
    fit = fitted(([s for s, k in zip(study, two, strict=True) if k], a[two], b[two], y[two], v[two]))
    hat = fit.hat_matrix()
    names = list(fit.treatments)
    ends = tuple(np.array([names.index(c.split(":")[side]) for c in hat["columns"]]) for side in (0, 1))
    for flow, row in zip(hat["values"], hat["rows"], strict=True):
        source, sink = (names.index(t) for t in row.split(":"))
        paths, out = paths_of(flow, ends, source, sink)
        want = np.zeros(len(flow))
        for path in paths:
            chance = 1.0
            for e in path:
                tail = ends[0][e] if flow[e] > 0 else ends[1][e]
                chance *= abs(flow[e]) / sum(abs(flow[f]) for _, f in out[tail])
            want[path] += chance / len(path)
        np.testing.assert_allclose(along_random_walks(flow, ends, len(names), source, sink), want, atol=1e-12)


def test_a_shortest_path_goes_first():
    # A to D: a direct path, one over B, and one over B and C that shares a comparison with each
    ends = np.array([0, 0, 1, 1, 2]), np.array([3, 1, 3, 2, 3])
    share = along_shortest_paths(np.array([0.5, 0.5, 0.2, 0.3, 0.3]), ends, 4, 0, 3)
    np.testing.assert_allclose(share, [0.5, 0.1 + 0.1, 0.1, 0.1, 0.1])


def test_of_equally_short_paths_the_one_over_the_treatment_named_first_goes_first():
    # 0 to 5 over 1 or 2 to 3, and from there straight on or over 4: both want the straight way, which carries half
    def share(first: int, second: int):
        ends = np.array([0, 0, first, second, 3, 3, 4]), np.array([first, second, 3, 3, 4, 5, 5])
        return along_shortest_paths(np.array([0.6, 0.4, 0.6, 0.4, 0.5, 0.5, 0.5]), ends, 6, 0, 5)

    # the first takes the short way (three comparisons) as far as it goes, the rest has four
    want = [0.5 / 3 + 0.1 / 4, 0.4 / 4, 0.5 / 3 + 0.1 / 4, 0.4 / 4, 0.5 / 4, 0.5 / 3, 0.5 / 4]
    np.testing.assert_allclose(share(1, 2), want)
    np.testing.assert_allclose(share(2, 1), want)  # numbers of treatments do not matter, the list does


@pytest.mark.parametrize("method", ["shortest-path", "random-walk"])
@pytest.mark.parametrize("model", ["random", "common"])
def test_shares_add_up_over_comparisons_and_studies(method, model):
    fit = fitted(example(3), model=model)
    found = fit.contributions(method)
    for table in (found.values, found.by_study):
        assert table.min() >= 0.0
        np.testing.assert_allclose(table.sum(axis=1), 1.0)
    assert found.by_study.shape == (15, fit.k) and found.studies == fit.contrasts.studies
    part = fit.contributions(method, against="T2")
    assert len(part.rows) == 5
    np.testing.assert_allclose(part.values, found.values[[found.rows.index(r) for r in part.rows]])


def test_only_the_studies_of_a_chain_count_and_by_their_weight():
    fit = balm.network(
        study=["1", "2", "3"],
        treatment_1=["A", "A", "B"],
        treatment_2=["B", "B", "C"],
        effect=[1.0, 1.0, 2.0],
        variance=[1.0, 3.0, 1.0],
        model="common",
    )
    found = fit.contributions()
    assert found.of("C", "A") == pytest.approx({"A:B": 0.5, "B:C": 0.5})
    np.testing.assert_allclose(found.by_study[found.rows.index("A:C")], [0.375, 0.125, 0.5])
    chain = {(o.treatment_1, o.treatment_2): o for o in fit.evidence_flow()}["A", "C"]
    assert (chain.proportion, chain.mean_path, chain.parallelism) == pytest.approx((0.0, 2.0, 1.0))
    assert list(found.to_frame()) == ["comparison", "A:B", "B:C"]


def test_evidence_flow_is_that_of_the_hat_matrix_between_two_arm_studies():
    study, a, b, y, v = example(8)
    two = [study.count(s) == 1 for s in study]
    fit = fitted(([s for s, k in zip(study, two, strict=True) if k], a[two], b[two], y[two], v[two]))
    hat = fit.hat_matrix()
    for one, row, name in zip(fit.evidence_flow(), np.abs(hat["values"]), hat["rows"], strict=True):
        assert one.mean_path == pytest.approx(row.sum()) and one.parallelism == pytest.approx(1 / row.max())
        assert one.proportion == pytest.approx(row[hat["columns"].index(name)] if name in hat["columns"] else 0.0)
        assert one.parallelism_by_study >= one.parallelism - 1e-9


def test_what_is_not_there_is_named():
    fit = fitted(example(3))
    with pytest.raises(InputError, match="shortest-path"):
        fit.contributions("cccp")
    with pytest.raises(InputError, match="against"):
        fit.contributions(against="Z")
    with pytest.raises(InputError, match="no estimate of 'T1' against 'Z'"):
        fit.contributions().of("T1", "Z")

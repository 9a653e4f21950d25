"""Networks through the compiled kernel equal their NumPy twins: rows, solutions, tables, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import pytest

from balm.stats import kernel
from balm.stats.network import compiled
from balm.stats.network.contrasts import assembled, read_contrasts
from balm.stats.network.network import Network, network
from balm.stats.network.rows import rows_of
from balm.vocabulary.problems import InputError

T = TypeVar("T")
pytestmark = pytest.mark.skipif(not kernel.available(), reason="the kernel was not built: no C compiler at install")


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], T]], T]]:
    def without(task: Callable[[], T]) -> T:
        with monkeypatch.context() as off:
            off.setattr(compiled, "library", lambda: None)
            return task()

    yield without


def random_network(seed: int) -> dict[str, Any]:
    """Studies of two to seven arms, some with equal variances; every third time shuffled, every fourth time rounded."""
    rng = np.random.default_rng(seed)
    n, scale = int(rng.integers(2, 14)), 10.0 ** rng.uniform(-3.0, 3.0)
    truth, rows = rng.normal(size=n), []
    for s in range(int(rng.integers(n, 25))):
        arms = np.array([s, s + 1]) if s < n - 1 else rng.choice(n, int(rng.integers(2, min(n, 7) + 1)), replace=False)
        v = np.full(len(arms), 0.1) if rng.random() < 0.2 else 10.0 ** rng.uniform(-2.0, 1.0, len(arms))
        y = truth[arms] + rng.normal(0.0, np.sqrt(v + 0.05))
        own = []
        for i in range(len(arms)):
            for j in range(i + 1, len(arms)):
                y_ij = float(y[i] - y[j])
                y_ij = round(y_ij, 3) if seed % 4 == 0 else y_ij
                own.append((f"s{s}", f"t{arms[i]}", f"t{arms[j]}", scale * y_ij, scale**2 * float(v[i] + v[j])))
        rows += own
    if seed % 3 == 0:
        rows = [rows[i] for i in rng.permutation(len(rows))]
    columns = "study", "treatment_1", "treatment_2", "effect", "variance"
    return {name: list(column) for name, column in zip(columns, zip(*rows, strict=True), strict=True)}


def apart(one: Any, two: Any) -> float:
    one, two = np.asarray(one, dtype=float), np.asarray(two, dtype=float)
    return float(np.max(np.abs(one - two)) / max(float(np.max(np.abs(two))), 1e-300))


@pytest.mark.parametrize("seed", range(8))
def test_networks_equal_their_twins(seed: int, twin: Callable[[Callable[[], Any]], Any]) -> None:
    given = random_network(seed)
    asked: dict[str, Callable[[Network], Any]] = {
        "q": lambda fit: fit.q.q, "tau2": lambda fit: fit.tau2.value, "effect": lambda fit: fit.effect,
        "se": lambda fit: fit.se, "common": lambda fit: fit.common.variance, "scores": lambda fit: fit.p_scores,
        "determinant": lambda fit: fit.random.log_determinant,
    }  # fmt: skip
    for tau2 in ("DL", "REML"):
        fast, slow = network(**given, tau2=tau2), twin(lambda: network(**given, tau2=tau2))  # noqa: B023
        assert (fast.treatments, fast.contrasts.studies) == (slow.treatments, slow.contrasts.studies)
        assert fast.contrasts.arms.tolist() == slow.contrasts.arms.tolist()
        found = {name: apart(look(fast), twin(lambda: look(slow))) for name, look in asked.items()}  # noqa: B023
        # a tau2 near 0 is a small difference, and the logarithm of a determinant may itself be near 0
        assert {name: x for name, x in found.items() if x > (1e-11 if name in {"tau2", "determinant"} else 1e-12)} == {}


@pytest.mark.parametrize("p", [3, 4, 6])
def test_rows_of_a_study_make_its_own_laplacian(p: int, twin: Callable[[Callable[[], Any]], Any]) -> None:
    rng = np.random.default_rng(p)
    v, y = rng.uniform(0.1, 2.0, p), rng.normal(size=p)
    pairs = [(i, j) for i in range(p) for j in range(i + 1, p)]
    one, two = [f"t{i}" for i, _ in pairs], [f"t{j}" for _, j in pairs]
    given = assembled(["s"] * len(pairs), one, two, [y[i] - y[j] for i, j in pairs], [v[i] + v[j] for i, j in pairs])
    fast, slow = rows_of(given), twin(lambda: rows_of(given))
    weight = 1.0 / v
    want = np.diag(weight) - np.outer(weight, weight) / weight.sum()
    for rows in (fast, slow):
        assert apart(rows.laplacian(1.0 / rows.variance), want) < 1e-13
        assert apart(rows.current(1.0 / rows.variance), want @ y) < 1e-13
    assert apart(np.sort(fast.variance), np.sort(slow.variance)) < 1e-13


@pytest.mark.parametrize(
    "names",
    [
        ["a", "b", "a"],
        [" a", "a", "b"],
        ["a\t", "a", "b"],
        ["\u00e9a", "a\u00e9", "\u00a0a"],
        ["a\0b", "a", "b"],
        ["a\ud800b", "a\u00dfb", "ab"],
        [1, 2, 1],
        [1.0, "1.0", "x"],
    ],
)
def test_names_are_read_alike(names: list[Any], twin: Callable[[Callable[[], Any]], Any]) -> None:
    columns: dict[str, Any] = {"treatment_1": ["P", "p", "Q"], "treatment_2": ["q", "Q", "r"]}
    columns |= {"effect": [0.1, 0.2, 0.3], "variance": [1.0, 2.0, 3.0]}
    for given in (
        {"study": names, **columns},
        {**columns, "study": ["1", "2", "3"], "treatment_1": names, "treatment_2": ["x", "y", "z"]},
    ):
        found: list[Any] = []
        for task in (lambda: read_contrasts(**given), lambda: twin(lambda: read_contrasts(**given))):  # noqa: B023
            try:
                read = task()
                found.append((read.treatments, read.studies, read.study.tolist(), read.first.tolist()))
            except InputError as problem:
                found.append(str(problem))
        assert found[0] == found[1]


@pytest.mark.parametrize(
    ("one", "two", "effect", "variance", "says"),
    [
        ("A A B", "B C A", [1.0, 2.0, 1.0], [1.0, 1.0, 1.0], "each of their 3 contrasts"),
        ("A A", "B C", [1.0, 2.0], [1.0, 1.0], "each of their 3 contrasts"),
        ("A A B C", "B C C D", [1.0, 2.0, 1.0, 0.0], [1.0] * 4, "each of their 6 contrasts"),
        ("A A B", "B C C", [1.0, 2.0, -1.0], [0.01, 0.01, 0.01], "do not add up"),
        ("A A B", "B C C", [1.0, 2.0, 1.0], [1.0, 1.0, 9.0], "contradict each other"),
        ("A A A B B C", "B C D C D D", [1.0, 2.0, 3.0, 1.0, 2.0, 1.0], [1.0, 1.0, 1.0, 9.0, 1.0, 1.0], "contradict"),
    ],
)
def test_the_kernel_leaves_what_is_wrong_to_be_said(
    one: str, two: str, effect: list[float], variance: list[float], says: str
) -> None:
    rows = len(effect)
    given: dict[str, Any] = {"study": ["s"] * rows, "treatment_1": one.split(), "treatment_2": two.split()}
    with pytest.raises(InputError, match=says):
        network(**given, effect=effect, variance=variance)


def test_a_network_in_parts_is_named_by_the_kernel_too() -> None:
    with pytest.raises(InputError, match=r"2 parts .*\(1\) A, B: 1 study; \(2\) C, D: 1 study"):
        network(study=["1", "2"], treatment_1=["A", "C"], treatment_2=["B", "D"], effect=[0.0, 0.0], se=[1.0, 1.0])

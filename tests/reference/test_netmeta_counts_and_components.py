"""Component networks, Mantel-Haenszel and conditional networks against golden results."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from balm.stats.network.components import component_network
from balm.stats.network.events import count_network
from tests.reference.golden import close, golden_files, load

COUNTS = [f for f in golden_files("netmeta") if f.values[0] is None or f.values[0].stem.startswith("netmetabin__")]
COMPONENTS = [f for f in golden_files("netmeta") if f.values[0] is None or f.values[0].stem.startswith("netcomb__")]
METHODS = {"MH": "mantel-haenszel", "NCH": "conditional-approximate"}


@pytest.mark.parametrize("path", COUNTS)
def test_counts(path: Path) -> None:
    golden = load(path)
    e = golden["effects"]
    arms: dict[tuple[str, str], tuple[float, float]] = {}
    columns = (e[name] for name in ("studlab", "treat1", "treat2", "event1", "n1", "event2", "n2"))
    for s, t1, t2, a1, n1, a2, n2 in zip(*columns, strict=True):
        arms[str(s), str(t1)] = (a1, n1)
        arms[str(s), str(t2)] = (a2, n2)
    wrong: list[Any] = []
    for case in golden["cases"]:
        fit = count_network(
            study=[s for s, _ in arms],
            treatment=[t for _, t in arms],
            events=[a for a, _ in arms.values()],
            n=[n for _, n in arms.values()],
            method=METHODS[case["input"]["method"]],
        )
        got = {"treatments": list(fit.treatments), "TE_common": fit.effect.tolist(), "seTE_common": fit.se.tolist()}
        got["k"] = fit.k
        if fit.inconsistency is not None:
            got |= {"Q_inconsistency": fit.inconsistency.q, "df_Q_inconsistency": fit.inconsistency.df}
        for field, want in case["output"].items():
            if field in got:
                same = got[field] == want if field == "treatments" else close(got[field], want, case["tol"])
                if not same and not (case["id"] == "NCH" and field == "TE_common" and higher(arms, fit, want)):
                    wrong.append((case["id"], field, got[field], want))
    assert not wrong, wrong


def higher(arms: dict[tuple[str, str], tuple[float, float]], fit: Any, want: list[list[float]]) -> bool:
    """Whether our maximum of the multinomial likelihood is above that of an optimiser that stopped short of it."""
    return likelihood(arms, fit, fit.effect[:, 0]) > likelihood(arms, fit, [row[0] for row in want])


def likelihood(arms: dict[tuple[str, str], tuple[float, float]], fit: Any, theta: Any) -> float:
    value = dict(zip(fit.treatments, theta, strict=True))
    total = 0.0
    for study in {s for s, _ in arms} - {*fit.left_out}:
        own = [(a, n, value[t]) for (s, t), (a, n) in arms.items() if s == study]
        total += sum(a * x for a, _, x in own)
        total -= sum(a for a, _, _ in own) * math.log(sum(n * math.exp(x) for _, n, x in own))
    return total


@pytest.mark.parametrize("path", COMPONENTS)
def test_components(path: Path) -> None:
    golden = load(path)
    e = golden["effects"]
    wrong: list[Any] = []
    for case in golden["cases"]:
        fit = component_network(
            study=[str(s) for s in e["studlab"]],
            treatment_1=e["treat1"],
            treatment_2=e["treat2"],
            effect=e["TE"],
            se=e["seTE"],
            inactive=case["input"]["inactive"],
        )
        got = {
            "comp_common": fit.common.tolist(),
            "comp_se_common": fit.common_se.tolist(),
            "comp_random": fit.random.tolist(),
            "comp_se_random": fit.random_se.tolist(),
            "Q_additive": fit.q.q,
            "df_Q_additive": fit.q.df,
            "tau": fit.tau2**0.5,
        }
        names = case["output"]["components"]
        for field, want in case["output"].items():
            if field in got:
                if isinstance(want, list):
                    want = [w for w, name in zip(want, names, strict=True) if name in fit.components]
                if not close(got[field], want, case.get("tol") or 1e-8):
                    wrong.append((case["id"], field, got[field], want))
        assert [n for n in names if n in fit.components] == list(fit.components)
    assert not wrong, wrong

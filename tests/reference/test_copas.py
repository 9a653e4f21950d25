"""Copas selection models of R's metasens, at the chances of selection that its own numbers tell.

A row prints the chance of the least precise study and the expected number of unpublished studies; together they are one
pair (gamma0, gamma1), at which ours is fitted. Where the means differ, the likelihood decides: even the best of
everything else cannot lift that of the reference's mean to ours.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from balm.stats.effect_sizes import EffectSizes
from balm.stats.selection.copas import CERTAIN, CopasRow, copas
from balm.stats.selection.copas_likelihood import MOST_RHO, CopasLikelihood
from tests.reference.golden import close, golden_files, load

FILES = [p for p in golden_files("meta_pkg") if p.values[0] is None or "metagen" in p.id]
#: A mean of the reference that is this far from ours, with a lower likelihood, is one where it stopped on the way.
BESIDE_MAXIMUM = 1e-4
#: The line that is found here lies beside the reference's where its surface has lower maxima; that far the mean may go.
BESIDE = 0.005


def pair(s: Any, chance: float, unpublished: float) -> tuple[float, float]:
    """(gamma0, gamma1) under which the least precise study is seen with ``chance`` and so many are not."""
    u, largest = float(ndtri(chance)), float(s.max())

    def beyond(gamma1: float) -> float:
        seen = ndtr(u + gamma1 * (1.0 / s - 1.0 / largest))
        return float(np.sum((1.0 - seen) / seen)) - unpublished

    gamma1 = float(brentq(beyond, 0.0, 1e3 * largest, xtol=1e-14))
    return u - gamma1 / largest, gamma1


@pytest.mark.parametrize("path", FILES)
def test_against_metasens(path: Path) -> None:
    golden = load(path)
    effects = golden["effects"]
    es = EffectSizes(effect=effects["yi"], variance=effects["vi"])
    for case in [case for case in golden["cases"] if case["analysis"] == "copas"]:
        want, tol = case["output"], case["tol"]
        assert want["publprob"][0] == 1 and want["N_unpubl"][0] == 0
        printed = list(zip(want["publprob"][1:], want["N_unpubl"][1:], strict=True))
        found = copas(es, chances=[pair(es.se, *row) for row in printed])
        wrong: list[Any] = []
        for i, row in enumerate(found.rows):
            wrong += [
                (name, i, got, want[name][i])
                for name, got in (("publprob", row.chance), ("N_unpubl", row.unpublished))
                if not close(got, want[name][i], tol)
            ]
            mean = want["slope_TE"][i]
            if not close(row.estimate, mean, tol):
                if not_higher(found.missing, es, row, mean):
                    wrong.append(("slope_TE", i, row.estimate, mean))
            elif (
                # Once the reference stopped on the way, beside the maximum (1.7e-4 of the mean); its error is of there.
                (i == 0 or row.rho < MOST_RHO)
                and not close(row.se, want["slope_seTE"][i], tol)
                and (abs(row.estimate - mean) < BESIDE_MAXIMUM or not_higher(found.missing, es, row, mean))
            ):
                wrong.append(("slope_seTE", i, row.se, want["slope_seTE"][i]))
        chosen = None if want["TE_adjust"] is None else want["slope_TE"].index(want["TE_adjust"])
        assert found.adjusted == chosen
        if chosen is None:
            close(found.estimate, want["TE_adjust"], tol)
            assert math.isnan(found.estimate)
        assert not wrong, wrong


def not_higher(missing: str, es: EffectSizes, row: CopasRow, mean: float) -> bool:
    sign = 1.0 if missing == "left" else -1.0
    u = np.full(len(es), CERTAIN) if row.chance == 1.0 else row.gamma0 + row.gamma1 / es.se
    likelihood = CopasLikelihood(sign * es.effect, es.se, u)
    return not likelihood.profile(sign * mean) < row.log_likelihood - 1e-9


@pytest.mark.parametrize("path", [p for p in FILES if p.values[0] is None or "bcg" in p.id or "pritz" in p.id])
def test_the_line_is_the_reference_s_where_its_surface_is_smooth(path: Path) -> None:
    """Two files whose contours do not hang on lower maxima: the line and the levels on it, from the data alone."""
    golden = load(path)
    effects = golden["effects"]
    (want,) = [case["output"] for case in golden["cases"] if case["analysis"] == "copas"]
    es = EffectSizes(effect=effects["yi"], variance=effects["vi"])
    found = copas(es)
    assert found.surface is not None
    gamma = [pair(es.se, *row) for row in zip(want["publprob"][1:], want["N_unpubl"][1:], strict=True)]
    slope = (gamma[-1][1] - gamma[0][1]) / (gamma[-1][0] - gamma[0][0])
    assert found.surface.slope == pytest.approx(slope, rel=1e-3)
    means = [row.estimate for row in found.rows]
    assert len(means) == len(want["slope_TE"])
    assert np.max(np.abs(np.array(means) - want["slope_TE"])) < BESIDE
    assert found.estimate == pytest.approx(want["TE_adjust"], abs=1e-3)
    assert found.se == pytest.approx(want["seTE_adjust"], abs=1e-3)

"""H2 antagonists in acute upper gastrointestinal bleeding: Collins & Langman (1985), N Engl J Med 313:660, by Peto.

Analysis: Collins & Langman 1985 (N Engl J Med 313:660), the trials of van Houwelingen, Zwinderman & Stijnen 1993 (Stat
    Med 12:2273)
Where: tables 1 and 2 of 1985 as R's metadat keeps them (`dat.collins1985a`)
Compared: Peto's odds ratio of rebleeding, operation and death; the exact conditional models of 1993 for rebleeding
Figures: of 1993 pp. 2275 and 2277 as the test of metafor-project.org/doku.php/analyses:vanhouwelingen1993 checks them;
    those of 1985 not seen; R metafor 3.8
Page: worked-examples/h2-antagonists.md
"""

from __future__ import annotations

import pytest

from balm.stats.glmm.glmm import glmm
from balm.stats.pooling.peto import peto

REBLEEDING = {
    "events_1": [8, 11, 5, 2, 12, 9, 7, 5, 0, 9, 10, 44, 0, 1, 4, 14, 50, 3, 6, 16, 16, 6, 11, 3, 2],
    "n_1": [50, 56, 18, 14, 33, 40, 20, 46, 18, 45, 21, 153, 14, 10, 24, 78, 259, 10, 31, 51, 106, 33, 36, 34, 15],
    "events_2": [16, 12, 1, 6, 10, 11, 8, 12, 3, 3, 8, 30, 0, 4, 5, 21, 51, 1, 12, 15, 15, 7, 5, 13, 3],
    "n_2": [50, 53, 12, 15, 36, 48, 20, 47, 19, 43, 19, 132, 14, 9, 24, 80, 260, 11, 29, 54, 107, 39, 26, 31, 14],
}
OPERATION = {
    "events_1": [5, 6, 2, 8, 15, 2, 5, 6, 0, 2, 2, 11, 5, 34, 2, 4, 7, 2, 6, 10, 3, 0],
    "n_1": [50, 56, 14, 58, 40, 20, 46, 45, 21, 14, 24, 78, 75, 259, 10, 31, 51, 106, 33, 36, 34, 15],
    "events_2": [12, 7, 3, 8, 16, 3, 6, 1, 0, 5, 3, 15, 17, 38, 0, 5, 6, 7, 7, 3, 8, 0],
    "n_2": [50, 53, 15, 55, 48, 20, 47, 43, 19, 14, 24, 80, 75, 260, 11, 29, 54, 107, 39, 26, 31, 14],
}
DEATH = {
    "events_1": [1, 1, 0, 4, 4, 0, 2, 0, 1, 6, 10, 1, 3, 5, 1, 20, 1, 0, 0, 4, 1, 3, 1, 0],
    "n_1": [50, 56, 14, 58, 40, 20, 46, 18, 45, 21, 153, 14, 24, 78, 75, 259, 10, 31, 51, 106, 33, 36, 34, 15],
    "events_2": [1, 0, 4, 5, 5, 2, 5, 1, 0, 4, 4, 0, 1, 4, 4, 35, 0, 0, 2, 4, 5, 2, 7, 0],
    "n_2": [50, 53, 15, 55, 48, 20, 47, 19, 43, 19, 132, 14, 24, 80, 75, 260, 11, 29, 54, 107, 39, 26, 31, 14],
}


@pytest.mark.parametrize(
    ("trials", "estimate", "se", "q", "k"),
    [
        (REBLEEDING, -0.121554458712, 0.0994998390405, 37.907621219, 24),
        (OPERATION, -0.245790446804, 0.12457312382, 25.4639933108, 20),
        (DEATH, -0.361539647665, 0.163418841743, 27.3342272849, 22),
    ],
    ids=["rebleeding", "operation", "death"],
)
def test_peto(trials: dict[str, list[int]], estimate: float, se: float, q: float, k: int) -> None:
    fit = peto(**trials)
    assert (fit.estimate, fit.se, fit.q) == pytest.approx((estimate, se, q), abs=1e-9)
    assert fit.k == k


def test_conditional_likelihood() -> None:
    """Rebleeding, control against treatment: p. 2275 (common effect) and p. 2277 (normal variation) of 1993."""
    turned = {
        "events_1": REBLEEDING["events_2"],
        "n_1": REBLEEDING["n_2"],
        "events_2": REBLEEDING["events_1"],
        "n_2": REBLEEDING["n_1"],
    }
    common = glmm("OR", studies="conditional", model="common", **turned)
    assert (common.estimate, common.se, common.interval.low) == pytest.approx((0.122, 0.100, -0.074), abs=6e-4)
    assert common.log_likelihood == pytest.approx(-53.679, abs=5e-4)
    varying = glmm("OR", studies="conditional", **turned)
    assert (varying.estimate, varying.se, varying.tau2) == pytest.approx(
        (0.174406208856, 0.136402295429, 0.1192095858), abs=5e-5
    )
    assert varying.log_likelihood == pytest.approx(-52.990086147, abs=1e-8)  # R metafor 3.8
    assert (varying.interval.low, varying.interval.high) == pytest.approx((-0.092, 0.441), abs=1e-3)

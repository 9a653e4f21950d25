"""Deep-brain stimulation in Parkinson's disease, measured up to four times (Ishak et al. 2007, Clin Trials 4:525).

Changes of the motor score at 3, 6 and 12 months and later, of 46 studies. Within a study the estimates are taken to be
correlated by ``0.97 ** distance`` (an assumption: no study reports it), and so are the true effects, with a variance
for each time (heteroscedastic AR(1)).

Analysis: Ishak, Platt, Joseph, Hanley & Caro 2007 (Clin Trials 4:525), meta-analysis of longitudinal studies
Where: the 46 studies as R's metadat keeps them (`dat.ishak2007`)
Compared: means at four times, variances and correlation over time, log-likelihood; AR, HAR and CS structures
Figures: table 1, four columns, as metafor's test of the paper checks them to four decimals (the table prints -27.5 for
    -27.3, 20.4 for 20.3, 22.6 for 22.7 and 31.1 for 31.2); further digits from R metafor 3.8 (optim, BFGS)
Page: worked-examples/brain-stimulation.md
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from balm.stats.dependence.covariance import sampling_covariance
from balm.stats.effect_sizes import EffectSizes
from balm.stats.multilevel.fitted import Multilevel
from balm.stats.multilevel.multilevel import multilevel

ROWS = list(csv.DictReader((Path(__file__).parent / "data" / "ishak2007.csv").read_text("utf-8").splitlines()))
TIME = [int(row["time"]) for row in ROWS]
STUDY = [row["study"] for row in ROWS]


def fit(structure: str | None, *, independent: bool = False) -> Multilevel:
    """The model of correlated times, or random study effects with independent errors where ``structure`` is None."""
    es = EffectSizes(
        effect=[float(row["difference"]) for row in ROWS],
        variance=[float(row["variance"]) for row in ROWS],
        study=STUDY,
    )
    return multilevel(
        es,
        {f"time {t}": [float(x == t) for x in TIME] for t in (1, 2, 3, 4)},
        intercept=False,
        random="time | study" if structure else "study",
        structure=structure,
        V=None if independent or structure is None else sampling_covariance(es, time=TIME, autocorrelation=0.97),
        data={"time": TIME, "study": STUDY},
        inference="wald",
    )


@pytest.mark.parametrize(
    ("structure", "beta", "se", "tau2", "rho", "height"),
    [
        (
            "HAR",
            [-25.9047370547, -27.4608388622, -28.6559373089, -26.4934057958],
            [1.01181829344, 1.140553243, 1.03214889687, 1.38171438161],
            [22.7257480087, 33.7294492305, 26.1425675889, 31.1803166679],
            0.88315309641,
            -231.362359211,
        ),
        (
            "AR",
            [-25.9417843697, -27.393690058, -28.7053632839, -26.3969964828],
            [1.08360083759, 1.05192973149, 1.04979353685, 1.34208165939],
            [26.6874855762],
            0.865613403715,
            -232.270176685,
        ),
        (
            "CS",
            [-25.9418342006, -27.3024428738, -28.656183542, -26.5431265574],
            [1.06503039858, 1.0719053236, 1.0431400826, 1.31447206217],
            [26.807398446],
            0.841990762338,
            -232.808762012,
        ),
    ],
)
def test_correlated_over_time(
    structure: str, beta: list[float], se: list[float], tau2: list[float], rho: float, height: float
) -> None:
    found = fit(structure)
    assert found.log_likelihood == pytest.approx(height, abs=1e-8)
    # the reference's optimiser stops where the likelihood is flat to 1e-14: its parameters are good to about 1e-6
    assert found.beta == pytest.approx(beta, abs=1e-5)
    assert found.se == pytest.approx(se, abs=1e-5)
    assert found.tau2 == pytest.approx(tau2, rel=1e-5)
    assert float(found.rho[0]) == pytest.approx(rho, abs=1e-5)


#: Table 1: means at four times, variances, correlation of the true effects.
TABLE_1 = {
    "time-specific (independence)": (
        [-24.8686, -27.4728, -28.5239, -24.1415],
        [23.0537, 27.8113, 27.6767, 29.9405],
        None,
    ),
    "random study effects": ([-26.2127, -27.1916, -28.5464, -25.6339], [26.6829], None),
    "correlated random time effects": (
        [-25.9578, -27.3100, -28.5543, -25.7923],
        [20.3185, 35.9720, 26.4233, 30.1298],
        1.0,
    ),
    "multivariate model": (
        [-25.9047, -27.4608, -28.6559, -26.4934],
        [22.7258, 33.7295, 26.1426, 31.1803],
        0.8832,
    ),
}


@pytest.mark.parametrize("column", TABLE_1)
def test_table_1(column: str) -> None:
    """Within studies the first three columns take the estimates as independent."""
    beta, variances, rho = TABLE_1[column]
    if column == "random study effects":
        found = fit(None)
        assert found.sigma2 == pytest.approx(variances, abs=1e-3)
    else:
        structure = "DIAG" if rho is None else "HAR"
        found = fit(structure, independent=column != "multivariate model")
        assert found.tau2 == pytest.approx(variances, abs=1e-3)
    assert found.beta == pytest.approx(beta, abs=1e-4)
    if rho is not None:
        assert float(found.rho[0]) == pytest.approx(rho, abs=1e-4)

"""Effects that share people: several treatments against one control group, and two outcomes of the same students.

Gleser & Olkin (2009), The Handbook of Research Synthesis, 2nd ed., ch. 19: table 19.1, three studies with one to three
treatments; two effects that share a control group have the variance of that group as their covariance. The chapter of
the third edition (2019, ch. 13) works coaching for the verbal and the mathematical part of the SAT (tables 13.1, 13.2).

Analysis: Gleser & Olkin 2009, The Handbook of Research Synthesis and Meta-Analysis, 2nd ed., chapter 19; the same
    subject in the 3rd ed. (2019), chapter 13
Where: data of table 19.1 (2nd ed.) as metafor-project.org/doku.php/analyses:gleser2009 lists them; tables 13.1 and 13.2
    (3rd ed.)
Compared: pooled effects of three treatments for RD, OR, RR and AS; two outcomes under five correlations
Figures: 3rd ed.: wviechtb.github.io/meta_analysis_books/cooper2019.html, which notes misprints in table 13.2; 2nd ed.:
    risk differences and odds ratios of pp. 360-363, as the test of
    metafor-project.org/doku.php/analyses:gleser2009 checks them (the chapter subtracts the other way round); the rest
    R metafor 3.8
Page: worked-examples/coaching.md
"""

from __future__ import annotations

import numpy as np
import pytest

from balm.stats.dependence.covariance import sampling_covariance
from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.multilevel.fitted import Multilevel
from balm.stats.multilevel.multilevel import multilevel

#: Study, treatment; events and people under treatment; the same under control.
ARMS = [
    (1, 1, 100, 4000, 40, 1000),
    (1, 2, 150, 4000, 40, 1000),
    (2, 1, 15, 400, 10, 200),
    (3, 1, 40, 1000, 150, 2000),
    (3, 2, 80, 1000, 150, 2000),
    (3, 3, 50, 1000, 150, 2000),
]


def of_the_control_group(measure: str, events: int, n: int) -> float:
    """Its share of the variance of an effect: the covariance of two effects that share it."""
    risk = events / n
    return {
        "RD": risk * (1 - risk) / n,
        "OR": 1 / events + 1 / (n - events),
        "RR": 1 / events - 1 / n,
        "AS": 1 / (4 * n),
    }[measure]


def against_one_control_group(measure: str) -> Multilevel:
    study, treatment, events_1, n_1, events_2, n_2 = (list(c) for c in zip(*ARMS, strict=True))
    es = effect_sizes(measure, study=[str(s) for s in study], events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2)
    v = np.diag(es.variance)
    for i in range(6):
        for j in range(6):
            if i != j and study[i] == study[j]:
                v[i, j] = of_the_control_group(measure, events_2[i], n_2[i])
    return multilevel(
        es,
        {f"treatment {t}": [float(x == t) for x in treatment] for t in (1, 2, 3)},
        intercept=False,
        random=None,
        V=v,
        inference="wald",
    )


@pytest.mark.parametrize(
    ("measure", "beta", "se", "q"),
    [
        (
            "RD",
            [-0.0200162142938, -0.00427970963146, -0.0211418408999],
            [0.00496104994538, 0.00534211660635, 0.00835502764798],
            7.19070922518,
        ),
        (
            "OR",
            [-0.509941400685, -0.00437260272332, -0.430090660648],
            [0.118816526818, 0.108551355538, 0.16439783032],
            2.05632494536,
        ),
        (
            "RR",
            [-0.487536462309, -0.000564438433181, -0.404719261409],
            [0.113453714377, 0.101848705797, 0.155449439118],
            1.89537403672,
        ),
        (
            "AS",
            [-0.0505092657599, -0.00507945077353, -0.0491151497307],
            [0.0120486531785, 0.0123159386337, 0.0185319569882],
            4.26338183944,
        ),
    ],
)
def test_several_treatments_against_one_control_group(
    measure: str, beta: list[float], se: list[float], q: float
) -> None:
    fit = against_one_control_group(measure)
    assert fit.beta == pytest.approx(beta, abs=1e-10)
    assert fit.se == pytest.approx(se, abs=1e-10)
    assert fit.qe == pytest.approx(q, abs=1e-9)


@pytest.mark.parametrize(
    ("measure", "effects", "beta", "covariance", "unit", "q"),
    [
        (
            "RD",  # table 19.2 (p. 360), equations 19.6 to 19.8 (pp. 361-362)
            [0.0150, 0.0025, 0.0125, 0.0350, -0.0050, 0.0250],
            [0.0200, 0.0043, 0.0211],
            [[24.612, 19.954, 13.323], [19.954, 28.538, 13.255], [13.323, 13.255, 69.806]],
            1e-6,
            7.1907,
        ),
        (
            "OR",  # pp. 362-363
            [0.4855, 0.0671, 0.3008, 0.6657, -0.0700, 0.4321],
            [0.5099, 0.0044, 0.4301],
            [[1.412, 0.712, 0.425], [0.712, 1.178, 0.455], [0.425, 0.455, 2.703]],
            1e-2,
            None,
        ),
    ],
)
def test_figures_of_the_chapter(
    measure: str,
    effects: list[float],
    beta: list[float],
    covariance: list[list[float]],
    unit: float,
    q: float | None,
) -> None:
    fit = against_one_control_group(measure)
    assert -fit.effects.effect == pytest.approx(effects, abs=5.001e-5)
    assert -fit.beta == pytest.approx(beta, abs=5.001e-5)
    assert fit.covariance / unit == pytest.approx(np.array(covariance), abs=5.001e-4)
    if q is not None:
        assert fit.qe == pytest.approx(q, abs=5.001e-5)


#: Table 13.1 (3rd ed.): study, effect of coaching, variance; verbal, then mathematical.
VERBAL = [
    *[(1, 0.22, 0.0817), (2, 0.09, 0.0507), (3, 0.14, 0.1045), (4, 0.14, 0.0442), (5, -0.01, 0.0535)],
    *[(6, 0.14, 0.0557), (7, 0.18, 0.0561), (8, 0.01, 0.1151), (9, 0.01, 0.0503), (10, 0.67, 0.1366)],
    *[(11, -0.38, 0.1561), (12, -0.24, 0.1342), (13, 0.29, 0.0620), (22, 0.13, 0.0147), (23, 0.25, 0.0218)],
    *[(24, 0.31, 0.0221), (25, 0.00, 0.1484), (26, 0.13, 0.1216)],
]
MATHS = [
    *[(14, 0.26, 0.0669), (15, -0.41, 0.1352), (16, 0.08, 0.1297), (17, 0.30, 0.0732), (18, -0.53, 0.1482)],
    *[(19, 0.13, 0.1360), (20, 0.26, 0.1344), (21, 0.47, 0.1303), (22, 0.12, 0.0147), (23, 0.06, 0.0216)],
    *[(24, 0.09, 0.0219), (25, 0.07, 0.1484), (26, 0.48, 0.1248)],
]


@pytest.mark.parametrize(
    ("correlation", "maths", "verbal", "printed"),
    [
        (0.0, (0.112484122482, 0.06354260252), (0.154938365421, 0.0528063872066), (0.11, 0.064, 0.15, 0.053)),
        (0.5, (0.0944728931979, 0.0604716833997), (0.157028774407, 0.0518162026602), (0.09, 0.060, 0.16, 0.052)),
        (0.6, (0.0904224460199, 0.0589880334818), (0.157901695652, 0.0513488670628), (0.09, 0.059, 0.16, 0.051)),
        (0.7, (0.0860947840952, 0.0571130303759), (0.158935209411, 0.0507689654045), (0.09, 0.057, 0.16, 0.051)),
        (0.8, (0.081377507198, 0.0547623344568), (0.160099411915, 0.0500594078542), (0.08, 0.055, 0.16, 0.050)),
    ],
)
def test_table_13_2(
    correlation: float, maths: tuple[float, float], verbal: tuple[float, float], printed: tuple[float, ...]
) -> None:
    rows = [*VERBAL, *MATHS]
    is_verbal = [1.0] * len(VERBAL) + [0.0] * len(MATHS)
    es = EffectSizes(effect=[r[1] for r in rows], variance=[r[2] for r in rows], study=[str(r[0]) for r in rows])
    fit = multilevel(
        es,
        {"maths": [1.0 - x for x in is_verbal], "verbal": is_verbal},
        intercept=False,
        random=None,
        V=sampling_covariance(es, correlation=correlation),
        inference="wald",
    )
    assert fit.beta == pytest.approx([maths[0], verbal[0]], abs=1e-10)
    assert fit.se == pytest.approx([maths[1], verbal[1]], abs=1e-10)
    shown = [fit.beta[0], fit.se[0], fit.beta[1], fit.se[1]]
    assert [f"{x:.{d}f}" for x, d in zip(shown, (2, 3, 2, 3), strict=True)] == [
        f"{x:.{d}f}" for x, d in zip(printed, (2, 3, 2, 3), strict=True)
    ]

"""Modified school calendars and achievement: 56 schools in 11 districts (Konstantopoulos 2011, Res Synth Methods 2:61).

Table 4 (three-level model without moderators) and table 5 (year), to the three decimals printed there; further digits
from metafor at machine precision, and clubSandwich for the robust standard error.

Analysis: Konstantopoulos 2011 (Res Synth Methods 2:61)
Where: tables 4 and 5
Compared: three-level model, variances, year as moderator, robust standard errors
Figures: three decimals of the tables; further digits from metafor and clubSandwich
Page: worked-examples/school-calendars.md
"""

from __future__ import annotations

import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.multilevel.cluster_robust import robust
from balm.stats.multilevel.multilevel import multilevel

#: Effect, variance and year of each school, by district (table 1 of the paper).
DISTRICTS: dict[int, list[tuple[float, float, int]]] = {
    11: [(-0.18, 0.118, 1976), (-0.22, 0.118, 1976), (0.23, 0.144, 1976), (-0.3, 0.144, 1976)],
    12: [(0.13, 0.014, 1989), (-0.26, 0.014, 1989), (0.19, 0.015, 1989), (0.32, 0.024, 1989)],
    18: [(0.45, 0.023, 1994), (0.38, 0.043, 1994), (0.29, 0.012, 1994)],
    27: [(0.16, 0.02, 1976), (0.65, 0.004, 1976), (0.36, 0.004, 1976), (0.6, 0.007, 1976)],
    56: [(0.08, 0.019, 1997), (0.04, 0.007, 1997), (0.19, 0.005, 1997), (-0.06, 0.004, 1997)],
    58: [
        (-0.18, 0.02, 1976),
        (0, 0.018, 1976),
        (0, 0.019, 1976),
        (-0.28, 0.022, 1976),
        (-0.04, 0.02, 1976),
        (-0.3, 0.021, 1976),
        (0.07, 0.006, 1976),
        (0, 0.007, 1976),
        (0.05, 0.007, 1976),
        (-0.08, 0.007, 1976),
        (-0.09, 0.007, 1976),
    ],
    71: [(0.3, 0.015, 1997), (0.98, 0.011, 1997), (1.19, 0.01, 1997)],
    86: [
        (-0.07, 0.001, 1997),
        (-0.05, 0.001, 1997),
        (-0.01, 0.001, 1997),
        (0.02, 0.001, 1997),
        (-0.03, 0.001, 1997),
        (0, 0.001, 1997),
        (0.01, 0.001, 1997),
        (-0.1, 0.001, 1997),
    ],
    91: [
        (0.5, 0.01, 2000),
        (0.66, 0.011, 2000),
        (0.2, 0.01, 2000),
        (0, 0.009, 2000),
        (0.05, 0.013, 2000),
        (0.07, 0.013, 2000),
    ],
    108: [(-0.52, 0.031, 2000), (0.7, 0.031, 2000), (-0.03, 0.03, 2000), (0.27, 0.03, 2000), (-0.34, 0.03, 2000)],
    644: [(0.12, 0.087, 1995), (0.61, 0.082, 1995), (0.04, 0.067, 1994), (-0.05, 0.067, 1994)],
}


def schools() -> tuple[EffectSizes, dict[str, list[int]]]:
    rows = [(district, *school) for district, found in DISTRICTS.items() for school in found]
    es = EffectSizes(effect=[r[1] for r in rows], variance=[r[2] for r in rows], study=[str(r[0]) for r in rows])
    return es, {"district": [r[0] for r in rows], "year": [r[3] for r in rows]}


def test_table_4_three_levels() -> None:
    es, data = schools()
    fit = multilevel(es, random="district/effect", data=data, inference="wald")
    assert (fit.estimate, float(fit.se[0])) == pytest.approx((0.184, 0.085), abs=1.0e-3)
    assert fit.sigma2 == pytest.approx([0.065, 0.033], abs=5e-4)
    # metafor, to every digit it prints
    assert (fit.estimate, float(fit.se[0])) == pytest.approx((0.1847132, 0.0845559), abs=5e-8)
    assert fit.sigma2 == pytest.approx([0.0650619, 0.0327365], abs=5e-8)
    assert (fit.qe, fit.qe_df) == (pytest.approx(578.8640, abs=5e-5), 55)
    assert fit.log_likelihood == pytest.approx(-7.9587, abs=5e-5)
    assert fit.residual < 1e-7


def test_the_order_of_rows_does_not_matter() -> None:
    es, data = schools()
    back = list(reversed(range(len(es))))
    ours = multilevel(es, random="district/effect", data=data)
    theirs = multilevel(es[back], random="district/effect", data={n: [v[i] for i in back] for n, v in data.items()})
    assert theirs.estimate == pytest.approx(ours.estimate, rel=1e-12)
    assert theirs.sigma2 == pytest.approx(ours.sigma2, rel=1e-7)


def test_districts_as_compound_symmetry() -> None:
    es, data = schools()
    fit = multilevel(es, random="effect | district", structure="CS", data=data)
    assert (float(fit.tau2[0]), float(fit.rho[0])) == pytest.approx((0.0977985, 0.6652655), abs=5e-8)


def test_profile_intervals_of_the_variances() -> None:
    es, data = schools()
    fit = multilevel(es, random="district/effect", data=data)
    found = [fit.component_interval(name) for name in fit.parameter_names]
    assert [(i.low, i.high) for i in found] == [
        pytest.approx((0.0222397, 0.2072416), abs=5e-7),
        pytest.approx((0.0162653, 0.0628276), abs=5e-7),
    ]


def test_table_5_year() -> None:
    es, data = schools()
    centred = [y - sum(data["year"]) / len(es) for y in data["year"]]
    fit = multilevel(es, {"year": centred}, random="district/effect", data=data, method="REML")
    assert fit["year"].estimate == pytest.approx(0.0053118, abs=5e-7)
    assert (fit["year"].se, fit["year"].p) == pytest.approx((0.0094358, 0.5758034), abs=5e-7)


def test_robust_inference() -> None:
    es, data = schools()
    fit = multilevel(es, random="district/effect", data=data)
    small = robust(fit, "district", data=data)
    assert (float(small.se[0]), float(small.df[0]), float(small.p[0])) == pytest.approx(
        (0.0844580, 9.8632, 0.05397), abs=5e-5
    )
    plain = robust(fit, "district", data=data, kind="CR1", degrees="clusters")
    assert (float(plain.se[0]), float(plain.df[0])) == (pytest.approx(0.0845022, abs=5e-8), 10.0)

"""Missing outcomes: identities with complete tables, errors against differentiation and integration, R's figures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import balm
from balm.stats.missing_outcomes import ASSUMPTIONS, WEIGHTINGS, missing_outcome_analyses, missing_outcomes
from balm.vocabulary.problems import InputError

# Haloperidol against placebo, clinical improvement: Higgins, White & Wood 2008 (metadat's dat.higgins2008).
EVENTS_1 = np.array([25, 29, 12, 3, 10, 11, 7, 8, 19, 1, 11, 20, 17, 4, 2, 11, 9])
FAILED_1 = np.array([25, 18, 17, 9, 11, 8, 18, 9, 45, 9, 23, 9, 1, 10, 14, 1, 20])
MISSING_1 = np.array([2, 22, 1, 0, 0, 0, 1, 0, 2, 0, 3, 0, 11, 0, 0, 0, 1])
EVENTS_2 = np.array([18, 20, 2, 0, 3, 1, 4, 3, 14, 0, 0, 2, 7, 0, 0, 1, 0])
FAILED_2 = np.array([33, 14, 28, 12, 19, 14, 21, 10, 50, 10, 13, 9, 4, 13, 7, 11, 29])
MISSING_2 = np.array([0, 34, 1, 0, 0, 0, 1, 0, 2, 0, 0, 0, 18, 1, 1, 0, 1])
HALOPERIDOL: dict[str, Any] = {
    "events_1": EVENTS_1, "n_1": EVENTS_1 + FAILED_1, "missing_1": MISSING_1,
    "events_2": EVENTS_2, "n_2": EVENTS_2 + FAILED_2, "missing_2": MISSING_2,
}  # fmt: skip
#: Without a zero cell under any assumption.
FULL: dict[str, Any] = {name: values[[0, 1, 2, 6, 8, 12]] for name, values in HALOPERIDOL.items()}
N_1, N_2 = (HALOPERIDOL[f"n_{i}"] + HALOPERIDOL[f"missing_{i}"] for i in (1, 2))


@pytest.mark.parametrize("measure", ["RR", "OR", "RD"])
def test_a_known_imor_of_1_is_the_available_case_analysis(measure: str) -> None:
    seen = balm.effect_sizes(measure, **{n: v for n, v in HALOPERIDOL.items() if "missing" not in n})
    for found in (
        missing_outcomes(measure, **HALOPERIDOL),
        missing_outcomes(measure, "own-risk", **HALOPERIDOL),
        missing_outcomes(measure, "available", **HALOPERIDOL),
        missing_outcomes(measure, imor_1=np.ones(17), weighting="scaled-down", **HALOPERIDOL),
    ):
        assert found.effect == pytest.approx(seen.effect, abs=1e-14)
        assert found.variance == pytest.approx(seen.variance, rel=1e-13)


@pytest.mark.parametrize("measure", ["RR", "OR", "RD"])
@pytest.mark.parametrize(
    ("assumption", "had_1", "had_2"), [("none", 0, 0), ("all", 1, 1), ("best-case", 1, 0), ("worst-case", 0, 1)]
)
def test_an_outcome_that_is_fixed_is_the_complete_table(measure: str, assumption: str, had_1: int, had_2: int) -> None:
    """Its error given what was observed is that of the table as if observed: the missing share is estimated too."""
    whole = balm.effect_sizes(
        measure, events_1=EVENTS_1 + had_1 * MISSING_1, n_1=N_1, events_2=EVENTS_2 + had_2 * MISSING_2, n_2=N_2
    )
    said = {"event": "desirable"} if "case" in assumption else {}
    for weighting in ("observed-information", "as-observed"):
        found = missing_outcomes(measure, assumption, weighting=weighting, **HALOPERIDOL, **said)
        assert found.effect == pytest.approx(whole.effect, abs=1e-13)
        assert found.variance == pytest.approx(whole.variance, rel=1e-12)
    if said:
        other = "worst-case" if assumption == "best-case" else "best-case"
        turned = missing_outcomes(measure, other, event="undesirable", **HALOPERIDOL)
        assert turned.effect == pytest.approx(whole.effect, abs=1e-13)


def test_haloperidol_as_metafor_pools_the_complete_tables() -> None:
    """metafor 3.8: rma(measure="RR", method="EE") of each completed table."""
    found = missing_outcome_analyses(
        "RR", event="desirable", pooling={"model": "common", "inference": "wald"}, **HALOPERIDOL
    )
    for name, log, se in AS_METAFOR:
        assert (found[name].estimate, found[name].se) == pytest.approx((log, se), abs=1e-9), name
    assert list(found.fits) == [a for a in ASSUMPTIONS if a != "imor"]
    assert found["worst-case"].estimate < found["none"].estimate < found["best-case"].estimate
    assert "worst-case" in repr(found) and "RR of 17 studies" in repr(found) and "<pre>" in found._repr_html_()
    assert found.to_frame()["estimate"][0] == pytest.approx(math.exp(found["available"].estimate))


AS_METAFOR = [
    ("available", 0.449180630953, 0.1027127258386),
    ("none", 0.640930412689, 0.1175951364817),
    ("all", 0.145372471618, 0.0565443819372),
    ("best-case", 0.882023285724, 0.1101925381593),
    ("worst-case", -0.057424972199, 0.0890748562408),
]


def risks(theta: Any, mode: str, delta: Any) -> list[float]:
    p1, a1, p2, a2 = theta
    if mode == "imor":
        q1, q2 = (1.0 / (1.0 + math.exp(-(math.log(p / (1.0 - p)) + d))) for p, d in zip((p1, p2), delta, strict=True))
    else:
        q1, q2 = {"control-risk": (p2, p2), "intervention-risk": (p1, p1)}[mode]
    return [(1.0 - a1) * p1 + a1 * q1, (1.0 - a2) * p2 + a2 * q2]


def scale(measure: str, both: list[float]) -> float:
    one = {"RR": math.log, "OR": lambda x: math.log(x / (1.0 - x)), "RD": lambda x: x}[measure]
    return float(one(both[0]) - one(both[1]))


@pytest.mark.parametrize("measure", ["RR", "OR", "RD"])
@pytest.mark.parametrize("mode", ["imor", "control-risk", "intervention-risk"])
def test_the_error_given_what_was_observed_is_that_of_differentiation(measure: str, mode: str) -> None:
    imors = (0.3, 2.5)
    said = {"imor_1": imors[0], "imor_2": imors[1]} if mode == "imor" else {}
    found = missing_outcomes(measure, mode, **FULL, **said)
    delta = [math.log(x) for x in imors]
    for i in range(6):
        e1, n1, m1, e2, n2, m2 = (float(FULL[c][i]) for c in FULL)
        theta = np.array([e1 / n1, m1 / (n1 + m1), e2 / n2, m2 / (n2 + m2)])
        spread = theta * (1.0 - theta) / np.array([n1, n1 + m1, n2, n2 + m2])
        h = 1e-6
        slopes = [
            (scale(measure, risks(theta + h * u, mode, delta)) - scale(measure, risks(theta - h * u, mode, delta)))
            / (2.0 * h)
            for u in np.eye(4)
        ]
        assert found.effect[i] == pytest.approx(scale(measure, risks(theta, mode, delta)), rel=1e-12)
        assert found.variance[i] == pytest.approx(float(np.square(slopes) @ spread), rel=1e-7)


@pytest.mark.parametrize("measure", ["RR", "RD"])
def test_uncertain_imors_are_integrated(measure: str) -> None:
    """Against a fine trapezium over the prior; variance of the effect and mean of its variance add up."""
    sd, rho = (0.8, 1.2), 0.6
    given = {"imor_1": 0.5, "imor_2": 0.7}
    found = missing_outcomes(measure, **given, log_imor_sd_1=sd[0], log_imor_sd_2=sd[1], correlation=rho, **FULL)
    z = np.linspace(-8.0, 8.0, 17)
    weight = np.exp(-0.5 * z * z)
    weight /= weight.sum()
    first, second, own = np.zeros(6), np.zeros(6), np.zeros(6)
    for u, wu in zip(z, weight, strict=True):
        for t, wt in zip(z, weight, strict=True):
            odds = [0.5 * math.exp(sd[0] * u), 0.7 * math.exp(sd[1] * (rho * u + math.sqrt(1 - rho**2) * t))]
            at = missing_outcomes(measure, imor_1=odds[0], imor_2=odds[1], **FULL)
            first, second, own = (
                first + wu * wt * at.effect,
                second + wu * wt * at.effect**2,
                own + wu * wt * at.variance,
            )
    assert found.effect == pytest.approx(first, abs=1e-6)
    assert found.variance == pytest.approx(own + second - first**2, rel=1e-5)
    # Taylor's series leaves out how the error of the assumed risks varies over the prior; held, the two agree.
    tiny: dict[str, Any] = {"log_imor_sd_1": 0.01, "log_imor_sd_2": 0.02, "correlation": -0.5, "weighting": "available"}
    exact = missing_outcomes(measure, **given, **tiny, **FULL)
    taylor = missing_outcomes(measure, **given, **tiny, integration="taylor", **FULL)
    known = missing_outcomes(measure, **given, weighting="available", **FULL)
    assert taylor.variance - known.variance == pytest.approx(exact.variance - known.variance, rel=0.01)
    assert taylor.effect == pytest.approx(known.effect) and exact.effect == pytest.approx(known.effect, abs=1e-4)


def test_large_and_small_imors_are_the_extremes() -> None:
    high = missing_outcomes("RR", imor_1=1e12, imor_2=1e12, **FULL)
    low = missing_outcomes("RR", imor_1=1e-12, imor_2=1e-12, **FULL)
    assert high.effect == pytest.approx(missing_outcomes("RR", "all", **FULL).effect, abs=1e-9)
    assert high.variance == pytest.approx(missing_outcomes("RR", "all", **FULL).variance, rel=1e-9)
    assert low.effect == pytest.approx(missing_outcomes("RR", "none", **FULL).effect, abs=1e-9)


def test_gamble_and_hollis_span_both_cases() -> None:
    found = missing_outcomes("RR", "gamble-hollis", **FULL)
    best, worst = (missing_outcomes("RR", case, event="desirable", **FULL) for case in ("best-case", "worst-case"))
    z = 1.959963984540054
    width = (best.effect + z * best.se) - (worst.effect - z * worst.se)
    assert found.se == pytest.approx(width / (2.0 * z), rel=1e-12)
    assert found.effect == pytest.approx(missing_outcomes("RR", "available", **FULL).effect)
    none = {n: (0 * v if "missing" in n else v) for n, v in FULL.items()}
    assert missing_outcomes("RR", "gamble-hollis", **none).variance == pytest.approx(
        missing_outcomes("RR", "available", **none).variance, rel=1e-12
    )


def test_weightings_differ_as_they_say() -> None:
    found = {w: missing_outcomes("RR", imor_1=0.5, imor_2=0.5, weighting=w, **FULL) for w in WEIGHTINGS}
    seen = missing_outcomes("RR", "available", **FULL)
    assert found["available"].variance == pytest.approx(seen.variance)
    assert (found["as-observed"].variance < found["scaled-down"].variance).all()
    assert len({float(f.variance[1]) for f in found.values()}) == 4
    assert len({float(f.effect[1]) for f in found.values()}) == 1
    assert seen.note[1] == "missing 32% and 50%"


def test_columns_of_a_table_and_what_is_wrong_with_them() -> None:
    table = {name: list(values) for name, values in FULL.items()} | {"who": list("abcdef")}
    by_name = missing_outcomes("RR", data=table, study="who", **{n: n for n in FULL})
    assert by_name.study == tuple("abcdef")
    assert by_name.effect == pytest.approx(missing_outcomes("RR", **FULL).effect)
    with pytest.raises(InputError, match="row 2, column missing_1: b: missing_1 must be a whole number"):
        missing_outcomes("RR", data=table | {"missing_1": [1, -2, 0, 0, 0, 0]}, study="who", **{n: n for n in FULL})
    with pytest.raises(InputError, match="got a few"):
        missing_outcomes("RR", **FULL | {"missing_2": [1, "a few", 0, 0, 0, 0]})
    with pytest.raises(InputError, match="missing_2 has 2 rows; there are 6"):
        missing_outcomes("RR", **FULL | {"missing_2": [1, 2]})
    for said, match in (
        ({"assumption": "none", "imor_1": 2.0}, "imor_1= has no effect"),
        ({"assumption": "available", "weighting": "as-observed"}, "weighting= has no effect"),
        ({"assumption": "best-case"}, "needs event="),
        ({"assumption": "best-case", "event": "good"}, "event must be one of"),
        ({"event": "desirable"}, "event= has no effect"),
        ({"imor_1": -1.0}, "imor_1 must be above 0"),
        ({"imor_1": [1.0, 2.0]}, "one number or one a study"),
        ({"log_imor_sd_1": -1.0}, "must be a standard deviation, 0 or more"),
        ({"correlation": 2.0}, "between -1 and 1"),
        ({"correlation": 0.5, "log_imor_sd_1": 1.0}, "correlates with nothing"),
        ({"integration": "guess", "log_imor_sd_1": 1.0}, "integration must be one of"),
        ({"assumption": "mcar"}, "assumption must be one of"),
    ):
        with pytest.raises(InputError, match=match):
            missing_outcomes("RR", **said, **FULL)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="measure must be one of"):
        missing_outcomes("MD", **FULL)
    with pytest.raises(InputError, match="assumption must be one of"):
        missing_outcome_analyses("RR", event="desirable", **FULL)["imor"]

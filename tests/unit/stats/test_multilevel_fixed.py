"""Variances and correlations that are given: metafor 3.8-1's ``sigma2=``, ``tau2=`` and ``rho=``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.multilevel.fitted import Multilevel
from balm.stats.multilevel.multilevel import multilevel, with_moderators
from balm.stats.pooling.pool import pool
from balm.vocabulary.problems import InputError
from tests.unit.stats.test_multilevel_profiles import SITE, fitted
from tests.worked_examples.test_konstantopoulos2011 import schools

# fmt: off
#: Berkey et al. (1998): two outcomes (AL first) in five trials.
BLOCKS = [
    [[0.0077, 0.0030], [0.0030, 0.0075]], [[0.0008, 0.0009], [0.0009, 0.0057]], [[0.0014, 0.0007], [0.0007, 0.0021]],
    [[0.0015, 0.0009], [0.0009, 0.0029]], [[0.0304, 0.0072], [0.0072, 0.0148]],
]
Y = [-0.32, 0.47, -0.60, 0.20, -0.12, 0.40, -0.31, 0.26, -0.39, 0.56]
# fmt: on
TERM = "outcome | trial"


def periodontal(structure: str, fixed: Any, method: str = "REML") -> Multilevel:
    es = EffectSizes(effect=Y, variance=[b[i][i] for b in BLOCKS for i in (0, 1)])
    data = {"outcome": [0, 1] * 5, "trial": np.repeat(range(5), 2).tolist()}
    x = {"AL": [1.0, 0.0] * 5, "PD": [0.0, 1.0] * 5}
    return multilevel(
        es, x, intercept=False, random=TERM, structure=structure, V=BLOCKS, data=data, method=method,
        inference="wald", fixed=fixed,
    )  # fmt: skip


def numbers(fit: Multilevel) -> list[float]:
    return [*fit.beta, *fit.se, *fit.tau2, *fit.rho, fit.log_likelihood, fit.aic]


# rma.mv(yi, V, mods=~outcome-1, random=~outcome|trial, struct=, tau2=, rho=, data=dat.berkey1998, method=): beta, se,
# tau2, rho, logLik, AIC. Its optimiser stops where the sixth to eighth digit is settled.
CASES = [
    ("UN", {TERM: [[0.03, 0.01], [0.01, 0.02]]}, "REML",
     [-0.342362244361, 0.362982939783, 0.0847414475012, 0.071976611918, 0.03, 0.02, 0.408248290464,
      3.47949969041, -2.95899938081]),
    ("UN", {f"{TERM}: tau[1]": 0.03}, "REML",
     [-0.33934479521, 0.35342418918, 0.084700332223, 0.058188745319, 0.03, 0.011356556816, 0.59191612435,
      3.6851970784, 0.62960584316]),
    ("UN", {f"{TERM}: rho[1,2]": 0.4}, "REML",
     [-0.34469082446, 0.35708332872, 0.085582682482, 0.058085269016, 0.030665263725, 0.011260473013, 0.4,
      3.6158553131, 0.76828937371]),
    ("UN", {f"{TERM}: tau[2]": 0.02, f"{TERM}: rho[1,2]": -0.3}, "ML",
     [-0.35631228382, 0.36725165837, 0.084780503129, 0.071762920195, 0.03027605371, 0.02, -0.3,
      4.2276149542, -2.4552299085]),
    ("HCS", {f"{TERM}: rho": 0.4}, "REML",
     [-0.34469082516, 0.357083329415, 0.0855826890651, 0.0580852702175, 0.0306652691108, 0.0112604736785, 0.4,
      3.61585531315, 0.768289373705]),
    ("HCS", {f"{TERM}: tau[1]": 0.03}, "ML",
     [-0.337587399059, 0.344854712138, 0.0846811351708, 0.050596861548, 0.03, 0.0075527709873, 0.7251133553,
      5.8208291581, -3.64165831621]),
    ("DIAG", {f"{TERM}: tau2[2]": 0.02}, "ML",
     [-0.350316469596, 0.366185959164, 0.0795292166916, 0.0718981847193, 0.0259522684548, 0.02, 0.0,
      4.75421644255, -3.5084328851]),
]  # fmt: skip


@pytest.mark.parametrize(("structure", "fixed", "method", "want"), CASES)
def test_as_metafor(structure: str, fixed: Any, method: str, want: list[float]) -> None:
    assert numbers(periodontal(structure, fixed, method)) == pytest.approx(want, rel=0, abs=1e-7)


@pytest.mark.parametrize("structure", ["CS", "HCS", "AR", "HAR", "DIAG", "ID", "UN"])
def test_given_its_own_estimates_a_fit_is_itself(structure: str) -> None:
    free = periodontal(structure, None, "ML")
    component = free.components[0]
    read = [*component.variances.tolist(), *component.correlations.tolist()]
    fixed = {TERM: component.covariance} if structure == "UN" else dict(zip(free.parameter_names, read, strict=False))
    held = periodontal(structure, fixed, "ML")
    assert held.log_likelihood == pytest.approx(free.log_likelihood, rel=0, abs=1e-12)
    assert held.beta == pytest.approx(free.beta, rel=0, abs=1e-12)
    assert held.components[0].covariance == pytest.approx(component.covariance, rel=0, abs=1e-15)
    assert held.aic == pytest.approx(free.aic - 2 * len(free.parameters), rel=0, abs=1e-9)
    assert not any(held.at_bound) and "not estimated" in held.methods()


def three_outcomes(fixed: Any = None, rows: Any = slice(None), structure: str = "UN") -> Multilevel:
    """Twelve studies with three outcomes each, or some ``rows`` of them."""
    draw = np.random.default_rng(3)
    root = np.array([[0.5, 0.0, 0.0], [0.3, 0.4, 0.0], [-0.2, 0.1, 0.6]])
    effect = (draw.normal(size=(12, 3)) @ root.T).ravel() + 0.1 * draw.normal(size=36)
    data = {"outcome": np.tile([0, 1, 2], 12)[rows], "trial": np.repeat(range(12), 3)[rows]}
    es = EffectSizes(effect=effect[rows], variance=np.full(36, 0.01)[rows])
    return multilevel(es, random=TERM, structure=structure, data=data, fixed=fixed)


@pytest.mark.parametrize("entry", ["tau[1]", "tau[3]", "rho[1,2]", "rho[1,3]", "rho[2,3]"])
def test_a_given_entry_is_a_point_of_the_profile(entry: str) -> None:
    free, name = three_outcomes(), f"{TERM}: {entry}"
    held = three_outcomes({name: 0.25})
    assert held.log_likelihood == pytest.approx(free.profile(name, 0.25).log_likelihood[0], rel=0, abs=1e-9)
    assert free.compare(held).df == 1 and held.components[0].covariance.shape == (3, 3)
    assert 0.25 in np.concatenate([held.tau2, held.rho]).round(12)
    with pytest.raises(InputError, match="was given, not estimated"):
        held.component_interval(name)


def test_given_all_but_some_entries_of_its_own() -> None:
    """The rest is found again, and its profile is the one of the same likelihood."""
    free = three_outcomes()
    entries = dict(zip(free.parameter_names, [*free.tau2, *free.rho], strict=True))
    given = {name: value for name, value in entries.items() if "tau" in name or name.endswith(("[1,2]", "[2,3]"))}
    held = three_outcomes(given)
    assert held.log_likelihood == pytest.approx(free.log_likelihood, rel=0, abs=1e-10)
    assert held.components[0].covariance == pytest.approx(free.components[0].covariance, rel=0, abs=1e-7)
    with pytest.raises(InputError, match="no parameter of a fit with other correlations given"):
        held.component_interval(f"{TERM}: rho[1,3]")
    some = three_outcomes({f"{TERM}: tau[1]": entries[f"{TERM}: tau[1]"]})
    assert some.component_interval(f"{TERM}: rho[1,2]").low < some.rho[0]


def test_a_given_correlation_needs_no_study_with_both_outcomes() -> None:
    """rma.mv(yi, vi, random=~outcome|trial, struct="CS", rho=0.5) on rows 1, 4, 5, 8, 9 of dat.berkey1998."""
    es = EffectSizes(effect=[0.47, -0.60, 0.40, -0.31, 0.56], variance=[0.0075, 0.0008, 0.0021, 0.0015, 0.0148])
    data = {"outcome": list("papap"), "trial": [1, 2, 3, 4, 5]}
    fits = [
        multilevel(es, random=TERM, structure=structure, data=data, inference="wald", fixed={f"{TERM}: rho": 0.5})
        for structure in ("CS", "AR")
    ]
    simple = pool(es, inference="wald")  # no trial has two rows: the model of independent effects
    for fit in fits:
        assert [*fit.beta, *fit.se, *fit.tau2] == pytest.approx([simple.estimate, simple.se, simple.tau2], rel=1e-9)
        assert [*fit.rho, fit.log_likelihood, fit.aic] == pytest.approx([0.5, -3.0937632427, 10.187526485], abs=1e-7)
    free = multilevel(es, random=TERM, structure="CS", data=data, inference="wald")
    assert free.log_likelihood == pytest.approx(fits[0].log_likelihood, abs=1e-12)


@pytest.mark.parametrize(
    ("structure", "tau2", "height"),
    [("CS", [0.0884384768354], -16.8454994526106), ("HCS", [0.0716706647220, 0.0647561637203, 0.1307093816533],
     -15.8477674025786)],
)  # fmt: skip
def test_a_correlation_that_no_study_shows_is_left_out_and_said(
    structure: str, tau2: list[float], height: float
) -> None:
    """rma.mv(yi, vi, random=~one|study, struct=, data=dat.konstantopoulos2011) with one = rows modulo 3."""
    es, data = schools()
    one = ["1", "2", "0"] * (len(es) // 3 + 1)
    fit = multilevel(es, random="one | effect", structure=structure, data=data | {"one": one[: len(es)]})
    assert [*fit.tau2, fit.log_likelihood] == pytest.approx([*tau2, height], abs=1e-6)
    assert f"the correlation of {structure} cannot be estimated" in repr(fit) and fit.notes[0] in fit.methods()
    assert not any("rho" in name for name in fit.parameter_names)


def test_outcomes_that_never_meet_take_a_given_correlation() -> None:
    """Outcomes 2 and 3 share no trial, so their correlation cannot be estimated; the matrix stays a valid one."""
    rows = [i for i in range(36) if i % 3 != (2 if i < 18 else 1)]
    with pytest.raises(InputError, match="never occur in the same trial"):
        three_outcomes(rows=rows)
    for rho in (-0.4, 0.0, 0.6):
        fit = three_outcomes({f"{TERM}: rho[2,3]": rho}, rows)
        assert fit.rho[2] == pytest.approx(rho, abs=1e-14)
        assert np.linalg.eigvalsh(fit.components[0].covariance)[0] > -1e-12


@pytest.mark.parametrize("structure", ["SPEXP", "CAR"])
def test_a_given_range_is_a_point_of_the_profile(structure: str) -> None:
    random = "east + north | all" if structure == "SPEXP" else "time | site"
    free = fitted(random, structure)
    name, other = free.parameter_names[-1], free.parameter_names[0]
    held = fitted(random, structure, fixed={name: 0.6})
    assert held.log_likelihood == pytest.approx(free.profile(name, 0.6).log_likelihood[0], rel=0, abs=1e-9)
    assert held.rho == pytest.approx(0.6) and free.compare(held).df == 1
    low = held.component_interval(other).low
    assert low < held.tau2[0]
    with pytest.raises(InputError, match="was given, not estimated"):
        held.component_interval(name)


def test_nested_intercepts_one_or_both_given() -> None:
    """Without V the sums are nested, with it they are blocks: the same numbers."""
    es = EffectSizes(effect=np.sin(np.arange(30.0)), variance=[0.05 + 0.01 * (i % 4) for i in range(30)])
    one = {"random": "site/effect", "data": {"site": SITE}, "fixed": {"site": 0.1}}
    nested, blocks = multilevel(es, **one), multilevel(es, V=np.diag(es.variance), **one)
    assert nested.sigma2 == pytest.approx([0.1, blocks.sigma2[1]], rel=1e-7) and 0.1 < nested.sigma2[1] < 2.0
    both = multilevel(es, **{**one, "fixed": dict(zip(("site", "site/effect"), nested.sigma2, strict=True))})
    assert both.beta == pytest.approx(nested.beta, rel=1e-14)
    again = with_moderators(nested, {"x": np.arange(30.0)})
    assert again.sigma2[0] == 0.1 and again.conventions["fixed"] == ["site"]


@pytest.mark.parametrize(
    ("structure", "fixed", "said"),
    [
        ("CS", {"rho": 0.5}, r"fixed must be one of \['outcome \| trial: tau2', 'outcome \| trial: rho'\]"),
        ("CS", {f"{TERM}: rho": 1.5}, "must lie between -1 and 1; got 1.5"),
        ("CS", {f"{TERM}: tau2": -1}, "must be finite and not negative; got -1"),
        ("CS", {f"{TERM}: tau2": "much"}, "must be a number; got 'much'"),
        ("UN", {TERM: 0.5}, "whole symmetric covariance matrix"),
        ("UN", {TERM: [[1, 2], [2, 1]]}, "no covariance matrix: it has the eigenvalue -1"),
        ("UN", {f"{TERM}: rho[1,2]": 1.5}, "must lie between -1 and 1; got 1.5"),
        ("UN", {f"{TERM}: rho[1,2]": "some"}, "must be a number; got 'some'"),
        ("UN", {TERM: np.eye(2), f"{TERM}: tau[1]": 1}, "whole and 'outcome | trial: tau.1.' too"),
        ("UN", {"rho": 0.5}, r"fixed must be one of \['outcome \| trial'"),
    ],
)
def test_refused(structure: str, fixed: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        periodontal(structure, fixed)
    with pytest.raises(InputError, match="fixed has no effect on method='MM'"):
        periodontal("UN", {TERM: np.eye(2)}, "MM")

"""The names that scripts call: functions, arguments and fields of results, as the product promises them."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import balm

BCG: dict[str, Any] = {
    "trial": ["Aronson", "Ferguson", "Rosenthal", "Hart", "Frimodt-Moller", "Stein"],
    "a": [4, 6, 3, 62, 33, 180],
    "n1": [123, 306, 231, 13598, 5069, 1541],
    "c": [11, 29, 11, 248, 47, 372],
    "n2": [139, 303, 220, 12867, 5808, 1451],
}
COUNTS: dict[str, Any] = {
    "data": BCG, "study": "trial", "events_1": "a", "n_1": "n1", "events_2": "c", "n_2": "n2",
}  # fmt: skip

#: Function -> the arguments that are promised by name.
ARGUMENTS = {
    "effect_sizes": "measure data study add to drop_double_zero variance_type",
    "EffectSizes": "effect variance study measure",
    "pool": "model tau2 inference prediction level profile",
    "pool_many": "effect variance group model tau2 inference prediction level profile",
    "pool_table": "by out engine",
    "mantel_haenszel": "measure",
    "peto": "",
    "glmm": "",
    "meta_regression": "data",
    "subgroups": "by tau2_common",
    "leave_one_out": "",
    "cumulative": "order",
    "influence": "",
    "gosh": "",
    "permutation_test": "",
    "small_study_test": "method",
    "rank_test": "",
    "trim_and_fill": "",
    "fail_safe_n": "method",
    "selection_model": "kind steps",
    "multilevel": "",
    "network": "",
    "bayes": "",
    "dose_response": "",
    "multiverse": "",
    "compare_profiles": "",
    "read_records": "",
    "find_duplicates": "",
    "rank": "",
    "simulate_screening": "",
    "read_revman": "",
    "check_claims": "",
}
#: Fields and methods of a pooled result.
FIELDS = """
    estimate se interval statistic df p tau2 tau2_se tau i2 h2 q q_df q_p k weights prediction_interval log_likelihood
    aic aicc bic displayed heterogeneity_interval probability_beyond residual conventions sentence methods to_dict
    to_frame forest funnel radial labbe baujat drapery
"""


@pytest.mark.parametrize("name", ARGUMENTS)
def test_the_function_is_there_and_takes_what_is_promised(name: str):
    taken = inspect.signature(getattr(balm, name)).parameters
    assert [one for one in ARGUMENTS[name].split() if one not in taken] == []


def test_a_pooled_result_has_the_promised_fields():
    fit = balm.pool(balm.effect_sizes("RR", **COUNTS))
    assert [name for name in FIELDS.split() if not hasattr(fit, name)] == []
    for interval in (fit.interval, fit.prediction_interval, fit.displayed.interval, fit.displayed.prediction_interval):
        assert interval.low < interval.high and interval.level == 0.95
    for method in ("q-profile", "profile-likelihood", "generalised-q"):
        found = fit.heterogeneity_interval(method=method, level=0.9)
        assert {found.tau2.level, found.tau.level, found.i2.level, found.h2.level} == {0.9}


def test_the_promised_calls_run_as_they_are_written():
    effects = balm.effect_sizes("RR", **COUNTS)
    fit = balm.pool(
        effects, model="random", tau2="REML", inference="hartung-knapp", prediction="t-k-1", level=0.95, profile=None
    )
    assert balm.small_study_test(fit, method="egger", force=True).p > 0.0
    assert balm.fail_safe_n(fit, method="rosenthal").n > 0
    assert balm.selection_model(fit, kind="step", steps=[0.025]).k == 6
    assert balm.subgroups(effects, by=["x", "y"] * 3, tau2_common=False).overall.k == 6
    assert balm.mantel_haenszel("RR", **COUNTS).k == balm.peto(**COUNTS).k == 6

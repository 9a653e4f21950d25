"""Every refusal: one clear error that names the argument, the value and the way out."""

# ruff: noqa: E501, C408 (one case a line)

from __future__ import annotations

import inspect
import math
import warnings
from typing import Any

import pytest

from balm.stats import convert
from balm.vocabulary.problems import BalmError, InputError

#: function, arguments, what the message must say
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("sd_from_se", {"se": 0.5, "n": 0}, r"n must be at least 1; got 0: give the number of participants analysed"),
    ("sd_from_se", {"se": 0.5, "n": -3}, r"n must be at least 1; got -3"),
    ("sd_from_se", {"se": 0, "n": 10}, r"se must be above 0; got 0"),
    ("sd_from_se", {"se": "0.5", "n": 10}, r"se must be a number; got '0\.5'"),
    ("sd_from_se", {"se": True, "n": 10}, r"se must be a number; got True"),
    ("sd_from_se", {"se": math.nan, "n": 10}, r"se must be a finite number; got nan"),
    ("sd_from_se", {"se": 1, "n": math.inf}, r"n must be a finite number; got inf"),
    ("sd_from_se", {"se": None, "n": 10}, r"se is missing; got None"),
    ("se_from_sd", {"sd": -2, "n": 10}, r"sd must be 0 or more; got -2: a standard deviation has no sign"),
    ("sd_from_ci", {"low": 3, "high": 1, "n": 10}, r"low must not exceed high; got low=3, high=1: swap the two ends"),
    ("sd_from_ci", {"low": 1, "high": 1, "n": 10}, r"low and high must differ; got 1 for both"),
    ("sd_from_ci", {"low": 1, "high": 3, "n": 10, "mean": 4}, r"mean must lie inside its interval; got 4 with 1 to 3"),
    (
        "sd_from_ci",
        {"low": 8, "high": 11, "n": 10, "mean": 9},
        r"mean must be in the middle of its interval; got 9 with 8 to 11 \(halves 1 and 2\).*log scale.*leave mean out",
    ),
    ("sd_from_ci", {"low": 1, "high": 3, "n": 10, "level": 95}, r"level must lie strictly between 0 and 1; got 95: 0\.95"),
    ("sd_from_ci", {"low": 1, "high": 3, "n": 1}, r"n must be at least 2; got 1"),
    ("sd_from_ci", {"low": 1, "high": 3, "n": 9, "distribution": "z"}, r"distribution must be one of .*got 'z'"),
    ("sd_from_iqr", {"q1": 5, "q3": 4}, r"q1 must not exceed q3; got q1=5, q3=4"),
    ("pooled_sd", {"sd": [1, 2], "n": [3]}, r"lists must be of one length; sd has 2, n has 1"),
    ("pooled_sd", {"sd": 1, "n": 3}, r"sd must be a list with one entry a group; got 1"),
    ("log_mean_sd_from_raw", {"mean": -1, "sd": 1}, r"mean must be above 0; got -1"),
    ("se_of_difference_from_t", {"difference": 0, "t": 2}, r"difference must not be 0; got 0"),
    ("se_of_difference_from_t", {"difference": 2, "t": 0}, r"t must not be 0; got 0"),
    ("se_of_difference_from_f", {"difference": 2, "f": -4}, r"f must be above 0; got -4"),
    ("sd_from_p", {"difference": 2, "p": 0, "n_1": 9, "n_2": 9}, r"p must be above 0 and at most 1; got 0.*'<0\.001'"),
    ("sd_from_p", {"difference": 2, "p": 1.2, "n_1": 9, "n_2": 9}, r"p must be above 0 and at most 1; got 1\.2"),
    ("sd_from_p", {"difference": 2, "p": 1, "n_1": 9, "n_2": 9}, r"p must be below 1 to give a standard error; got 1"),
    ("sd_from_p", {"difference": 2, "p": "NS", "n_1": 9, "n_2": 9}, r"p must be a number or a bound; got 'NS'"),
    ("sd_from_p", {"difference": 2, "p": "small", "n_1": 9, "n_2": 9}, r"p must be a number or a bound such as '<0\.05'"),
    ("sd_from_p", {"difference": 2, "p": "", "n_1": 9, "n_2": 9}, r"p must be a number or a bound such as '<0\.05'"),
    ("se_of_difference_from_p", {"difference": 2, "p": 0.1}, r"n_1 and n_2 are needed for the t distribution"),
    ("effect_from_wald", {"estimate": 1}, r"an interval \(low, high\), a statistic or p is needed"),
    ("effect_from_wald", {"p": 0.1}, r"estimate is missing"),
    ("effect_from_wald", {"estimate": 1, "low": 0}, r"low and high are both needed; got low=0, high=None"),
    ("effect_from_wald", {"estimate": 1, "statistic": 0}, r"statistic must not be 0; got 0"),
    ("effect_from_wald", {"estimate": 1, "p": 0.1, "scale": "log"}, r"estimate must differ from no effect; got 1"),
    ("effect_from_wald", {"estimate": 1, "p": 0.1, "scale": "ln"}, r"scale must be one of .*got 'ln'"),
    ("log_se_from_ratio_ci", {"low": -0.2, "high": 0.4}, r"low must be above 0; got -0\.2: a ratio is above 0"),
    ("log_se_from_ratio_ci", {"estimate": 3, "low": 1, "high": 2}, r"estimate must lie inside its interval; got 3"),
    ("rescale", {"mean": 12, "from_scale": (0, 10), "to_scale": (0, 100)}, r"mean must lie on the scale 0 to 10; got 12"),
    ("rescale", {"sd": 9, "from_scale": (0, 10), "to_scale": (0, 100)}, r"sd must not exceed 7\.07107 on a scale of width 10"),
    ("rescale", {"difference": 11, "from_scale": (0, 10), "to_scale": (0, 1)}, r"difference must not exceed the width"),
    ("rescale", {"from_scale": (0, 10), "to_scale": (0, 100)}, r"mean, sd, se or difference is needed"),
    ("rescale", {"mean": 2, "from_scale": (10, 0), "to_scale": (0, 1)}, r"from_scale must run from lower to higher.*flip"),
    ("rescale", {"mean": 2, "from_scale": 10, "to_scale": (0, 1)}, r"from_scale must be a pair"),
    ("rescale", {"mean": 2, "from_scale": (0, 9), "to_scale": (0, 1), "flip": "yes"}, r"flip must be True or False"),
    ("mean_score_from_auc", {"auc": 35, "duration": 0}, r"duration must be above 0; got 0"),
    ("difference_from_smd", {"smd": 1, "sd": 2, "low": 2, "high": 3}, r"smd must lie inside its interval"),
    ("combine_means", {"n": [1], "mean": [2], "sd": [1]}, r"n must have at least two entries; got 1"),
    ("combine_means", {"n": [5, 6], "mean": [2, 3], "sd": [1, -1]}, r"sd\[1\] must be 0 or more; got -1"),
    ("combine_events", {"events": [9, 2], "n": [8, 8]}, r"events\[0\] \(9\) must not exceed the number of participants \(8\)"),
    ("split_control_means", {"n": 40, "mean": 1, "sd": 1, "into": 1}, r"into must be a whole number of at least 2; got 1"),
    ("split_control_events", {"events": 1, "n": 2, "into": 3}, r"n must be at least into; got n=2, into=3"),
    ("covariance_of_shared_control", {"measure": "MD", "n": 10}, r"covariance for measure 'MD' needs sd"),
    ("covariance_of_shared_control", {"measure": "MD", "n": 10, "sd": 1, "events": 2}, r"does not use events"),
    ("covariance_of_shared_control", {"measure": "RR", "n": 10, "events": 0}, r"events must be above 0; got 0 of 10"),
    ("covariance_of_shared_control", {"measure": "OR", "n": 10, "events": 10}, r"above 0 and below n; got 10 of 10"),
    ("covariance_of_shared_control", {"measure": "HR", "n": 10}, r"measure must be one of"),
    ("design_effect", {"icc": 1.4, "cluster_size": 10}, r"icc must lie between 0 and 1; got 1\.4: an intracluster"),
    ("design_effect", {"icc": -0.1, "cluster_size": 10}, r"icc must lie between 0 and 1; got -0\.1"),
    ("design_effect", {"icc": 0.1, "cluster_size": 0.5}, r"cluster_size must be at least 1; got 0\.5"),
    ("effective_sample_size", {"n": 9, "events": 10, "icc": 0.1, "cluster_size": 3}, r"events \(10\) must not exceed"),
    ("se_of_paired_difference", {"sd_1": 1, "sd_2": 1, "r": 1.1, "n": 9}, r"r must lie between -1 and 1; got 1\.1"),
    ("se_of_paired_difference_from_p", {"difference": 1, "p": 0.1}, r"n is needed for the t distribution"),
    ("se_of_paired_difference_from_t", {"difference": 0, "t": 1}, r"difference must not be 0"),
    (
        "correlation_from_sds",
        {"sd_1": 6, "sd_2": 7, "sd_difference": 0.5},
        r"sd_difference must lie between \|sd_1 − sd_2\| = 1 and sd_1 \+ sd_2 = 13; got 0\.5: .*standard error",
    ),
    ("crossover_from_periods", dict(mean_12=1, sd_12=1, n_12=1, mean_21=1, sd_21=1, n_21=1), r"must be at least 3; got 1 \+ 1"),
    ("events_from_percentage", {"percentage": 120, "n": 20}, r"percentage must lie between 0 and 100; got 120"),
    (
        "events_from_percentage",
        {"percentage": "15.2", "n": 37},
        r"not that of a whole number of 37: 5/37 prints as 13\.5% and 6/37 prints as 16\.2%; check the denominator",
    ),
    ("events_from_percentage", {"percentage": "many", "n": 20}, r"percentage must be a number; got 'many'"),
    ("events_from_percentage", {"percentage": "nan", "n": 20}, r"percentage must be a finite number"),
    ("events_from_percentage", {"percentage": 12.5, "n": 20.5}, r"n must be a whole number of at least 1; got 20\.5"),
    ("events_from_percentage", {"percentage": 12.25, "n": 20, "decimals": 1}, r"decimals must be at least 2"),
    ("table_from_odds_ratio", {"odds_ratio": 0, "n_1": 9, "n_2": 9, "events": 2}, r"odds_ratio must be above 0; got 0"),
    ("table_from_odds_ratio", {"odds_ratio": 2, "n_1": 9, "n_2": 9}, r"give either events .* or events_2"),
    ("table_from_odds_ratio", {"odds_ratio": 2, "n_1": 9, "n_2": 9, "events": 19}, r"events must lie between 0 and .* 18; got 19"),
    ("table_from_risk_ratio", {"risk_ratio": 9, "n_1": 9, "n_2": 9, "events_2": 3}, r"risk ratio 9 fits no table .* 27 events of 9"),
    ("table_from_risk_difference", {"risk_difference": 30, "n_1": 9, "n_2": 9, "events": 3}, r"divide percentage points by 100"),
    ("table_from_phi", {"phi": -1, "n_1": 9, "n_2": 20, "events": 3}, r"phi -1 fits no table"),
    ("table_from_chi_square", {"chi_square": 2, "n_1": 9, "n_2": 9, "events": 5, "favours": "1"}, r"favours must be one of"),
    ("d_from_point_biserial", {"r": 1}, r"r must lie strictly between -1 and 1; got 1"),
    ("point_biserial_from_d", {"d": 1, "n_1": 20}, r"n_1 and n_2 belong together"),
    ("fisher_z_from_r", {"r": 0.4, "n": 3}, r"n must be at least 4; got 3"),
    ("d_from_odds_ratio", {"odds_ratio": -0.4}, r"odds_ratio must be above 0; got -0\.4: give the odds ratio, not its log"),
    ("biserial_from_d", {"d": 1, "share": 0}, r"share must lie strictly between 0 and 1; got 0"),
    ("absolute_risk_from_risk_ratio", {"risk_ratio": 3, "baseline_risk": 0.5}, r"gives a risk of 1\.5: use an odds ratio"),
    ("absolute_risk_from_risk_ratio", {"risk_ratio": 0.5, "baseline_risk": 30}, r"baseline_risk must lie between 0 and 1; got 30"),
    ("odds_ratio_from_risk_ratio", {"risk_ratio": 3, "baseline_risk": 0.4}, r"gives a risk of 1\.2; it must stay below 1"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "message"), REFUSED)
def test_refused(name: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        getattr(convert, name)(**given)


#: Values that break arithmetic somewhere: each argument of each conversion meets them all.
NASTY = [
    None,
    "text",
    math.nan,
    math.inf,
    -math.inf,
    0,
    -1,
    1e308,
    -1e308,
    5e-324,
    [],
    {},
    object(),
    [math.nan, "x"],
    b"1",
]


@pytest.mark.parametrize("name", convert.CONVERSIONS)
def test_nothing_but_our_own_errors(name: str) -> None:
    parameters = inspect.signature(convert.CONVERSIONS[name].function).parameters
    plain: dict[str, Any] = dict.fromkeys(parameters, 0.5)
    plain |= {p: 12 for p in plain if p.startswith(("n", "cluster_size", "into"))}
    plain |= {"low": 0.2, "high": 0.8, "events": 3, "measure": "MD", "favours": "more events in arm 1"}
    required = {p: plain[p] for p, spec in parameters.items() if spec.default is inspect.Parameter.empty}
    for argument in parameters:
        for nasty in NASTY:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    found = convert.CONVERSIONS[name].function(**{**required, argument: nasty})
                except BalmError as error:
                    assert str(error)
                else:
                    assert found.values and repr(found)
                    assert not any(isinstance(v, float) and math.isnan(v) for v in found.values.values()), (
                        argument,
                        nasty,
                    )

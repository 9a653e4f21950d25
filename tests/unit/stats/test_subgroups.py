"""Subgroups: order, the test between groups, a common tau2, and groups without information."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.mantel_haenszel import mantel_haenszel
from balm.stats.pooling.pool import pool
from balm.stats.pooling.subgroups import subgroups
from balm.vocabulary.problems import InputError

EFFECTS = EffectSizes(
    effect=[-0.9, -1.6, -1.3, -1.4, -0.2, -0.8, 0.4, 0.0],
    variance=[0.33, 0.19, 0.42, 0.02, 0.05, 0.01, 0.6, 0.004],
    study=list("ABCDEFGH"),
    measure="RR",
)
BY = ["random", "random", "random", "alternate", "alternate", "systematic", "random", "systematic"]
TABLES = {
    "events_1": [0, 3, 0, 10, 4],
    "n_1": [50, 60, 40, 100, 60],
    "events_2": [5, 4, 0, 2, 9],
    "n_2": [50, 60, 40, 100, 58],
}


def test_groups_come_in_the_order_of_first_appearance_each_as_if_pooled_alone():
    found = subgroups(EFFECTS, by=BY)
    assert list(found.groups) == ["random", "alternate", "systematic"]
    alone = pool(EFFECTS[[i for i, label in enumerate(BY) if label == "alternate"]])
    assert found.groups["alternate"].estimate == alone.estimate
    assert found["alternate"].interval == alone.interval
    assert found.overall.estimate == pool(EFFECTS).estimate
    assert len(found) == 3


def test_under_a_common_effect_q_between_is_total_minus_within():
    found = subgroups(EFFECTS, by=BY, model="common")
    within = sum(fit.q for fit in found.groups.values())
    assert found.q_between == pytest.approx(found.overall.q - within)
    assert (found.q_between_df, found.df, found.p) == (2, 2, found.q_between_p)


def test_the_order_of_studies_does_not_matter():
    rows = [7, 2, 5, 0, 3, 6, 1, 4]
    again = subgroups(EFFECTS[rows], by=[BY[i] for i in rows])
    assert again.q_between == pytest.approx(subgroups(EFFECTS, by=BY).q_between)


def test_a_common_tau2_is_the_same_in_every_group_and_is_named():
    found = subgroups(EFFECTS, by=BY, tau2_common=True, tau2="DL", inference="wald")
    values = {fit.tau2 for fit in found.groups.values()}
    assert len(values) == 1 and found.tau2_common
    tops = traces = 0.0
    for fit in subgroups(EFFECTS, by=BY, tau2="DL").groups.values():
        w = 1.0 / fit.effects.variance
        tops += fit.q - fit.q_df
        traces += w.sum() - (w**2).sum() / w.sum()
    assert values.pop() == pytest.approx(max(0.0, tops / traces))


def test_one_group_has_no_test():
    found = subgroups(EFFECTS, by=["all"] * 8)
    assert math.isnan(found.q_between) and math.isnan(found.p) and found.df == 0


def test_labels_may_be_numbers_or_a_column_of_a_table():
    assert list(subgroups(EFFECTS, by=[2, 1, 1, 2, 1, 1, 2, 2]).groups) == ["2", "1"]
    frame = pd.DataFrame({"allocation": BY})
    assert list(subgroups(EFFECTS, by="allocation", data=frame).groups) == ["random", "alternate", "systematic"]
    assert list(subgroups(EFFECTS, by=frame["allocation"]).groups) == ["random", "alternate", "systematic"]


@pytest.mark.parametrize("method", ["mantel-haenszel", "peto"])
@pytest.mark.parametrize("model", ["common", "random"])
def test_methods_of_sums(method, model):
    es = effect_sizes("OR", **TABLES)
    found = subgroups(es, by=["x", "x", "y", "y", "y"], method=method, model=model)
    assert [fit.method for fit in found.groups.values()] == [method, method]
    assert math.isfinite(found.q_between)
    if method == "mantel-haenszel" and model == "common":
        own = mantel_haenszel("OR", **{name: values[2:] for name, values in TABLES.items()})
        assert found.groups["y"].estimate == own.estimate
        assert found.groups["y"].tests["breslow-day"].df == 1


@pytest.mark.parametrize("method", ["inverse-variance", "mantel-haenszel", "peto"])
def test_a_group_without_information_stays_with_its_reason(method):
    es = effect_sizes("OR", **TABLES)
    found = subgroups(es, by=["x", "x", "nothing", "x", "y"], method=method)
    empty = found.groups["nothing"]
    assert empty.k == 0 and math.isnan(empty.estimate) and "estimate" in empty.reasons
    assert found.q_between_df == 1
    frame = found.to_frame()
    assert frame["group"].tolist() == ["x", "nothing", "y", "overall"]
    assert repr(found)


def test_what_it_shows():
    found = subgroups(EFFECTS, by=BY)
    assert "random" in repr(found) and "systematic" in found.sentence()
    assert "<svg" in found.forest().svg
    assert found.to_frame()["k"].tolist() == [4, 2, 2, 8]
    assert "<table" in found._repr_html_() and found.methods()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"by": BY[:3]}, "3 labels for 8 rows"),
        ({"by": None}, "by must give"),
        ({"by": [*BY[:7], None]}, "by is missing for H"),
        ({"by": "allocation"}, "give data="),
        ({"by": BY, "method": "bayes"}, "method must be one of"),
        ({"by": BY, "model": "common", "tau2_common": True}, "tau2_common=True needs model='random'"),
        ({"by": list("abcdefgh"), "tau2_common": True}, "at least two studies"),
        ({"by": BY, "weights": "equal"}, "weights of your own"),
        ({"by": BY, "tau2": "reml"}, "did you mean 'REML'"),
    ],
)
def test_bad_options(options, says):
    with pytest.raises(InputError, match=says):
        subgroups(EFFECTS, **options)


def test_only_effect_sizes():
    with pytest.raises(InputError, match="takes effect sizes"):
        subgroups([0.1, 0.2], by=["a", "b"])


def test_an_unknown_group_is_an_error_that_lists_the_groups():
    with pytest.raises(InputError, match="subgroup must be one of"):
        subgroups(EFFECTS, by=BY)["Random"]

"""What every conversion gives back, and the table of them."""

from __future__ import annotations

import copy
import json
import math
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest

from balm.stats import convert
from balm.stats.convert import reference
from balm.vocabulary.problems import InputError


@pytest.mark.parametrize("row", convert.CONVERSIONS.values(), ids=lambda row: row.name)
def test_every_conversion_is_public_and_documented(row: convert.Conversion) -> None:
    assert getattr(convert, row.name) is row.function
    assert row.name in convert.__all__
    assert row.formula and row.source and row.gives.endswith((".", ":", "of arm 1"))
    assert ">>> " in (row.function.__doc__ or "") and row.name in (row.function.__doc__ or "")
    assert row.topic in reference.TOPICS


def test_the_page_is_up_to_date() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "reference" / "convert.md"
    assert page.read_text("utf-8") == reference.page(), "run: python -m balm.stats.convert.reference"
    assert all(f"### `{name}(" in reference.page() for name in convert.CONVERSIONS)


def test_a_number_walks_back() -> None:
    se = convert.se_from_ci(low=1, high=3, n=20, mean=2)
    sd = convert.sd_from_se(se=se, n=20)
    moved = convert.rescale(sd=sd, from_scale=(0, 100), to_scale=(0, 10))
    assert [step.function for step in moved.walk()] == ["se_from_ci", "sd_from_se", "rescale"]
    assert moved.walk()[0].inputs == {
        "low": 1, "high": 3, "n": 20, "level": 0.95, "distribution": "auto", "mean": 2
    }  # fmt: skip
    text = moved.audit()
    for said in ("1. se_from_ci", "3. rescale", "Handbook version 6.5, section 6.5.2.2", "SD = SE × √n", "low = 1"):
        assert said in text
    assert moved.to_dict()["inputs"]["sd"]["inputs"]["se"]["function"] == "se_from_ci"
    json.dumps(moved.to_dict(), allow_nan=False)


def test_a_chain_inside_a_list_of_arms() -> None:
    sds = [convert.sd_from_se(se=0.5, n=16), convert.sd_from_se(se=0.6, n=25)]
    found = convert.combine_means(n=[16, 25], mean=[3, 4], sd=sds)
    assert [step.function for step in found.walk()] == ["sd_from_se", "sd_from_se", "combine_means"]
    assert found.sd == convert.combine_means(n=[16, 25], mean=[3, 4], sd=[2.0, 3.0]).sd


def test_the_matching_value_is_taken_from_several() -> None:
    both = convert.mean_sd_from_quantiles(q1=4, median=6, q3=9, n=30)
    assert convert.se_from_sd(sd=both, n=30).se == both.sd / math.sqrt(30)
    moved = convert.rescale(mean=both, sd=both, from_scale=(0, 10), to_scale=(0, 100))
    assert (moved.mean, moved.sd) == pytest.approx((both.mean * 10, both.sd * 10), rel=1e-14)
    with pytest.raises(InputError, match=r"n comes from mean_sd_from_quantiles, which gives mean, sd; pass one"):
        convert.se_from_sd(sd=1, n=both)


def test_one_value_and_several() -> None:
    one, two = convert.sd_from_se(se=0.5, n=64), convert.mean_sd_from_quantiles(q1=4, median=6, q3=9, n=30)
    assert float(one) == one.value == one.sd == 4.0
    assert repr(one) == "sd_from_se: sd = 4"
    with pytest.raises(InputError, match=r"gives 2 values \(mean, sd\): ask for one"):
        float(two)
    with pytest.raises(AttributeError, match="gives sd; it has no 'mean'"):
        _ = one.mean
    with pytest.raises(InputError, match="gives mean, sd; got 'se'"):
        two.only("se")


def test_frozen_and_portable() -> None:
    found = convert.sd_from_se(se=convert.se_from_sd(sd=4, n=64), n=64)
    with pytest.raises(FrozenInstanceError):
        found.formula = "else"  # type: ignore[misc]
    with pytest.raises(TypeError):
        found.values["sd"] = 1  # type: ignore[index]
    for again in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
        assert again.audit() == found.audit()


def test_arrays_entry_by_entry() -> None:
    found = convert.sd_from_se(se=np.array([0.5, np.nan, 0.25]), n=[64, 10, 16])
    np.testing.assert_array_equal(found.sd, [4.0, np.nan, 1.0])
    with pytest.raises(InputError, match=r"^entry 2: se must be above 0; got -1\.0.*\nentry 3: n must be at least 1"):
        convert.sd_from_se(se=[0.5, -1.0, 0.5], n=[64, 10, 0])
    with pytest.raises(InputError, match="se has 2, n has 3"):
        convert.sd_from_se(se=[0.5, 1.0], n=[64, 10, 0])
    with pytest.raises(InputError, match="every entry is missing"):
        convert.sd_from_se(se=[None, math.nan], n=4)
    with pytest.raises(InputError, match="se is empty"):
        convert.sd_from_se(se=[], n=4)
    with pytest.raises(InputError, match="one study at a time"):
        convert.paired_over_correlations(sd_1=[1, 2], sd_2=1, n=10)


def test_columns_of_frames() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"se": [0.5, None], "n": [64, 16]})
    np.testing.assert_array_equal(convert.sd_from_se(se=frame["se"], n=frame["n"]).sd, [4.0, np.nan])


def test_a_wrong_argument_is_named() -> None:
    with pytest.raises(InputError, match=r"sd_from_se: missing a required argument: 'n'; it takes, by keyword, se, n"):
        convert.sd_from_se(se=1)  # type: ignore[call-arg]
    with pytest.raises(InputError, match=r"sd_from_se takes se, n; got 'sem' \(did you mean 'se'\?\)"):
        convert.sd_from_se(sem=1, n=3)  # type: ignore[call-arg]


def test_bounds_travel() -> None:
    se = convert.se_of_difference_from_p(difference=3.8, p="<0.05", n_1=25, n_2=22)
    assert se.bounds == {"se": "at most"}
    sd = convert.sd_from_se_of_difference(se=se, n_1=25, n_2=22)
    assert sd.bounds == {"sd": "at most"}
    assert "at most" in repr(sd)
    moved = convert.rescale(sd=sd, from_scale=(0, 100), to_scale=(0, 10))
    assert not moved.bounds and "computed at the bound of sd (at most)" in moved.cautions[0]
    several = convert.se_of_difference_from_p(difference=[3.8, 2.0, 1.0], p=["<0.05", 0.03, ">0.1"], n_1=25, n_2=22)
    assert several.bounds == {"se": ("at most", "", "at least")}
    assert convert.sd_from_se_of_difference(se=several, n_1=25, n_2=22).bounds["sd"] == ("at most", "", "at least")


def test_scalars_need_neither_numpy_nor_scipy() -> None:
    code = (
        "import sys; from balm.stats import convert; convert.sd_from_ci(low=1, high=3, n=20);"
        "convert.mean_sd_from_quantiles(minimum=1, median=5, maximum=9, n=20, method='walter2007');"
        "print([m for m in ('numpy', 'scipy') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert out == "[]"

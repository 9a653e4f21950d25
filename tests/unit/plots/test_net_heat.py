"""The net heat plot: every design named, large networks by number, no two texts in one place."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from balm.plots.net_heat import net_heat
from balm.vocabulary.problems import InputError
from tests.unit.stats.test_network import example, fitted


def texts(svg: str) -> list[tuple[float, float, str]]:
    found = re.findall(r'<text x="([-\d.]+)" y="([-\d.]+)"[^>]*>(?:<title>[^<]*</title>)?([^<]+)', svg)
    return [(float(x), float(y), said) for x, y, said in found]


def test_designs_and_both_scales_are_named(tmp_path):
    fit = fitted(example(3))
    heat = fit.net_heat()
    figure = net_heat(fit, tmp_path / "heat.png", title="Net heat")
    assert (tmp_path / "heat.png").stat().st_size > 1000
    assert {"Net heat", "Change of Q", "Evidence", "100%"} <= {said for *_, said in texts(figure.svg)}
    for name in heat.designs[:12]:
        assert name in figure.description
    assert net_heat(heat).svg == net_heat(fit).svg


def test_many_designs_are_numbered_and_stay_apart():
    fit = fitted(example(3, n=9, k=60))
    figure = net_heat(fit)
    d = len(fit.net_heat().designs)
    assert d > 25
    head = [t for t in texts(figure.svg) if re.fullmatch(r"\d+", t[2]) and t[2] != "0"]
    assert [t[2] for t in head] == [str(i + 1) for i in range(d)]
    across = sorted(x for x, *_ in head)
    assert min(b - a for a, b in pairwise(across)) >= 16.9
    assert across[-1] < figure.width


def test_a_tree_of_comparisons_has_no_net_heat_plot():
    with pytest.raises(InputError, match="no loop"):
        net_heat(fitted((["1", "2"], [0, 1], [1, 2], [1.0, 2.0], [1.0, 1.0])))

"""Plots of the diagnostics: well-formed, described, names apart, and values where they belong."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from balm.plots.baujat import baujat
from balm.plots.bubble import bubble
from balm.plots.drapery import drapery
from balm.plots.gosh import gosh
from balm.plots.influence import influence
from balm.plots.labbe import CURVES, labbe
from balm.plots.likelihood_profile import likelihood_profile
from balm.plots.normal_qq import normal_qq
from balm.plots.panel import Panel
from balm.plots.radial import radial
from balm.plots.text_width import text_width
from balm.stats.diagnostics.baujat import baujat as baujat_values
from balm.stats.diagnostics.gosh import gosh as subsets
from balm.stats.diagnostics.influence import influence as influence_values
from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.measures import MEASURES
from balm.stats.pooling.pool import pool
from balm.stats.regression.meta_regression import meta_regression
from balm.vocabulary import presenters
from balm.vocabulary.problems import InputError
from tests.unit.plots.results import BCG

SVG = "{http://www.w3.org/2000/svg}"
LATITUDE = [44, 55, 42, 52, 13, 44, 19, 13, 27, 42, 18, 33, 33]
OF_POOLED = (baujat, radial, labbe, drapery, normal_qq, likelihood_profile, gosh, influence)


def effects(measure="RR", rows=BCG):
    study, a, n1, c, n2 = (list(column) for column in zip(*rows, strict=True))
    return effect_sizes(measure, events_1=a, n_1=n1, events_2=c, n_2=n2, study=study)


@pytest.fixture(scope="module")
def fit():
    return pool(effects())


@pytest.fixture(scope="module")
def regression():
    return meta_regression(effects(), {"latitude": LATITUDE})


def texts(figure):
    """(text, left, top, right, bottom) of every upright text."""
    for t in ET.fromstring(figure.svg).iter(f"{SVG}text"):
        if t.get("transform"):
            continue
        words = "".join(s for s in (t.text or "", *(c.tail or "" for c in t)))
        size = float(t.get("font-size", "12"))
        x, y, w = float(t.get("x")), float(t.get("y")), text_width(words, size, bold=t.get("font-weight") == "bold")
        left = x - {"start": 0.0, "middle": w / 2, "end": w}[t.get("text-anchor", "start")]
        yield words, left, y - 0.72 * size, left + w, y + 0.2 * size


def circles(figure):
    """tooltip -> (x, y)."""
    found = {}
    for c in ET.fromstring(figure.svg).iter(f"{SVG}circle"):
        tip = c.find(f"{SVG}title")
        if tip is not None:
            found[tip.text.partition(":")[0]] = (float(c.get("cx")), float(c.get("cy")))
    return found


def well_made(figure):
    root = ET.fromstring(figure.svg)
    assert root.find(f"{SVG}title").text == figure.title and len(figure.description) > 40
    assert "nan" not in figure.svg.lower().replace("nancy", "") and "inf," not in figure.svg
    for a, b in itertools.combinations(list(texts(figure)), 2):
        assert not (a[1] < b[3] and b[1] < a[3] and a[2] < b[4] and b[2] < a[4]), f"{a} runs into {b}"
    for words, left, top, right, bottom in texts(figure):
        assert left >= -0.5 and top >= 0 and right <= figure.width + 0.5 and bottom <= figure.height, words


@pytest.mark.parametrize("plot", OF_POOLED, ids=lambda p: p.__name__)
def test_plots_of_a_pooled_result(plot, fit, tmp_path):
    figure = plot(fit, tmp_path / "plot.svg")
    well_made(figure)
    assert (tmp_path / "plot.svg").read_text("utf-8") == figure.svg == plot(fit).svg
    well_made(plot(fit, title="A title of its own"))
    assert plot(fit, title="A title of its own").title == "A title of its own"


@pytest.mark.parametrize("plot", [bubble, baujat, normal_qq, likelihood_profile, influence], ids=lambda p: p.__name__)
def test_plots_of_a_regression(plot, regression):
    well_made(plot(regression))


@pytest.mark.parametrize("plot", [p for p in OF_POOLED if p is not labbe], ids=lambda p: p.__name__)
@pytest.mark.parametrize("k", [1, 2, 3, 40])
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_few_and_many_studies_at_any_scale(plot, k, unit):
    random = np.random.default_rng(k)
    es = EffectSizes(
        effect=random.normal(0.3, 0.4, k) * unit,
        variance=random.uniform(0.01, 0.2, k) * unit**2,
        study=[f"A study with a rather long name, {1980 + i}" for i in range(k)],
    )
    options = {"simulations": 100} if plot is normal_qq else {}
    pooled = pool(es)
    if plot is gosh and k == 40:
        pooled = subsets(pooled, 300)
    try:
        well_made(plot(pooled, **options))
    except InputError as refused:
        assert k <= 2 and re.search("one study|left", str(refused))


def test_baujat_points_lie_at_their_values(fit):
    values, at = baujat_values(fit), circles(baujat(fit))
    order = np.argsort(values.heterogeneity)
    assert [values.study[i] for i in order] == sorted(at, key=lambda name: at[name][0])
    order = np.argsort(-values.influence)
    assert [values.study[i] for i in order] == sorted(at, key=lambda name: at[name][1])
    assert baujat(values).svg == baujat(fit).svg
    assert "Hart &amp; Sutherland 1977</text>" in baujat(fit).svg
    assert "Hart &amp; Sutherland 1977</text>" not in baujat(fit, labels="none").svg


def test_radial_slope_is_the_effect(fit):
    at = circles(radial(fit))
    spread = fit.effects.variance + fit.tau2
    xs = np.array([at[s][0] for s in fit.effects.study])
    ys = np.array([at[s][1] for s in fit.effects.study])
    # pixels are linear in 1/s and y/s
    for pixels, values in ((xs, spread**-0.5), (ys, fit.effects.effect * spread**-0.5)):
        slope, base = np.polyfit(values, pixels, 1)
        assert pixels == pytest.approx(base + slope * values, abs=0.02)
    assert "Risk ratio" in [t[0] for t in texts(radial(fit))]


@pytest.mark.parametrize("measure", ["RR", "OR", "RD", "AS"])
def test_labbe_curve_gives_the_effect_back(measure):
    a, c = 300.0, 200.0
    es = effect_sizes(measure, events_1=[a], n_1=[1000], events_2=[c], n_2=[1000])
    assert CURVES[measure](c / 1000, float(es.effect[0])) == pytest.approx(a / 1000)
    assert CURVES["OR"](0.0, 1.0) == 0.0 and CURVES["OR"](1.0, -1.0) == 1.0
    assert measure in MEASURES


def test_labbe_of_rates_and_without_counts():
    es = effect_sizes("IRR", events_1=[4, 9], time_1=[100, 220], events_2=[8, 11], time_2=[110, 190])
    figure = labbe(pool(es))
    well_made(figure)
    assert "Rate, comparator" in [t[0] for t in texts(figure)]
    with pytest.raises(InputError, match="needs two groups' counts"):
        labbe(pool(EffectSizes(effect=[0.1, 0.2], variance=[0.1, 0.1])))


@pytest.mark.parametrize("y", ["p", "z"])
def test_drapery_names_its_curves(fit, y):
    figure = drapery(fit, y=y)
    well_made(figure)
    labels = [g.get("aria-label") for g in ET.fromstring(figure.svg).iter(f"{SVG}g")]
    assert labels == [*fit.effects.study, "pooled risk ratio"]
    assert "a new study (prediction)" in figure.svg
    assert "a new study (prediction)" not in drapery(fit, prediction=False).svg


def test_gosh_colours_subsets(fit):
    found = subsets(fit, 2000)
    clusters = found.clusters(2, method="k-means")
    for figure in (gosh(found, highlight="TPT Madras 1980"), gosh(found, clusters=clusters), gosh(found, against="q")):
        well_made(figure)
        assert len(figure.svg) < 900_000
    assert "with TPT Madras 1980" in gosh(found, highlight=7).svg
    with pytest.raises(InputError, match="study must be one of"):
        gosh(found, highlight="Nobody 1900")
    with pytest.raises(InputError, match="not both"):
        gosh(found, highlight=1, clusters=clusters)
    with pytest.raises(InputError, match="another set"):
        gosh(subsets(fit, 100), clusters=clusters)


def test_influence_marks_the_influential(fit):
    es = effects()
    effect = es.effect.copy()
    effect[2] = 4.0
    odd = pool(EffectSizes(effect=effect, variance=es.variance, study=es.study))
    assert [s for s, flag in zip(es.study, influence_values(odd).influential, strict=True) if flag] == [es.study[2]]
    assert f"Influential: {es.study[2]}." in influence(odd).description
    assert "Influential: none." in influence(fit).description


def test_likelihood_profile_marks_another_estimator():
    figure = likelihood_profile(pool(effects(), tau2="DL"))
    assert "τ² of the fit" in figure.svg and "τ² of the fit" not in likelihood_profile(pool(effects())).svg
    with pytest.raises(InputError, match="settled when the profile was computed"):
        from balm.stats.diagnostics.likelihood_profile import likelihood_profile as values

        likelihood_profile(values(pool(effects())), level=0.9)


def test_bubble_line_is_the_prediction(regression):
    figure = bubble(regression, labels="none")
    at = circles(figure)
    study = regression.effects.study
    # the pixel scale from the points themselves
    up = np.polyfit(regression.effects.effect, [at[s][1] for s in study], 1)
    across = np.polyfit(LATITUDE, [at[s][0] for s in study], 1)
    line = max(
        (p.get("points") for p in ET.fromstring(figure.svg).iter(f"{SVG}polyline") if p.get("stroke-width") == "2"),
        key=len,
    )
    first = [float(v) for v in line.split(" ")[0].split(",")]
    latitude = (first[0] - across[1]) / across[0]
    assert (first[1] - up[1]) / up[0] == pytest.approx(regression.beta @ [1, latitude], abs=0.005)
    assert "prediction interval" in figure.svg and "prediction interval" not in bubble(regression, prediction=False).svg


def test_bubble_refuses_what_one_line_cannot_show():
    es = effects()
    x = np.array(LATITUDE, dtype=float)
    squared = meta_regression(es, {"latitude": x, "I(latitude ** 2)": x**2})
    with pytest.raises(InputError, match="also enters"):
        bubble(squared, moderator="latitude")
    with pytest.raises(InputError, match="moderator must be one of"):
        bubble(squared, moderator="year")
    with pytest.raises(InputError, match="needs a moderator"):
        bubble(meta_regression(es, "~ 1"))
    two = meta_regression(es, {"latitude": x, "late": (np.arange(13) > 6).astype(float)})
    well_made(bubble(two, moderator="late"))
    assert "1 other coefficients at their means" in bubble(two).description


def test_a_curve_is_cut_where_it_leaves_the_frame():
    panel = Panel((50, 0, 150, 100), (0.0, 10.0), (0.0, 10.0))
    (run,) = panel.runs([(0.0, 0.0), (10.0, 20.0)])
    assert run == [(50.0, 100.0), (100.0, 0.0)]
    assert len(panel.runs([(0.0, 5.0), (2.0, 20.0), (4.0, 20.0), (6.0, 5.0), (8.0, 5.0)])) == 2


def test_results_ask_for_their_plots(fit, regression):
    presenters.register(
        {
            name: f"balm.plots.{name}:{name}"
            for name in (
                "baujat",
                "bubble",
                "drapery",
                "gosh",
                "influence",
                "labbe",
                "likelihood_profile",
                "normal_qq",
                "radial",
            )
        }
    )
    for figure in (fit.radial(), fit.labbe(), fit.baujat(), fit.drapery(), regression.bubble()):
        assert figure.svg.startswith("<svg")
    assert influence_values(fit).plot().svg == influence(fit).svg
    assert baujat_values(fit).plot().svg == fit.baujat().svg

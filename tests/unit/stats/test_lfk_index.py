"""The LFK index: its formula term by term, what it does not depend on, its plot, bad input."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from scipy import stats

from balm.plots.doi_plot import doi_plot
from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pool import pool
from balm.stats.small_study.lfk_index import lfk_index
from balm.vocabulary.problems import InputError

SVG = "{http://www.w3.org/2000/svg}"
EFFECT = np.array([0.55, 0.05, 0.2, 0.12, 1.1, 0.62, 0.08, 0.85])
VARIANCE = np.array([0.09, 0.0064, 0.0144, 0.01, 0.23, 0.11, 0.0081, 0.16])
ES = EffectSizes(effect=EFFECT.tolist(), variance=VARIANCE.tolist(), measure="RR")


def test_it_is_the_mean_height_of_points_brought_to_one_range() -> None:
    """Written out study by study, from the smallest effect to the largest."""
    rows = sorted(zip(EFFECT, 100 * VARIANCE.max() / VARIANCE, strict=True))
    total, passed, points = sum(n for _, n in rows), 0.0, []
    for effect, n in rows:
        points.append((effect, stats.norm.ppf((passed + n / 2 - 0.5) / total)))
        passed += n
    tip = min(points, key=lambda point: abs(point[1]))[0]
    stretch = (points[-1][1] - points[0][1]) / (rows[-1][0] - rows[0][0])
    want = 5 / (2 * len(rows)) * sum(z + stretch * (effect - tip) for effect, z in points)
    found = lfk_index(ES)
    assert found.index == pytest.approx(want, rel=1e-12)
    assert found.effects.effect[found.centre] == tip
    assert found.asymmetry == "major"


def test_order_unit_and_a_shift_of_all_effects_change_nothing_and_a_mirror_the_sign() -> None:
    want = lfk_index(ES).index
    turned = np.random.default_rng(3).permutation(len(ES))
    assert lfk_index(ES[turned]).index == pytest.approx(want, rel=1e-12)
    other = EffectSizes(effect=(7 * EFFECT + 3).tolist(), variance=(49 * VARIANCE).tolist())
    assert lfk_index(other).index == pytest.approx(want, rel=1e-12)
    # Half a participant is taken off at the lower end only: the mirror image is exact but for that.
    mirrored = EffectSizes(effect=(-EFFECT).tolist(), variance=VARIANCE.tolist())
    assert lfk_index(mirrored).index == pytest.approx(-want, abs=0.01)


@pytest.mark.parametrize(
    ("effect", "word"), [([0.0, 0.45, 0.5, 0.55, 1.0], "no"), ([0.0, 0.02, 0.05, 0.15, 1.0], "minor")]
)
def test_the_authors_words(effect: list[float], word: str) -> None:
    for sign in (-1.0, 1.0):
        found = lfk_index(EffectSizes(effect=[sign * one for one in effect], variance=[1.0] * 5))
        assert found.asymmetry == word and f"{word} asymmetry" in found.summary
        assert (abs(found.index) > 1) == (word == "minor") and abs(found.index) < 2


def test_it_prints_and_writes() -> None:
    found = lfk_index(pool(ES))
    assert "no test" in repr(found) and found.to_dict()["lfk_index"] == found.index
    assert list(found.to_frame()["z"]) == found.z.tolist()


def test_the_plot_has_every_study_and_the_index() -> None:
    figure = lfk_index(ES).plot(title="A title")
    root = ET.fromstring(figure.svg)
    assert len(list(root.iter(f"{SVG}circle"))) == len(ES)
    texts = [e.text or "" for e in root.iter(f"{SVG}text")]
    assert {"A title", "|z|", "Risk ratio"} <= set(texts)
    assert any(text.startswith(f"LFK index {lfk_index(ES).index:.2f}") for text in texts)
    assert doi_plot(ES, title="A title").svg == doi_plot(pool(ES), title="A title").svg == figure.svg
    assert len(doi_plot(ES, labels="none").svg) < len(figure.svg)


def test_bad_input() -> None:
    with pytest.raises(InputError, match="at least 3 studies"):
        lfk_index(ES[:2])
    with pytest.raises(InputError, match=r"the effect is 0\.3 in every study"):
        lfk_index(EffectSizes(effect=[0.3, 0.3, 0.3], variance=[0.1, 0.2, 0.3]))
    with pytest.raises(InputError, match="lfk_index takes a result"):
        lfk_index([0.1])  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"balm\.lfk_index"):
        doi_plot([0.1])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="labels must be one of"):
        doi_plot(ES, labels="some")

"""The figure of plasma concentration: sources and units on it, nothing drawn after a bolus, what it cannot show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from balm.actions.guidance import Guided, ask, load
from balm.actions.guidance_answer import curves_for, figure_for
from balm.plots.figure import Figure

FOLDER = str(Path(__file__).resolve().parents[3] / "reviews" / "ketamine-chronic-pain")


@pytest.fixture(scope="module")
def loaded():  # type: ignore[no-untyped-def]
    return load(FOLDER)


def drawn(loaded, plan: str, form: str | None = None) -> tuple[Guided, Figure]:  # type: ignore[no-untyped-def]
    guided = ask(*loaded, weight="70", plan=plan, form=form)
    figure = figure_for(guided, curves_for(guided))
    assert figure is not None
    return guided, figure


def test_it_says_what_it_is_and_what_it_cannot_show(loaded) -> None:  # type: ignore[no-untyped-def]
    _, figure = drawn(loaded, "0.5 mg/kg over 40 min")
    for part in (
        "Plasma concentration, ng/mL", "Domino 1984: 240 ng/mL", "Herd 2007: 253 ng/mL", "children", "50–200 ng/mL",
        "Bowdle", "Norketamine", "early peak", "not for a patient", "No drug form was asked for",
    ):  # fmt: skip
        assert part in figure.svg, part
    assert "ng/mL: Domino 1984 240; Herd 2007 253" in figure.description
    assert "style=" not in figure.svg and "<script" not in figure.svg


def test_no_early_peak_is_drawn(loaded) -> None:  # type: ignore[no-untyped-def]
    guided, figure = drawn(loaded, "0.35 mg/kg bolus")
    curves = curves_for(guided)
    assert curves is not None
    seen = [t for t, shown in zip(curves.times, curves.shown, strict=True) if shown and t > 0]
    assert min(seen) >= 11 / 60 - 1e-9
    domino = curves.curves[0]
    peak = max(domino.values)
    most = max(v for v, shown in zip(domino.values, curves.shown, strict=True) if shown)
    assert peak > 2000 and most < 400  # the model's own peak stands nowhere
    top = max(float(t) for t in re.findall(r'text-anchor="end"[^>]*>([\d.]+)</text>', figure.svg))
    assert top < 500


def test_another_drug_form_is_drawn_as_another(loaded) -> None:  # type: ignore[no-untyped-def]
    guided, figure = drawn(loaded, "22.2 mg/h for 100 h", form="S")
    assert figure.svg.count("parameters of another drug form") == 2
    curves = curves_for(guided)
    assert curves is not None and {c.model.id for c in curves.curves if c.of_form} == {"elkomy2015", "flint2017"}
    own = [c for c in curves.curves if c.of_form]
    assert all(low == min(c.values[i] for c in own) for i, (low, _) in enumerate(curves.band))
    racemic, _ = drawn(loaded, "22.2 mg/h for 100 h", form="racemic")
    levels = {m.id: round(level) for m, level in curves_for(racemic).steady}  # type: ignore[union-attr]
    assert levels["kamp2020"] == 281 and "fanta2015" not in levels


def test_same_bytes_and_every_format(loaded) -> None:  # type: ignore[no-untyped-def]
    _, one = drawn(loaded, "25 mg/h for 4 h")
    _, two = drawn(loaded, "25 mg/h for 4 h")
    assert one.svg == two.svg and one.pdf().startswith(b"%PDF") and one.png()[:4] == b"\x89PNG"

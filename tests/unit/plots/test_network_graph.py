"""The network graph: every treatment and number of studies is written, inside the figure."""

from __future__ import annotations

import re

import balm
from balm.plots.network_graph import network_graph


def test_every_treatment_and_count_is_there(tmp_path):
    fit = balm.network(
        study=list("12345"),
        treatment_1=["Ketamine <low>", "B", "B", "B", "B"],
        treatment_2=["B", "C", "C", "C", "D and a very long name of a combination of treatments"],
        effect=[1.0, 2.0, 2.0, 3.0, 1.0],
        se=[1.0] * 5,
    )
    figure = network_graph(fit, tmp_path / "graph.png", title="Graph")
    assert (tmp_path / "graph.png").stat().st_size > 1000
    assert "Ketamine &lt;low&gt;" in figure.svg and ">3</text>" in figure.svg
    assert "B and C (3)" in figure.description
    for x in re.findall(r'<(?:text|circle)[^>]* c?x="([-\d.]+)"', figure.svg):
        assert 0 < float(x) < figure.width
    assert network_graph(fit).svg == network_graph(fit).svg

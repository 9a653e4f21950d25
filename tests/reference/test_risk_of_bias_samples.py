"""Risk-of-bias tables of the R package robvis: the same judgements, the same numbers, and figures of all of them."""

from __future__ import annotations

import csv
import os
from collections import Counter

import pytest

import balm
from balm.plots.risk_of_bias_lights import PALETTES
from balm.review.risk_of_bias.plain_table import bias_table
from tests.reference.golden import CHECKOUT, shared

SAMPLES = (shared() or CHECKOUT.parent / "shared") / "samples" / "rob_prisma_grade" / "robvis"
TOOLS = {
    "data_rob1.csv": None,
    "data_rob2.csv": "RoB 2",
    "data_robins_i.csv": "ROBINS-I",
    "data_quadas.csv": "QUADAS-2",
}

if not SAMPLES.is_dir():
    if os.environ.get("CI"):
        raise RuntimeError("the sample collection is missing: put it in ../shared or set BALM_SHARED")
    pytest.skip("no sample collection beside this checkout (../shared/samples)", allow_module_level=True)


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_sample_tables_of_robvis_give_the_same_judgements_and_numbers(name: str) -> None:
    path = SAMPLES / name
    with path.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    table = bias_table(path, tool=TOOLS[name])
    domains = [head for head in rows[0] if head not in ("Study", "Overall")]
    assert table.studies == tuple(row["Study"] for row in rows)
    assert table.judgements == tuple(tuple(row[d].lower() for d in domains) for row in rows)
    assert table.overall == tuple(row["Overall"].lower() for row in rows)
    shares = balm.risk_of_bias_shares(path)
    for (said, found), head in zip(shares.items(), [*domains, "Overall"], strict=True):
        counted = Counter(row[head].lower() for row in rows)
        assert found == pytest.approx({word: 100 * n / len(rows) for word, n in counted.items()}), said
    for kind in ("traffic-light", "summary"):
        for palette in PALETTES:
            figure = balm.risk_of_bias_plot(path, kind=kind, palette=palette, tool=TOOLS[name])
            assert figure.svg.count("<title") > len(domains)
    lights = balm.risk_of_bias_plot(path).description
    assert all(row["Study"] in lights for row in rows)

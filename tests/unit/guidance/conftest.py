"""The bundled guidance, read once; and a therapy of another kind, to show that nothing here knows a drug."""

from __future__ import annotations

from pathlib import Path

import pytest

from balm.actions.guidance import Guidance, load
from balm.guidance.therapy import Therapy, read_therapy
from balm.guidance.units import Quantity, quantity_of
from balm.review.synthesis import Synthesis

KETAMINE = Path(__file__).resolve().parents[3] / "reviews" / "ketamine-chronic-pain"

LIDOCAINE = """
[therapy]
id = "lidocaine"
name = "Lidocaine infusion"
drugs = ["lidocaine"]
routes = ["IV"]
setting = "acute"
reference_weight = "70 kg"
intended_use = "for a test"
[plausible.weight]
bounds = "30-300"
unit = "kg"
why = "adults"
[[settings]]
id = "acute"
name = "Acute pain"
[[conditions]]
id = "surgery"
name = "Pain after surgery"
[[comorbidities]]
id = "heart-block"
name = "Heart block"
area = "cardiovascular"
"""


@pytest.fixture(scope="session")
def loaded() -> tuple[Guidance, Synthesis]:
    return load(str(KETAMINE))


@pytest.fixture(scope="session")
def guidance(loaded: tuple[Guidance, Synthesis]) -> Guidance:
    return loaded[0]


@pytest.fixture(scope="session")
def lidocaine() -> Therapy:
    therapy, problems = read_therapy(LIDOCAINE.encode())
    assert therapy is not None, problems
    return therapy


@pytest.fixture
def kg70() -> Quantity:
    return quantity_of("70 kg", "weight", measures="kg")

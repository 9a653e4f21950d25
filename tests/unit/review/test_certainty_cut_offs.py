"""Every number of the rules of certainty says where it comes from, and the guide prints the same table."""

from __future__ import annotations

from pathlib import Path

from balm.review.certainty import imprecision, inconsistency, indirectness, information_size, publication_bias, raising
from balm.review.certainty import risk_of_bias as bias
from balm.review.certainty.cut_offs import CUT_OFFS, OWN, table

GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "rate-certainty.md"
#: Quantiles of the normal distribution are no cut-offs; they follow from 5 % and 80 %.
NOT_CUT_OFFS = {"Z_ALPHA", "Z_POWER"}


def test_no_number_of_a_rule_is_without_its_source() -> None:
    listed = {c.value for c in CUT_OFFS}
    modules = (bias, inconsistency, indirectness, imprecision, information_size, publication_bias, raising)
    for module in modules:
        for name, value in vars(module).items():
            if name.isupper() and name not in NOT_CUT_OFFS and isinstance(value, int | float):
                assert value in listed, f"{module.__name__}.{name}"
    assert all(c.source for c in CUT_OFFS)
    assert not any(c.seen for c in CUT_OFFS if c.source == OWN)


def test_the_guide_prints_them() -> None:
    assert table() in GUIDE.read_text("utf-8"), (
        "paste: python -c 'from balm.review.certainty.cut_offs import table ...'"
    )

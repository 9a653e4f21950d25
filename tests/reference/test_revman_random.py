"""Files of every measure, method, model, subgroup, level and encoding, by formulas of the tests' own: all agree."""

from __future__ import annotations

import pytest

from balm.review.revman.rm5 import read_rm5
from tests.reference.revman_writer import random_rm5


@pytest.mark.parametrize("start", range(0, 36, 12))
def test_every_number_of_random_files_agrees(start: int) -> None:
    numbers = 0
    for seed in range(start, start + 12):
        agreement = read_rm5(random_rm5(seed), f"{seed}.rm5").recompute()
        assert (agreement.disagree, agreement.inconsistent) == ((), ()), f"seed {seed}"
        assert agreement.agree == agreement.stored
        numbers += agreement.numbers
    assert numbers > 2000

"""Every number that RevMan stored in published Cochrane reviews, computed again from the rows of the same files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from balm.actions.revman import read_revman
from tests.reference.golden import shared

#: Pooled results (outcomes and subgroups) that the .rm5 files hold.
POOLED_IN_RM5 = 762


def files(folder: str, *patterns: str) -> list[Any]:
    root = shared()
    found = [p for pattern in patterns for p in sorted((root / "samples" / folder).glob(pattern))] if root else []
    if not found:
        assert not os.environ.get("CI"), "the RevMan files are missing: put them in ../shared or set BALM_SHARED"
        return [pytest.param(None, marks=pytest.mark.skip(reason="no RevMan files beside this checkout"), id="missing")]
    return [pytest.param(path, id=path.name) for path in found]


FULL = files("revman", "*.rm5", "*.csv", "*.zip")
ROWS = files("revman_web_data_rows", "*.csv.gz")


@pytest.mark.parametrize("path", [*FULL, *ROWS])
def test_every_stored_number_is_ours_or_contradicted_by_the_file(path: Path) -> None:
    agreement = read_revman(path).recompute()
    assert agreement.numbers > 0
    assert not agreement.disagree, "\n".join(map(str, agreement.disagree[:20]))
    assert agreement.agree == agreement.stored
    assert all(d.why for d in agreement.inconsistent)


@pytest.mark.parametrize("path", FULL)
def test_what_files_contradict_is_never_an_effect_that_is_shown(path: Path) -> None:
    """Contradicted are RevMan's chi-square tails, I2 of one study, and overall results that RevMan does not show."""
    shown = {"estimate", "ci_low", "ci_high", "se", "tau2", "chi2", "df", "z", "weight"}
    odd = [d for d in read_revman(path).recompute().inconsistent if d.field in shown and 'TOTALS="SUB"' not in d.why]
    assert not odd, "\n".join(map(str, odd))


def test_all_pooled_results_of_the_samples_are_compared() -> None:
    found = [p.values[0] for p in FULL]
    if found == [None]:
        pytest.skip("no RevMan files beside this checkout")
    compared = [read_revman(p).recompute() for p in found if str(p).endswith(".rm5")]
    assert sum(a.stored for a in compared) == sum(a.agree for a in compared) == POOLED_IN_RM5


def test_a_full_review_is_read_whole() -> None:
    """The counts of the inventory: 61 studies, 162 risk-of-bias entries, 85 references, one summary of findings."""
    path = next((p.values[0] for p in FULL if str(p.values[0]).endswith("antibiotics-for-sore-throat.rm5")), None)
    if path is None:
        pytest.skip("no RevMan files beside this checkout")
    review = read_revman(path)
    references = sum(len(s.references) for s in review.studies) + len(review.references)
    assert (len(review.studies), len(review.judgements), references, len(review.findings)) == (61, 162, 85, 1)
    assert sum(s.group == "included" for s in review.studies) == 27
    assert len(review.outcomes) == 21
    assert sum(len(o.all_rows) for o in review.outcomes) == 217
    assert all(s.characteristics for s in review.studies)

"""Labelled reviews in the order ASReview 3.0.8 reads them: its default model, ELAS u4.

The first records read were computed with ASReview and its own solver at a tolerance of 1e-8. Later picks part where two
scores are equal to the solver's accuracy. The larger sets are in ``benchmarks/screening.py``.
"""

from __future__ import annotations

import os

import pytest

from balm.actions.screening import simulate_table
from balm.review.screening.simulation import Simulation
from balm.review.screening.stopping import stopping_history
from tests.reference.golden import shared

#: Set -> (included prior, records read by ASReview until the last included, its first picks). Row 0 is the other prior.
ASREVIEW = {
    "Antihistamines": (
        1,
        297,
        "168 257 268 205 208 215 221 177 186 194 299 14 185 211 260 296 172 195 240 162 256 218 25 99 298 "
        "239 4 27 44 288 248 183 61 66 196 283 36 263 105 2 243 72 174 154 210 184 252 191 18 163",
    ),
    "NSAIDS": (
        10,
        357,
        "29 49 206 248 270 186 161 196 189 93 18 15 143 90 207 23 50 203 123 174 40 35 68 13 60 "
        "19 218 319 14 265 66 308 17 45 119 353 370 355 382 354 352 391 390 80 97 378 73 16 67 102",
    ),
    "Triptans": (
        48,
        442,
        "112 186 162 299 342 217 632 87 32 164 163 278 226 49 193 323 210 546 596 423 363 331 56 362 149 "
        "274 255 309 245 77 178 71 74 418 400 254 601 104 613 66 600 63 115 101 118 463 141 394 324 665",
    ),
}


@pytest.fixture(scope="module", params=ASREVIEW)
def case(request) -> tuple[str, Simulation]:
    root = shared()
    folder = None if root is None else root / "samples" / "screening"
    if folder is None or not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail("the labelled sets are missing: put them in ../shared/samples/screening or set BALM_SHARED")
        pytest.skip("no labelled sets beside this checkout (../shared/samples/screening)")
    return request.param, simulate_table(
        folder / f"Cohen_2006_{request.param}.csv.gz",
        labels="label_included",
        prior_included=ASREVIEW[request.param][0],
        prior_excluded=0,
    )


def test_the_order_is_that_of_asreview(case):
    name, done = case
    want = [int(i) for i in ASREVIEW[name][2].split()]
    assert done.order[: len(want)].tolist() == want


def test_the_last_included_is_found_where_asreview_finds_it(case):
    name, done = case
    assert abs(done.read - ASREVIEW[name][1]) <= 0.03 * done.n


def test_stopping_keeps_the_recall_it_promises(case):
    _, done = case
    tests = stopping_history(done.found, len(done.order), every=20)
    stop = next((t.screened for t in tests if t.reached), len(done.order))
    assert done.found[:stop].sum() >= 0.95 * done.found.sum()

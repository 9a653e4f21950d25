"""The same pairs here and on a cluster."""

from __future__ import annotations

import numpy as np
import pytest

from balm.review.deduplication import deciding
from balm.review.deduplication.blocking import candidate_pairs
from balm.review.deduplication.duplicates import find_duplicates
from balm.review.deduplication.prepared import prepare
from balm.vocabulary.problems import InputError
from tests.unit.review.deduplication.test_invariance import exports

distributed = pytest.importorskip("distributed")


@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_gives_the_same_pairs(monkeypatch):
    records = exports(120)
    here = find_duplicates(records)
    monkeypatch.setattr(deciding, "CHUNK", 300)  # several pieces
    assert len(candidate_pairs(prepare(records))[0]) > 900
    with distributed.Client(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as client:
        there = find_duplicates(records, engine="dask", client=client)
    assert there.pairs == here.pairs and there.groups == here.groups and here.groups
    for name in ("i", "j", "band", "score", "rule", "veto", "cutting"):
        assert np.array_equal(getattr(there._scored, name), getattr(here._scored, name)), name


def test_an_engine_that_does_not_exist_is_named():
    with pytest.raises(InputError, match="engine"):
        find_duplicates(exports(2), engine="spark")
    with pytest.raises(InputError, match="client"):
        find_duplicates(exports(2), client=object())

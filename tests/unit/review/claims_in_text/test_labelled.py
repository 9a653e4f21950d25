"""Precision and recall on sentences of published abstracts, labelled by hand."""

from __future__ import annotations

import json

from tests.unit.review.claims_in_text.labelled import LABELLED, scores


def test_there_are_enough_sentences_each_with_its_source() -> None:
    sentences = json.loads(LABELLED.read_text("utf-8"))
    assert len(sentences) >= 60
    assert all(s["source"].startswith(("doi:10.", "PMID ")) for s in sentences)


def test_precision_and_recall() -> None:
    found = scores()
    assert found["all"].precision >= 0.95 and found["all"].recall >= 0.93, found
    assert found["estimate"].precision >= 0.97 and found["estimate"].recall >= 0.95, found
    assert found["called inconsistent"].precision == 1.0 and found["called inconsistent"].recall == 1.0, found

"""A review written as a RevMan 5 file: read back, every number is computed again, and what differs is said."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from xml.etree import ElementTree

import pytest

from balm.actions.certainty import write_gradepro
from balm.actions.review import Review
from balm.actions.revman import read_revman
from balm.report.summary_of_findings import summary_of_findings
from balm.review.revman.rm5_out import rm5
from balm.review.synthesis import analyse
from balm.vocabulary.problems import InputError

FOLDER = Path(__file__).resolve().parents[4] / "reviews" / "ketamine-chronic-pain"


@pytest.fixture(scope="module")
def review():
    return Review.load(FOLDER)


def with_analyses(review, *changes):
    """The synthesis with one analysis, changed in each of these ways."""
    synthesis = review.synthesise()
    spec = synthesis.analysis("responders-immediate").spec
    made = []
    for i, change in enumerate(changes):
        one = dataclasses.replace(spec, id=f"a{i}", title=f"A & B < {i}", sensitivity=(), absolute=False, **change)
        made.append(analyse(synthesis.package, one))
    return dataclasses.replace(synthesis, analyses=tuple(made))


def read(data, tmp_path):
    (tmp_path / "x.rm5").write_bytes(data)
    return read_revman(tmp_path / "x.rm5")


def test_the_bundled_review_reads_back_and_every_stored_number_is_computed_again(review, tmp_path):
    made = write_gradepro(review, tmp_path / "x.rm5")
    back = read_revman(tmp_path / "x.rm5")
    agreement = back.recompute()
    assert agreement.numbers > 200 and agreement.disagree == () and agreement.inconsistent == ()
    results = [a for a in review.synthesise().analyses if a.id not in made.left]
    assert len(back.outcomes) == len(results) > 5
    for outcome, result in zip(back.outcomes, results, strict=True):
        assert {row.study for row in outcome.rows} == set(result.whole.effects.study)
        shown = result.whole.displayed
        same = [float(outcome.stored["estimate"]), float(outcome.stored["ci_low"]), float(outcome.stored["ci_high"])]
        close = same == pytest.approx([shown.estimate, shown.interval.low, shown.interval.high], rel=1e-6, abs=1e-6)
        assert close == (result.id not in made.differs), result.id
    assert "crps-series" in made.left and "no control group" in made.left["crps-series"]
    assert "-4.116 to 1.198" in made.differs["pain-two-trials"]  # Hartung and Knapp's interval is not RevMan 5's


def test_numbers_of_groups_go_in_where_they_say_all_and_effects_where_they_do_not(review, tmp_path):
    one = {"model": "common", "inference": "wald"}
    studies = tuple(
        r.study for r in review.synthesise().analysis("responders-immediate").rows if r.design == "parallel"
    )
    changes = ({**one, "studies": studies}, {**one, "studies": studies, "method": "mantel-haenszel"}, one)
    synthesis = with_analyses(review, *changes)
    made = rm5(synthesis)
    assert made.differs == {}  # one effect for all, Wald's interval: RevMan's method is the review's
    back = read(made.data, tmp_path)
    assert back.recompute().disagree == ()
    for outcome, result in zip(back.outcomes, synthesis.analyses, strict=True):
        parallel = all(row.design == "parallel" for row in result.rows)
        assert outcome.type == ("dichotomous" if parallel else "generic inverse variance")
        if parallel:
            want = [{k: row.values[k] for k in ("events_1", "n_1", "events_2", "n_2")} for row in result.rows]
            assert [dict(row.data) for row in outcome.rows] == want
        assert outcome.name.startswith("A and B less than ")
    assert back.outcomes[1].settings.method == "MH"
    assert back.outcomes[2].settings.log_data


def test_the_parts_stand_in_the_order_of_a_data_only_file_of_the_cochrane_library(review):
    root = ElementTree.fromstring(rm5(review.synthesise()).data)
    assert root.tag == "COCHRANE_REVIEW"
    assert [part.tag for part in root] == [
        "COVER_SHEET", "MAIN_TEXT", "STUDIES_AND_REFERENCES", "CHARACTERISTICS_OF_STUDIES", "QUALITY_ITEMS",
        "SOF_TABLES", "ADDITIONAL_TABLES", "ANALYSES_AND_DATA", "FIGURES", "FEEDBACK", "APPENDICES", "EXTENSIONS",
    ]  # fmt: skip
    known = {s.get("ID") for s in root.iter("STUDY")}
    assert {d.get("STUDY_ID") for d in root.iter() if d.tag.endswith("_DATA") and d.get("STUDY_ID")} <= known


def test_what_cannot_be_written_is_refused(review, tmp_path):
    with pytest.raises(InputError, match=r"must end in \.rm5"):
        write_gradepro(review, tmp_path / "x.csv")
    with pytest.raises(InputError, match="no folder"):
        write_gradepro(review, tmp_path / "none" / "x.rm5")
    empty = dataclasses.replace(review.synthesise(), analyses=())
    with pytest.raises(InputError, match="nothing to write"):
        rm5(empty)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("scopes", "shown"), [(("included", "excluded", "awaiting"), 1), (("excluded",), 0)])
def test_an_analysis_of_every_group_is_no_check_outside_the_question(review, scopes, shown):
    synthesis = with_analyses(review, {"scopes": scopes, "studies": ("noppers2011",)})
    assert len(summary_of_findings(synthesis).findings) == shown

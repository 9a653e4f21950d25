"""Reports to studies: proposed, linked, split and taken back; what holds data stays."""

from __future__ import annotations

import itertools
from html import unescape

import pytest
from django.db import DatabaseError, transaction

from balm.actions.team.acting import Refused
from balm.actions.team.rows import put_row
from balm.actions.team.screening import open_stage
from balm.actions.team.study_linking import link, undo, unlink
from balm.actions.team.versions import begin_update
from balm.review.full_texts.linking import Candidate, proposals, study_id, study_label
from balm.review.schema import TABLE_BY_FILE
from balm.store.events.chain import broken_links
from balm.store.full_texts.linking import included_ids, last_step, row_of
from balm.store.full_texts.models import Linking
from balm.store.records.details import keep_details
from balm.store.reviews.models import Row
from balm.store.reviews.package_rows import add_rows, package_files, package_of
from balm.vocabulary.problems import InputError
from balm.vocabulary.record import Record
from tests.web.conftest import Team
from tests.web.test_screening_actions import FT, TA, records_of, vote

RECORDS = [
    {"record": "m1", "title": "Ketamine for pain NCT12345678", "authors": "Miller, A.; Roe, B.", "year": "2031",
     "doi": "10.1/m1"},
    {"record": "m2", "title": "Long-term results", "authors": "Smith, C.", "year": "2033",
     "abstract": "ClinicalTrials.gov NCT 12345678."},
    {"record": "m3", "title": "Correction", "authors": "Miller A", "year": "2031"},
    {"record": "m4", "title": "Another thing", "authors": "Else, D.", "year": "2031"},
]  # fmt: skip
numbers = itertools.count(1)


def sub() -> str:
    return f"linking-{next(numbers)}"


@pytest.fixture
def included(team: Team) -> Team:
    """m1, m2 and m3 are included at full text; m4 has one vote there."""
    add_rows(team.review, TABLE_BY_FILE["records.csv"], RECORDS)
    for stage, decided in ((TA, ("m1", "m2", "m3", "m4")), (FT, ("m1", "m2", "m3"))):
        open_stage(team.owner.acting, stage, ["tariq", "sofia"])
        for who in (team.teammate, team.second):
            records_of(who, stage)
            for record in decided:
                vote(who, record, "include", stage=stage, batch=1)
    vote(team.teammate, "m4", "include", stage=FT, batch=1)
    return team


def url(team: Team, rest: str = "") -> str:
    return f"/reviews/{team.review.slug}/full-texts/studies/{rest}"


def test_a_report_is_cited_from_the_best_fields_of_its_records(included: Team) -> None:
    """In Vancouver style: the record kept says who wrote what, another one of the report where it was printed."""
    copy = {"record": "m9", "title": "Ketamine for pain NCT12345678", "authors": "Miller A", "year": "2031",
            "journal": "Pain"}  # fmt: skip
    add_rows(included.review, TABLE_BY_FILE["records.csv"], [copy])
    add_rows(included.review, TABLE_BY_FILE["duplicates.csv"], [
        {"record_1": "m1", "record_2": "m9", "decision": "duplicate", "by": "rule", "decided": "2031-01-01T00:00:00Z"},
    ])  # fmt: skip
    printed = Record("m9", volume="145", issue="3", pages="304-311")
    keep_details(included.review, ["m9"], [printed])
    link(included.owner.acting, "m1", submission=sub())
    link(included.owner.acting, "m2", submission=sub())
    cited = [(row_of(included.review, "reports.csv", report) or {})["citation"] for report in ("m1", "m2")]
    assert cited == [
        "Miller A, Roe B. Ketamine for pain NCT12345678. Pain. 2031;145(3):304-11.",
        "Smith C. Long-term results. 2033.",
    ]


def test_what_speaks_for_one_study() -> None:
    one, two, three = (
        Candidate("a", ("Miller, A.",), 2031, ("NCT12345678",)),
        Candidate("b", ("Smith C",), 2033, ("NCT12345678",)),
        Candidate("c", ("A. Miller",), 2031),
    )
    found = proposals([one, two, three], {frozenset("bc")})
    assert found["a"] == {"b": ("trial NCT12345678",), "c": ("first author and year",)}
    assert found["b"]["c"] == ("said to be one study",)
    assert proposals([Candidate("a", (), None), Candidate("b", (), None)]) == {"a": {}, "b": {}}


@pytest.mark.parametrize(
    ("authors", "taken", "label"),
    [
        (["Miller, A."], [], "Miller 2031"),
        (["Miller A"], ["miller 2031", "Miller 2031a"], "Miller 2031b"),
        (["Anna B. Miller"], [], "Miller 2031"),
        (["van der Berg, J"], [], "van der Berg 2031"),
        ([], [], "Unnamed 2031"),
    ],
)
def test_labels(authors: list[str], taken: list[str], label: str) -> None:
    assert study_label(authors, 2031, taken) == label


def test_ids_are_plain() -> None:
    assert study_id("Müller-Lüdenscheid 2031a", set()) == "mullerludenscheid2031a"
    assert study_id("李 2031", {"2031"}) == "2031-2"
    assert study_id("李", set()) == "study"


def test_a_report_begins_a_study_and_another_joins_it(included: Team) -> None:
    who, review = included.teammate.acting, included.review
    assert [i for i in included_ids(review) if i.startswith("m")][:3] == ["m1", "m2", "m3"]
    assert "m4" not in included_ids(review)
    one = sub()
    assert link(who, "m1", submission=one).pk == link(who, "m1", submission=one).pk
    study = row_of(review, "studies.csv", "miller2031")
    assert study is not None
    assert (study["label"], study["report"], study["scope"]) == ("Miller 2031", "m1", "included")
    link(who, "m2", "miller2031", kind="trial report", primary=True, submission=sub())
    assert row_of(review, "studies.csv", "miller2031")["report"] == "m2"  # type: ignore[index]
    assert row_of(review, "reports.csv", "m2")["studies"] == "miller2031"  # type: ignore[index]
    assert "m1" in {r.report for r in package_of(review).reports if "miller2031" in r.studies}
    unlink(who, "m2", "miller2031", submission=sub())
    assert row_of(review, "studies.csv", "miller2031")["report"] == "m1"  # type: ignore[index]
    assert list(broken_links(review.key)) == []


def test_every_step_is_taken_back(included: Team) -> None:
    who, review = included.teammate.acting, included.review
    before = package_files(review)
    link(who, "m1", submission=sub())
    link(who, "m2", "miller2031", primary=True, submission=sub())
    with pytest.raises(InputError, match="was changed since"):
        undo(who, 1, submission=sub())
    unlink(who, "m2", "miller2031", submission=sub())
    unlink(who, "m1", "miller2031", submission=sub())
    assert row_of(review, "studies.csv", "miller2031") is None
    while step := last_step(review):
        undo(who, step.number, submission=sub())
        assert package_of(review)
    with pytest.raises(InputError, match="taken back already"):
        undo(who, 1, submission=sub())
    after = package_files(review)
    assert {path for path in after if after[path] != before[path]} == set()
    assert list(broken_links(review.key)) == []


def test_a_study_that_goes_leaves_its_version_too(included: Team) -> None:
    who, review = included.teammate.acting, included.review
    step = link(who, "m1", submission=sub())
    begin_update(included.owner.acting, "0.2")
    assert step.study in row_of(review, "versions.csv", "0.1")["studies"]
    undo(who, step.number, submission=sub())
    assert step.study not in row_of(review, "versions.csv", "0.1")["studies"]
    assert package_of(review) and list(broken_links(review.key)) == []
    again = link(who, "m1", submission=sub())
    gap = Row.objects.filter(review=review, table="gaps.csv").order_by("position").first()
    put_row(included.owner.acting, "gaps.csv", gap.cells | {"studies": again.study}, reason="missing means")
    with pytest.raises(InputError, match="is named in gaps"):
        undo(who, again.number, submission=sub())
    assert package_of(review)


def test_a_study_with_data_does_not_go(included: Team) -> None:
    study = Row.objects.filter(review=included.review, table="arms.csv").first().cells["study"]  # type: ignore[union-attr]
    report = row_of(included.review, "studies.csv", study)["report"]  # type: ignore[index]
    with pytest.raises(InputError, match=r"holds data \(.*arms.csv"):
        unlink(included.owner.acting, report, study, submission=sub())
    assert study in row_of(included.review, "reports.csv", report)["studies"]  # type: ignore[index]
    assert not Linking.objects.exists()


def test_what_cannot_be_linked(included: Team) -> None:
    who = included.owner.acting
    link(who, "m1", submission=sub())
    for given, why in (
        ({"report": "m4"}, "not included"),
        ({"report": "m2", "study": "nothing"}, "no study"),
        ({"report": "m1", "study": "miller2031"}, "already"),
        ({"report": "m2", "kind": "novel"}, "kind must be one of"),
        ({"report": "m2", "label": "MILLER 2031"}, "another study is called"),
    ):
        with pytest.raises(InputError, match=why):
            link(who, submission=sub(), **given)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="is not linked"):
        unlink(who, "m2", "miller2031", submission=sub())
    with pytest.raises(Refused):
        link(included.reader.acting, "m2", submission=sub())
    assert Linking.objects.count() == 1


def test_the_page(included: Team) -> None:
    link(included.owner.acting, "m1", submission=sub())
    page = included.teammate.client.get(url(included)).content.decode()
    assert '<option value="miller2031">Miller 2031 (trial NCT12345678, as m1)</option>' in page
    assert '<option value="miller2031">Miller 2031 (first author and year, as m1)</option>' in page
    given = {"report": "m3", "study": "miller2031", "kind": "text", "submission": sub()}
    assert included.teammate.client.post(url(included, "link/"), given).status_code == 302
    given = {"report": "m3", "study": "miller2031", "submission": sub()}
    assert included.teammate.client.post(url(included, "split/"), given).status_code == 302
    number = str(last_step(included.review).number)  # type: ignore[union-attr]
    for sent, code in ((number, 302), ("x", 422), ("9" * 30, 422)):
        given = {"number": sent, "submission": sub()}
        assert included.teammate.client.post(url(included, "undo/"), given).status_code == code
    assert row_of(included.review, "reports.csv", "m3")["studies"] == "miller2031"  # type: ignore[index]
    assert included.stranger.client.get(url(included)).status_code == 404
    assert included.reader.client.post(url(included, "link/"), given).status_code == 403
    assert "<button>Link" not in included.reader.client.get(url(included)).content.decode()


def test_it_is_written_once_and_says_nothing_of_a_hidden_vote(included: Team) -> None:
    def seen() -> list[str]:
        page = included.second.client.get(url(included)).content.decode()
        return [line for line in page.split("\n") if "submission" not in line and "csrf" not in line.lower()]

    before = seen()
    vote(included.teammate, "m4", "exclude", stage=FT, batch=1, reason="wrong population")
    assert seen() == before
    link(included.owner.acting, "m1", submission=sub())
    with pytest.raises(DatabaseError), transaction.atomic():
        Linking.objects.update(report="m2")


def test_a_study_gets_another_place_with_a_reason_and_keeps_its_data(team: Team) -> None:
    address = f"/reviews/{team.review.slug}/full-texts/studies/"
    study = "noppers2011"
    row = Row.objects.get(review=team.review, table="studies.csv", key=study)
    sent = {"study": study, "version": str(row.version), "scope": "excluded", "reason": "Retracted in 2026"}
    for who in (team.reader, team.teammate, team.statistician):
        assert who.client.post(f"{address}place/", sent).status_code == 403
        assert "Change" not in who.client.get(address).content.decode()
    for wrong, said in (
        ({"reason": " "}, "say why"), ({"scope": "included"}, "is there already: included"),
        ({"scope": "gone"}, "must be one of"), ({"study": "nobody"}, "there is no study"),
        ({"version": "99"}, "was changed by somebody else"),
    ):  # fmt: skip
        refused = team.owner.client.post(f"{address}place/", sent | wrong)
        assert refused.status_code == 422 and said in unescape(refused.content.decode()), wrong
    assert 'value="Retracted in 2026"' in refused.content.decode(), "what was typed stands there again"
    results = Row.objects.filter(review=team.review, table="results.csv").count()
    assert team.owner.client.post(f"{address}place/", sent).status_code == 302
    row.refresh_from_db()
    assert (row.cells["scope"], row.cells["scope_note"]) == ("excluded", "Retracted in 2026")
    assert Row.objects.filter(review=team.review, table="results.csv").count() == results
    assert "Retracted in 2026" in team.reader.client.get(address).content.decode()
    assert list(broken_links(team.review.key)) == []

"""The pages of searches, records and duplicates: for members, by role; wrong input gives one message."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from balm.actions.team.deduplication import canonical_ids, canonical_records, last_answer, questions
from balm.store.records.models import Import, Upload
from tests.web.conftest import Team
from tests.web.test_records_import import DOUBTFUL, EMBASE, MEDLINE, bring


def at(team: Team, rest: str) -> str:
    return f"/reviews/{team.review.slug}/{rest}"


def send(team: Team, *files: tuple[str, str], **told: object):  # type: ignore[no-untyped-def]
    given = [SimpleUploadedFile(name, text.encode()) for name, text in files]
    return team.owner.client.post(at(team, "records/import/"), {"files": given, "submission": "x1", **told})


def test_files_are_sent_read_and_shown_with_their_receipts(team: Team) -> None:
    answer = send(
        team, ("medline.ris", MEDLINE), ("embase.ris", EMBASE), source=["PubMed", "Embase"], date=["2026-11-01", ""]
    )
    assert answer.status_code == 302
    page = team.owner.client.get(answer.headers["Location"]).content.decode()
    assert "after duplicates were merged" in page
    for text in ("PubMed", "Embase", "2026-11-01"):
        assert text in page
    receipt = team.reader.client.get(at(team, "records/searches/medline/")).content.decode()
    assert "Receipt of medline.ris" in receipt
    assert "Take the whole import back" not in receipt
    raw = team.reader.client.get(at(team, "records/searches/medline/raw/"))
    assert raw.content == MEDLINE.encode()
    assert raw.headers["Content-Disposition"] == 'attachment; filename="medline.ris"'


def test_a_bad_file_is_refused_on_the_page_and_can_be_taken_off(team: Team) -> None:
    send(team, ("letter.ris", "Dear all, please find attached.\n"))
    page = team.owner.client.get(at(team, "records/")).content.decode()
    assert "Nothing of this file was saved" in page
    assert Import.objects.count() == 0
    upload = Upload.objects.get()
    team.owner.client.post(at(team, f"records/uploads/{upload.pk}/dismiss/"))
    assert not Upload.objects.exists()


def test_nothing_and_a_wrong_kind_are_one_message(team: Team) -> None:
    for answer in (send(team), send(team, ("a.ris", MEDLINE), kind="blog")):
        assert answer.status_code == 422
        assert answer.content.decode().count("<li>") == 1
    assert not Upload.objects.exists()


def test_records_are_found_by_title_author_and_doi(team: Team) -> None:
    bring(team.owner, ("medline.ris", MEDLINE), ("embase.ris", EMBASE))
    for words, found in (
        ("", 3),
        ("KETAMINE chronic", 1),
        ("clark", 1),
        ("10.1000/K", 1),
        ("nothing here", 0),
        ("\x00", 3),
    ):
        page = team.reader.client.get(at(team, "records/all/"), {"q": words}).content.decode()
        assert page.count('<li><a href="') == found, words
    assert "<html" not in team.reader.client.get(at(team, "records/all/"), HTTP_HX_REQUEST="true").content.decode()


def test_a_record_shows_its_sources_and_where_each_field_came_from(team: Team) -> None:
    bring(team.owner, ("medline.ris", MEDLINE), ("embase.ris", EMBASE))
    one = canonical_records(team.review)[0]
    page = team.reader.client.get(at(team, f"records/all/{one.id}/")).content.decode()
    assert "A trial of ketamine." in page
    assert f"from {one.ids[1]}" in page
    assert "lines 1 to" in page
    other = team.reader.client.get(at(team, f"records/all/{one.ids[1]}/"))
    assert other.headers["Location"].endswith(f"/records/all/{one.id}/")
    assert team.reader.client.get(at(team, "records/all/none/")).status_code == 404


@pytest.mark.parametrize(("ending", "text"), [("ris", "TY  - JOUR"), ("csv", "title"), ("bib", "@article")])
def test_all_records_go_to_a_reference_manager_without_votes(team: Team, ending: str, text: str) -> None:
    voted = MEDLINE.replace("ER  - ", "N1  - ASReview_relevant\nER  - ", 1)
    bring(team.owner, ("medline.ris", voted), ("embase.ris", EMBASE))
    got = team.reader.client.get(at(team, f"records/download/{ending}/")).content.decode()
    assert text in got
    assert got.lower().count("lidocaine for burning mouth") == 1
    assert "relevant" not in got.lower().replace("irrelevant", "relevant")
    assert team.reader.client.get(at(team, "records/download/exe/")).status_code == 404


def test_a_question_is_shown_side_by_side_answered_and_undone(team: Team) -> None:
    bring(team.owner, ("a.ris", DOUBTFUL[0]), ("b.ris", DOUBTFUL[1]))
    assert "answer 1 question on possible duplicates" in team.owner.client.get(at(team, "records/")).content.decode()
    assert "Next:" not in team.teammate.client.get(at(team, "records/")).content.decode()
    page = team.owner.client.get(at(team, "deduplication/")).content.decode()
    assert "<mark>" in page
    assert "900" in page
    (asked,) = questions(team.review)
    pair = {"record_1": asked.record_1, "record_2": asked.record_2}
    wrong = team.owner.client.post(at(team, "deduplication/answer/"), {**pair, "answer": "maybe"})
    assert wrong.status_code == 422
    nobody = team.owner.client.post(
        at(team, "deduplication/answer/"), {"record_1": "x", "record_2": "y", "answer": "duplicate"}
    )
    assert nobody.status_code == 422
    for _ in range(2):
        done = team.owner.client.post(
            at(team, "deduplication/answer/"), {**pair, "answer": "duplicate"}, HTTP_HX_REQUEST="true"
        )
        assert "No question is left" in done.content.decode()
    assert "open the screening of titles" in team.owner.client.get(at(team, "records/")).content.decode()
    assert len(canonical_ids(team.review)) == 1
    assert "by olga" in team.reader.client.get(at(team, "deduplication/groups/")).content.decode()
    assert "one report" in team.reader.client.get(at(team, "deduplication/decisions/")).content.decode()
    last = last_answer(team.owner.acting)
    assert last is not None
    team.owner.client.post(at(team, "deduplication/undo/"), {**pair, "time": last.time})
    assert len(questions(team.review)) == 1


def test_a_merge_by_rule_is_taken_back_from_the_list(team: Team) -> None:
    bring(team.owner, ("medline.ris", MEDLINE), ("embase.ris", EMBASE))
    one = canonical_records(team.review)[0]
    for _ in range(2):
        team.owner.client.post(at(team, "deduplication/groups/take-out/"), {"record": one.ids[1]})
        assert len(canonical_ids(team.review)) == 4
    assert "a merge taken back" in team.owner.client.get(at(team, "deduplication/decisions/")).content.decode()


def test_a_search_is_corrected_with_a_reason_and_an_import_taken_back(team: Team) -> None:
    bring(team.owner, ("medline.ris", MEDLINE))
    told = {"kind": "database", "source": "MEDLINE", "version": "1"}
    path = at(team, "records/searches/medline/change/")
    assert team.owner.client.post(path, told).status_code == 422
    assert team.owner.client.post(path, {**told, "reason": "typed wrong"}).status_code == 302
    assert team.owner.client.post(path, {**told, "source": "x", "reason": "old page"}).status_code == 422
    assert "MEDLINE" in team.owner.client.get(at(team, "records/")).content.decode()
    assert (
        team.owner.client.post(at(team, "records/searches/medline/withdraw/"), {"reason": "wrong"}).status_code == 302
    )
    assert canonical_ids(team.review) == []
    assert "taken back" in team.owner.client.get(at(team, "records/searches/medline/")).content.decode()


LEAD_ONLY = (
    "records/import/", "records/uploads/1/dismiss/", "records/searches/medline/change/",
    "records/searches/medline/withdraw/", "deduplication/answer/", "deduplication/undo/", "deduplication/look/",
    "deduplication/groups/take-out/",
)  # fmt: skip
FOR_ALL = (
    "records/", "records/all/", "records/searches/medline/", "records/searches/medline/raw/", "records/download/ris/",
    "deduplication/groups/", "deduplication/decisions/",
)  # fmt: skip


def test_strangers_see_nothing_and_readers_change_nothing(team: Team) -> None:
    bring(team.owner, ("medline.ris", MEDLINE))
    for path in LEAD_ONLY:
        assert team.stranger.client.post(at(team, path)).status_code == 404, path
        assert team.anonymous.post(at(team, path)).status_code == 302, path
        for someone in (team.reader, team.teammate, team.arbiter):
            assert someone.client.post(at(team, path)).status_code == 403, path
    for path in FOR_ALL:
        assert team.stranger.client.get(at(team, path)).status_code == 404, path
        assert team.reader.client.get(at(team, path)).status_code == 200, path
    for path in ("deduplication/", "records/uploads/"):
        assert team.reader.client.get(at(team, path)).status_code == 403, path
    assert len(canonical_ids(team.review)) == 2


def test_what_a_file_says_is_text_on_the_page(team: Team) -> None:
    nasty = MEDLINE.replace("Lidocaine", "<script>alert(1)</script>{{ 7|add:7 }}")
    bring(team.owner, ("<b>x.ris", nasty))
    for path in ("records/", "records/all/"):
        assert "<script>alert" not in team.owner.client.get(at(team, path)).content.decode()

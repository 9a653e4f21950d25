"""Search exports come in whole or not at all, with their receipt; an import can be taken back."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest
from django.db import DatabaseError, connection, transaction

from balm.actions.team.acting import Acting, Refused
from balm.actions.team.archive import archive, bring_archive
from balm.actions.team.deduplication import (
    answer_question,
    canonical_ids,
    canonical_records,
    last_answer,
    questions,
    take_out,
    undo_answer,
)
from balm.actions.team.records import MAX_FILE, receive, rows_hash, withdraw
from balm.actions.team.versions import begin_update
from balm.review.flow_counts import flow_of
from balm.store.events.chain import broken_links
from balm.store.events.models import Event
from balm.store.records.models import Import, Upload
from balm.store.reviews.models import Member, Row, StoredFile
from balm.store.reviews.package_rows import package_files, package_of
from balm.vocabulary.problems import InputError
from balm.web.records.background import work
from tests.web.conftest import Someone, Team, person
from tests.web.test_archive import _forget_chain, moved


def entry(title: str, author: str = "Lynch, ME", year: int = 2015, **more: object) -> str:
    lines = ["TY  - JOUR", f"TI  - {title}", f"AU  - {author}", f"PY  - {year}"]
    lines += [f"{tag}  - {value}" for tag, value in more.items()]
    return "\n".join([*lines, "ER  - ", ""])


LONG = "Ketamine for chronic neuropathic pain after spinal cord injury"
MEDLINE = entry(LONG, JO="Pain", VL=16, SP=221, EP=228, DO="10.1000/k") + entry(
    "Lidocaine for burning mouth", "Clark, AJ"
)
EMBASE = entry(
    LONG.upper() + ".", "Lynch ME", JO="Pain", VL=16, SP="221", DO="10.1000/K", AB="A trial of ketamine."
) + entry("Magnesium in migraine prophylaxis", "Moore, A", 2011)


def bring(who: Someone, *files: tuple[str, str | bytes], submission: str = "one", **about: str) -> list[Upload]:
    given = [(name, text.encode() if isinstance(text, str) else text) for name, text in files]
    made = receive(who.acting, given, about, submission=submission)
    work(who.acting)
    for upload in made:
        upload.refresh_from_db()
    return made


def state(team: Team) -> tuple[int, int, int, int]:
    kept = (Row.objects, StoredFile.objects, Import.objects, Event.objects)
    return tuple(m.count() for m in kept)  # type: ignore[return-value]


def test_two_exports_come_in_with_receipts_and_one_event_each(team: Team) -> None:
    uploads = bring(team.owner, ("medline.ris", MEDLINE), ("embase.ris", EMBASE), source="Ovid", interface="Ovid")
    assert [u.state for u in uploads] == ["done", "done"], [u.problems for u in uploads]
    package = package_of(team.review)
    assert [(s.search, s.retrieved, s.interface, s.file) for s in package.searches] == [
        ("medline", 2, "Ovid", "searches/medline.ris"), ("embase", 2, "Ovid", "searches/embase.ris"),
    ]  # fmt: skip
    assert len(package.records) == 4
    assert StoredFile.objects.get(review=team.review, path="searches/embase.ris").content == EMBASE.encode()
    receipts = [i.receipt for i in Import.objects.filter(review=team.review)]
    assert [(r["read"], r["rejected"]) for r in receipts] == [(2, 0), (2, 0)]
    events = Event.objects.filter(chain=team.review.key, action="import search")
    assert [e.entity_id for e in events] == ["medline", "embase"]
    cells = Row.objects.filter(review=team.review, table="records.csv", cells__search="embase").order_by("position")
    assert events[1].after["rows_sha256"] == rows_hash(cells.values_list("cells", flat=True))
    assert list(broken_links(team.review.key)) == []


def test_the_certain_duplicate_is_merged_by_rule_and_every_count_follows(team: Team) -> None:
    bring(team.owner, ("medline.ris", MEDLINE), ("embase.ris", EMBASE))
    assert len(canonical_ids(team.review)) == 3
    merged = canonical_records(team.review)[0]
    assert merged.searches == ("medline", "embase")
    assert merged.abstract == "A trial of ketamine."
    package = package_of(team.review)
    (row,) = package.duplicates
    assert (row.decision, row.person, row.record_1) == ("duplicate", None, merged.id)
    flow = flow_of(package)
    assert (flow.database_results, flow.duplicates) == (4, 1)


def test_a_merge_is_taken_back_and_every_count_follows(team: Team) -> None:
    bring(team.owner, ("medline.ris", MEDLINE), ("embase.ris", EMBASE))
    one = canonical_records(team.review)[0]
    assert take_out(team.owner.acting, one.ids[1]) == 1
    assert len(canonical_ids(team.review)) == 4
    assert flow_of(package_of(team.review)).duplicates == 0
    bring(team.owner, ("third.ris", entry("Capsaicin patches for feet", "Doe, J", 2001)), submission="two")
    assert len(canonical_ids(team.review)) == 5, "what was taken out stays out at the next import"
    assert take_out(team.owner.acting, one.ids[1]) == 0


TRIAL = "Ketamine for chronic neuropathic pain of adults: a randomised trial"
DOUBTFUL = (
    entry(TRIAL, "Lynch, Mary", JO="Pain", VL=16, SP=221, EP=228),
    entry(TRIAL.split(":")[0], "Lynch, Mary", JO="Pain", VL=16, SP=900, EP=905),
)


@pytest.mark.parametrize(("answer", "left"), [("duplicate", 1), ("not duplicate", 2), ("same study", 2)])
def test_an_answer_is_remembered_and_can_be_undone(team: Team, answer: str, left: int) -> None:
    bring(team.owner, ("a.ris", DOUBTFUL[0]), ("b.ris", DOUBTFUL[1]))
    (question,) = questions(team.review)
    pair = question.record_1, question.record_2
    assert answer_question(team.owner.acting, *pair, answer) is not None
    assert answer_question(team.owner.acting, *reversed(pair), answer) is None, "said twice, counted once"
    assert len(canonical_ids(team.review)) == left
    assert questions(team.review) == []
    bring(team.owner, ("c.ris", entry("Capsaicin patches for feet", "Doe, J", 2001)), submission="two")
    assert questions(team.review) == []
    assert len(canonical_ids(team.review)) == left + 1
    told = last_answer(team.owner.acting)
    assert told is not None
    assert told.rule == ("same study, different report" if answer == "same study" else None)
    assert undo_answer(team.owner.acting, told.record_1, told.record_2, told.time or "")
    assert not undo_answer(team.owner.acting, told.record_1, told.record_2, told.time or "")
    assert len(questions(team.review)) == 1
    assert len(canonical_ids(team.review)) == 3
    assert last_answer(team.owner.acting) is None


def test_the_record_kept_stays_when_a_more_complete_one_comes(team: Team) -> None:
    bring(team.owner, ("medline.ris", entry(LONG, DO="10.1000/k")))
    kept = canonical_ids(team.review)
    bring(team.owner, ("embase.ris", EMBASE), submission="two")
    assert canonical_ids(team.review)[0] == kept[0]
    assert canonical_records(team.review)[0].abstract == "A trial of ketamine."


def test_the_same_file_twice_is_refused(team: Team) -> None:
    bring(team.owner, ("medline.ris", MEDLINE))
    before = state(team)
    (again,) = bring(team.owner, ("other name.ris", MEDLINE), submission="two")
    assert again.state == "refused"
    assert "was imported already, as medline" in again.problems[0]
    assert state(team) == before


def test_a_request_sent_again_brings_nothing_twice(team: Team) -> None:
    first = receive(team.owner.acting, [("medline.ris", MEDLINE.encode())], {}, submission="one")
    again = receive(team.owner.acting, [("medline.ris", MEDLINE.encode())], {}, submission="one")
    assert [u.pk for u in first] == [u.pk for u in again]


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return out.getvalue()


BAD = {
    "empty": b"",
    "blank": b"  \n\n",
    "binary": bytes(range(256)) * 40,
    "prose": b"Dear all, please find attached our search.\n" * 5,
    "entities": b'<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><xml><records>&c;</records></xml>',
    "cut gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03abc",
    "cut zip": b"PK\x03\x04" + b"\x00" * 40,
    "too large": b"x" * (MAX_FILE + 1),
    "deep": b"<xml><records>" + b"<record>" * 20_000,
    "bomb": gzip.compress(b"TY  - JOUR\nTI  - " + b"a" * 80_000_000),
    "wide": b",".join(b"c%d" % k for k in range(1_000_000)) + b"\n",
    "folder of nothing": zipped({"readme.txt": b"nothing here"}),
    "truncated": gzip.compress(MEDLINE.encode())[:-20],
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(5000),
    "no records": b"title,authors,year\n",
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_is_no_export_gives_one_message_and_saves_nothing(team: Team, kind: str) -> None:
    before = state(team)
    (upload,) = bring(team.owner, (f"{kind}.ris", BAD[kind]))
    assert upload.state == "refused"
    assert len(upload.problems) == 1
    assert upload.problems[0].startswith(f"{kind}.ris")
    assert "/tmp" not in upload.problems[0]
    assert upload.content is None
    assert state(team) == before


def test_characters_that_no_database_keeps_are_cleaned_and_listed(team: Team) -> None:
    (upload,) = bring(team.owner, ("nul.csv", "title,authors,year\nKeta\x00mine for pain,Lynch ME,2015\n"))
    assert upload.state == "done", upload.problems
    assert canonical_records(team.review)[0].title == "Ketamine for pain"
    problems = Import.objects.get(review=team.review).receipt["problems"]
    assert any("no text" in p["why"] or "NUL" in p["why"] for p in problems), problems


def test_what_people_say_of_a_search_is_kept_and_checked(team: Team) -> None:
    with pytest.raises(InputError, match="kind must be one of"):
        bring(team.owner, ("a.ris", MEDLINE), kind="blog")
    told = {"kind": "register", "source": "CENTRAL", "strategy": "ketamine\x00 AND pain", "date": "2026-11-01"}
    bring(team.owner, ("a.ris", MEDLINE), submission="two", **told)
    (search,) = package_of(team.review).searches
    assert (search.kind, search.source, search.strategy) == ("register", "CENTRAL", "ketamine AND pain")


def test_only_a_lead_imports_and_decides(team: Team) -> None:
    for someone in (team.teammate, team.reader, team.arbiter):
        with pytest.raises(Refused):
            bring(someone, ("a.ris", MEDLINE))
        with pytest.raises(Refused):
            answer_question(someone.acting, "a", "b", "duplicate")
        with pytest.raises(Refused):
            withdraw(someone.acting, "a", reason="x")


def test_an_import_is_taken_back_and_can_come_again(team: Team) -> None:
    bring(team.owner, ("medline.ris", MEDLINE), ("embase.ris", EMBASE))
    with pytest.raises(InputError, match="needs a reason"):
        withdraw(team.owner.acting, "medline", reason=" ")
    withdraw(team.owner.acting, "medline", reason="wrong export")
    package = package_of(team.review)
    assert [s.search for s in package.searches] == ["embase"]
    assert (len(package.records), package.duplicates) == (2, ())
    assert len(canonical_ids(team.review)) == 2
    assert flow_of(package).database_results == 2
    event = Event.objects.filter(chain=team.review.key, action="withdraw import").get()
    assert (event.reason, event.before["records"], len(event.before["duplicates"])) == ("wrong export", 2, 1)
    bring(team.owner, ("medline.ris", MEDLINE), submission="two")
    assert [s.search for s in package_of(team.review).searches] == ["embase", "medline-2"]
    assert len(canonical_ids(team.review)) == 3
    assert StoredFile.objects.filter(review=team.review, path__startswith="searches/").count() == 2


def test_an_import_that_is_taken_back_leaves_its_version_too(team: Team) -> None:
    bring(team.owner, ("medline.ris", MEDLINE), ("embase.ris", EMBASE))
    begin_update(team.owner.acting, "0.2")
    withdraw(team.owner.acting, "medline", reason="wrong export")
    assert [v.searches for v in package_of(team.review).versions if v.version == "0.1"] == [("embase",)]


def test_an_import_stays_once_a_person_has_decided_on_it(team: Team) -> None:
    bring(team.owner, ("a.ris", DOUBTFUL[0]), ("b.ris", DOUBTFUL[1]))
    (question,) = questions(team.review)
    row = answer_question(team.owner.acting, question.record_1, question.record_2, "duplicate")
    assert row is not None
    with pytest.raises(InputError, match="olga decided on"):
        withdraw(team.owner.acting, "a", reason="wrong export")
    undo_answer(team.owner.acting, row.record_1, row.record_2, row.time or "")
    withdraw(team.owner.acting, "a", reason="wrong export")
    assert len(canonical_ids(team.review)) == 1


@pytest.mark.parametrize("table", ["records_import", "records_withdrawal"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET search = 'x'", "DELETE FROM {}"])
def test_the_database_refuses_to_change_what_is_written_once(team: Team, table: str, verb: str) -> None:
    bring(team.owner, ("medline.ris", MEDLINE))
    withdraw(team.owner.acting, "medline", reason="wrong export")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(verb.format(table))


def test_receipts_go_home_with_the_review_and_come_back(team: Team) -> None:
    bring(team.owner, ("medline.ris", MEDLINE), ("embase.ris", EMBASE))
    withdraw(team.owner.acting, "medline", reason="wrong export")
    first = archive(team.owner.acting)
    key = team.review.key
    moved(team.review)
    _forget_chain(key)
    someone = person("new@example.org", "New")
    review = bring_archive(first, user=someone.user, claim="olga")
    assert archive(Acting(review, Member.objects.get(review=review, user=someone.user))) == first
    assert len(canonical_ids(review)) == 2


def test_ids_given_twice_and_cells_like_formulas_come_in_safely(team: Team) -> None:
    table = "id,title,authors,year\nx,=cmd|' /C calc'!A0,Lynch ME,2015\nx,Lidocaine for sciatica,Clark AJ,2016\n"
    (upload,) = bring(team.owner, ("twice.csv", table))
    assert upload.state == "done", upload.problems
    assert len(set(canonical_ids(team.review))) == 2
    assert canonical_records(team.review)[0].title == "=cmd|' /C calc'!A0"
    cells = Row.objects.filter(review=team.review, table="records.csv").order_by("position").first()
    assert cells is not None
    assert cells.cells["title"].startswith("=")  # the apostrophe belongs to the file
    assert b"\nx,twice,'=cmd|" in package_files(team.review)["records.csv"]
    got = team.owner.client.get(f"/reviews/{team.review.slug}/records/download/csv/").content.decode()
    assert "'=cmd" in got

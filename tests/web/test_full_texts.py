"""Full texts: what is sought, attempts, PDFs in and out, quotes found; who may, and what is refused."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from pypdf import PdfWriter

from balm.actions.team.full_texts import keep_paper, note_attempt
from balm.actions.team.pdf_pages import clean, read_pdf
from balm.actions.team.screening import open_stage
from balm.review.flow_counts import flow_of
from balm.store.events.chain import broken_links
from balm.store.events.models import Event
from balm.store.full_texts.models import Attempt, Paper
from balm.store.full_texts.standing import ids_sought, not_retrieved
from balm.store.reviews.models import Row, StoredFile
from balm.store.reviews.package_rows import package_of
from balm.vocabulary.problems import InputError
from tests.web.conftest import Someone, Team
from tests.web.test_screening_actions import TA, records_of, vote, with_records


def pdf(*pages: str, password: str = "", owner: str = "") -> bytes:
    """A PDF that says one line on each page, written by hand."""
    kids = " ".join(f"{4 + 2 * k} 0 R" for k in range(len(pages)))
    parts = ["<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>",
             "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]  # fmt: skip
    for k, words in enumerate(pages):
        stream = f"BT /F1 12 Tf 72 720 Td ({words}) Tj ET"
        font = "/Resources<</Font<</F1 3 0 R>>>>"
        parts.append(f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]{font}/Contents {5 + 2 * k} 0 R>>")
        parts.append(f"<</Length {len(stream)}>>stream\n{stream}\nendstream")
    out, places = "%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{part}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(parts) + 1
    out += (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{len(out)}\n%%EOF"
    )
    made = out.encode()
    if password or owner:
        writer, written = PdfWriter(clone_from=io.BytesIO(made)), io.BytesIO()
        writer.encrypt(password, owner or None, algorithm="RC4-128")
        writer.write(written)
        return written.getvalue()
    return made


@pytest.fixture
def sought(team: Team) -> Team:
    """Four records: r1 and r2 went forward, r3 is excluded, r4 has one vote only."""
    with_records(team.review, 4)
    open_stage(team.owner.acting, TA, ["tariq", "sofia"])
    for who in (team.teammate, team.second):
        records_of(who)
        for record, decision in (("r1", "include"), ("r2", "include"), ("r3", "exclude")):
            vote(who, record, decision, batch=1)
    vote(team.teammate, "r4", "include", batch=1)
    return team


def url(team: Team, rest: str = "") -> str:
    return f"/reviews/{team.review.slug}/full-texts/{rest}"


def send(who: Someone, team: Team, data: bytes, name: str = "a.pdf", **more: str) -> tuple[int, str]:
    more = {"submission": "from-a-form-1", **more}
    file = SimpleUploadedFile(name, data, content_type="text/html")
    response = who.client.post(url(team, "reports/r1/upload/"), {"paper": file, **more})
    return response.status_code, response.content.decode()


def test_records_that_went_forward_are_sought_once(sought: Team) -> None:
    ids = ids_sought(sought.review)
    assert [i for i in ids if i in ("r1", "r2", "r3", "r4")] == ["r1", "r2"]
    assert len(ids) == 2 + Row.objects.filter(review=sought.review, table="reports.csv").count()
    page = sought.reader.client.get(url(sought, "?q=trial+1")).content.decode()
    assert "Ketamine infusion, trial 1" in page
    assert "trial 3" not in page


def test_a_pdf_comes_in_is_read_and_goes_out(sought: Team) -> None:
    data = pdf("Pain intensity after infusion", "The pri- mary outcome was 0.5")
    assert send(sought.teammate, sought, data, name="..\\../evil\u202e.pdf")[0] == 302
    assert send(sought.teammate, sought, data)[0] == 302  # sent again: counts once
    stored = StoredFile.objects.get(review=sought.review, path="full-texts/r1.pdf")
    assert bytes(stored.content) == data
    paper = Paper.objects.get()
    assert (paper.pages, paper.name, paper.size) == (2, "evil.pdf", len(data))
    assert [a.status for a in Attempt.objects.all()] == ["obtained"]
    page = sought.reader.client.get(url(sought, "reports/r1/?quote=primary+OUTCOME&page=2")).content.decode()
    assert "1 place." in page
    assert "Page 2</a>" in page
    assert "/paper/#page=2" in page
    response = sought.reader.client.get(url(sought, "reports/r1/paper/"))
    assert (response.content, response["Content-Type"]) == (data, "application/pdf")
    assert response["Content-Disposition"] == 'inline; filename="r1.pdf"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in response["Content-Security-Policy"]
    response = sought.reader.client.get(url(sought, "reports/r1/paper/?download=1"))
    assert response["Content-Disposition"].startswith("attachment")
    assert "sandbox" in response["Content-Security-Policy"]
    assert package_of(sought.review)
    assert list(broken_links(sought.review.key)) == []


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>log in</html>", "it is a web page"),
        (b"PK\x03\x04 a zip", "is not a PDF"),
        (b"%PDF-1.7\nnothing follows", "broken"),
        (pdf("secret", password="open sesame"), "encrypted"),
        (pdf(), "no page"),
    ],
)
def test_what_is_no_pdf_is_refused_in_one_sentence(sought: Team, data: bytes, why: str) -> None:
    code, page = send(sought.teammate, sought, data)
    assert code == 422
    assert why in page
    assert page.count("<li><strong") + page.count("<li>the ") == 1
    assert not StoredFile.objects.filter(path__startswith="full-texts/").exists()
    assert not Paper.objects.exists()
    assert not Attempt.objects.exists()


def test_a_file_that_is_too_large_is_refused(sought: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("balm.web.full_texts.views.MAX_FILE", 100)
    assert "at most" in send(sought.teammate, sought, pdf("words"))[1]
    monkeypatch.setattr("balm.actions.team.pdf_pages.MAX_FILE", 100)
    with pytest.raises(InputError, match="at most"):
        read_pdf(pdf("words"))
    assert not Paper.objects.exists()


def test_a_pdf_that_only_forbids_printing_is_read() -> None:
    assert read_pdf(pdf("words", owner="publisher")).count == 1
    assert clean("a\x00\ud800") == "a?"


def test_another_pdf_needs_a_reason_and_the_event_keeps_both(sought: Team) -> None:
    send(sought.teammate, sought, pdf("first"))
    code, page = send(sought.second, sought, pdf("second"), submission="from-a-form-2")
    assert code == 422
    assert "say why another" in page
    assert (
        send(sought.second, sought, pdf("second"), submission="from-a-form-3", reason="the first is a draft")[0] == 302
    )
    event = Event.objects.filter(chain=sought.review.key, action="replace full text").get()
    assert event.reason == "the first is a draft"
    assert [p.texts for p in Paper.objects.all()] == [["first"], ["second"]]


def test_attempts_are_dated_and_the_last_one_counts(sought: Team) -> None:
    def post(**given: str) -> tuple[int, str]:
        given = {"status": "sought", "on": "2026-03-01", "submission": "attempt-one", **given}
        response = sought.teammate.client.post(url(sought, "reports/r2/attempt/"), given)
        return response.status_code, response.content.decode()

    for wrong, why in (
        ({"status": "lost"}, "status must be one of"),
        ({"on": "1 March"}, "must be a day"),
        ({"on": "2999-01-01"}, "future"),
        ({"status": "not retrieved", "note": " "}, "say why"),
        ({"note": "x" * 1001}, "1,001 characters"),
        ({"submission": "x"}, "submission id"),
    ):
        code, page = post(**wrong)
        assert (code, why in page) == (422, True), why
    assert not Attempt.objects.exists()
    assert post()[0] == post()[0] == 302
    given = {"status": "not retrieved", "note": "no library holds it", "submission": "attempt-two"}
    assert post(**given)[0] == 302
    assert Attempt.objects.count() == 2
    assert not_retrieved(sought.review) == {"r2"}
    assert "no library holds it" in sought.reader.client.get(url(sought, "?status=not+retrieved")).content.decode()
    flow = flow_of(package_of(sought.review), (), not_retrieved(sought.review))
    assert (flow.other_sought_reports or flow.dbr_sought_reports) == 2
    assert (flow.other_notretrieved_reports or flow.dbr_notretrieved_reports) == 1


def test_who_may(sought: Team) -> None:
    for rest in ("", "reports/r1/", "reports/r1/paper/"):
        assert sought.stranger.client.get(url(sought, rest)).status_code == 404
    assert send(sought.reader, sought, pdf("words"))[0] == 403
    assert send(sought.stranger, sought, pdf("words"))[0] == 404
    page = sought.reader.client.get(url(sought, "reports/r1/")).content.decode()
    assert '<form class="card"' not in page


def test_what_is_not_sought_has_no_page_and_takes_no_file(sought: Team) -> None:
    for report in ("r3", "r4", "nothing", "..%2f..%2fetc"):
        assert sought.owner.client.get(url(sought, f"reports/{report}/")).status_code == 404
    with pytest.raises(InputError, match="is not sought"):
        keep_paper(sought.owner.acting, "r3", "a.pdf", pdf("words"), submission="from-a-form-1")
    with pytest.raises(InputError, match="is not sought"):
        note_attempt(sought.owner.acting, "../r1", status="sought", on="2026-03-01", submission="from-a-form-1")


def test_the_pages_say_nothing_of_a_hidden_vote(sought: Team) -> None:
    """r4 holds tariq's vote alone: sofia's pages are the same bytes whatever it is."""
    before = [sought.second.client.get(url(sought, rest)).content for rest in ("", "reports/r4/")]
    vote(sought.teammate, "r4", "exclude", batch=1)
    after = [sought.second.client.get(url(sought, rest)).content for rest in ("", "reports/r4/")]
    hidden = [b"csrf", b"X-CSRFToken"]
    plain = [[line for line in page.split(b"\n") if not any(h in line for h in hidden)] for page in before + after]
    assert plain[:2] == plain[2:]


def test_rows_are_written_once(sought: Team) -> None:
    note_attempt(sought.owner.acting, "r1", status="sought", on="2026-03-01", submission="from-a-form-1")
    send(sought.teammate, sought, pdf("words"))
    for model in (Attempt, Paper):
        with pytest.raises(DatabaseError), transaction.atomic():
            model.objects.update(report="r2")
        with pytest.raises(DatabaseError), transaction.atomic():
            model.objects.all().delete()

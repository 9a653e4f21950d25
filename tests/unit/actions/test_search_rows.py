"""What comes from outside becomes text that a table and a database can hold; the receipt says what was taken out."""

from __future__ import annotations

from balm.actions.search_rows import free_file, record_rows, without_no_text
from balm.review.records.collection import Records
from balm.review.records.receipt import LISTED, FileReceipt, Receipt
from balm.vocabulary.record import Record


def test_characters_that_are_no_text_are_taken_out_and_listed() -> None:
    bad = [
        Record(id=f"r\x00{k}", title="Keta\ud800mine", authors=("Lynch\x00 ME", "Clark AJ"), source_file="a.ris")
        for k in range(LISTED + 2)
    ]
    receipt = Receipt((FileReceipt("a.ris", "RIS", "UTF-8", len(bad), 0, 1),))
    cleaned = without_no_text(Records(bad, receipt))
    assert (cleaned[0].id, cleaned[0].title, cleaned[0].authors) == ("r0", "Ketamine", ("Lynch ME", "Clark AJ"))
    assert cleaned.receipt.repaired == len(bad) + 1
    assert len(cleaned.receipt.problems) == LISTED
    assert cleaned.receipt.problems[0].why == "characters that are no text were taken out of: id, title, authors"


def test_records_that_are_text_stay_as_they_are() -> None:
    records = Records([Record(id="a", title="Ketamine")])
    assert without_no_text(records) is records


def test_ids_are_safe_and_years_that_cannot_be_are_left_out() -> None:
    (row,) = record_rows([Record(id="=1/x", title="  =cmd|x ", year=20155)], "s", {"1-x"})
    assert (row["record"], row["title"], row["year"]) == ("1-x-2", "=cmd|x", None)


def test_a_file_gets_a_safe_name_of_its_own() -> None:
    taken: set[str] = set()
    names = ["a b.ris.gz", "a b.ris.gz", "../x", "..."]
    assert [free_file(n, taken) for n in names] == ["a-b.ris.gz", "a-b-2.ris.gz", "x", "export"]

"""RIS in its dialects, and the traps of real exports: each one read, counted and listed."""

from __future__ import annotations

import gc
import io
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balm.review.records import decoding, ris, ris_whole
from balm.review.records.decoding import text_blocks, text_lines, utf8_blocks
from balm.review.records.receipt import Tally
from balm.review.records.ris_order import LEARNT_FROM, Orders
from balm.vocabulary.record import Record
from tests.unit.review.records.reading import read, whys

ONE = "TY  - JOUR\nTI  - Ketamine for pain\nAU  - Lynch, Mary E.\nPY  - 2009\nER  - \n"


def test_the_first_record_survives_a_byte_order_mark():
    records, tally = read(b"\xef\xbb\xbf" + (ONE + ONE).encode())
    assert len(records) == 2 and records[0].title == "Ketamine for pain"
    assert "byte order mark" in whys(tally)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_with_and_without_its_mark(encoding):
    records, tally = read((ONE * 3).encode(encoding))
    assert [r.year for r in records] == [2009] * 3
    assert tally.encoding == "UTF-16"


def test_latin_1_lines_are_read_and_counted():
    records, tally = read(ONE.replace("Mary E.", "Zoë").encode("cp1252"))
    assert records[0].authors == ("Lynch, Zoë",)
    assert "1 lines read as Windows-1252" in whys(tally)
    assert next(e.line for e in tally.entries if "1252" in e.why) == 3


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends(end):
    records, tally = read((ONE + ONE).replace("\n", end))
    assert len(records) == 2 and "line ends" in whys(tally)


def test_records_without_er_are_closed_by_the_next_and_by_the_end():
    text = ONE.replace("ER  - \n", "")
    records, tally = read(text * 3)
    assert len(records) == 3
    assert whys(tally).count("no ER") == 3
    assert [r.lines for r in records] == [(1, 4), (5, 8), (9, 12)]


def test_er_forms_and_double_er():
    records, tally = read(ONE.replace("ER  - ", "ER  -") + ONE.replace("ER  - ", "ER  - \nER  - "))
    assert len(records) == 2 and not tally.rejected


def test_one_blank_and_tab_separators():
    records, tally = read("TY - JOUR\nTI - Ketamine\nAU - Lynch ME\nPY - 2009\nER -\nTY  - JOUR\nT1\t- Other\nER  -\n")
    assert [r.title for r in records] == ["Ketamine", "Other"]
    assert "tag not followed by two blanks" in whys(tally)


def test_an_abbreviation_at_the_start_of_a_wrapped_line_is_text():
    text = "TY  - JOUR\nTI  - A\nAB  - Groups were\nCP - chronic pain\nIN  - vitro\n\nEnd.\nPY  - 2001\nER  - \n"
    records, tally = read(text)
    assert records[0].abstract == "Groups were\nCP - chronic pain\nIN  - vitro\n\nEnd."
    assert records[0].year == 2001
    assert "looks like a tag" in whys(tally)


def test_an_indented_line_continues_the_sentence():
    records, _ = read("TY  - JOUR\nTI  - Ketamine for\n      chronic pain\nAB  - One\n      two\nER  - \n")
    assert (records[0].title, records[0].abstract) == ("Ketamine for chronic pain", "One two")


def test_text_between_records_is_left_out_and_listed():
    text = (
        'Record #1 of 784\nProvider: John Wiley & Sons, Ltd.\nContent: text/plain; charset="UTF-8"\n\n'
        + ONE
        + "\n2.\n"
        + ONE
        + "C1  - stray\n"
    )
    records, tally = read(text)
    assert len(records) == 2 and tally.stated == 784
    assert whys(tally).count("text between records") == 5


def test_numbering_after_a_record_without_er_is_no_part_of_it():
    records, _ = read("TY  - JOUR\nTI  - A\nAB  - Text\n\n2.\nTY  - JOUR\nTI  - B\nER  - \n")
    assert [r.abstract for r in records] == ["Text", None]


def test_a_record_without_ty_is_kept():
    records, tally = read(ONE + "\nTI  - No head\nAU  - Doe J\nER  - \n")
    assert [r.title for r in records] == ["Ketamine for pain", "No head"]
    assert "no TY" in whys(tally)


def test_an_empty_record_is_rejected_with_its_line():
    _, tally = read(ONE + "TY  - JOUR\nER  - \n")
    assert (tally.read, tally.rejected) == (1, 1)
    assert [(e.line, e.what) for e in tally.entries] == [(6, "rejected")]


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("L3  - 10.1016/j.pain.2009.06.023", "L3"),
        ("N1  - Cited By :3; DOI: 10.1016/J.PAIN.2009.06.023", "N1"),
        ("UR  - https://doi.org/10.1016/j.pain.2009.06.023", "UR"),
        ("M3  - 10.1016/j.pain.2009.06.023", "M3"),
        ("L2  - http://dx.doi.org/10.1016/j.pain.2009.06.023", "L2"),
        ("DI  - 10.1016/j.pain.2009.06.023", "DI"),
    ],
)
def test_a_doi_in_an_odd_tag(line, where):
    records, tally = read(ONE.replace("ER  - ", f"{line}\nER  - "))
    assert records[0].doi == "10.1016/j.pain.2009.06.023"
    assert f"DOI found in {where}" in whys(tally)


def test_a_doi_in_the_abstract_is_another_ones():
    records, _ = read(ONE.replace("ER  - ", "AB  - See doi 10.1016/j.pain.2009.06.023\nER  - "))
    assert records[0].doi is None


@pytest.mark.parametrize(
    "lines",
    [
        "PMID - 12345678",
        "C7  - 12345678",
        "C3  - PUBMED 12345678",
        "C5  - 12345678\nDB  - Embase",
        "N1  - PMID: 12345678",
        "AN  - 12345678\nDB  - MEDLINE",
        "UR  - https://pubmed.ncbi.nlm.nih.gov/12345678/",
    ],
)
def test_a_pmid_in_an_odd_tag(lines):
    records, _ = read(ONE.replace("ER  - ", f"{lines}\nER  - "))
    assert records[0].pmid == "12345678"


def test_a_place_in_a_library_is_no_pmid():
    records, _ = read(ONE.replace("ER  - ", "ID  - 258\nDB  - Medline\nER  - "))
    assert records[0].pmid is None and records[0].id == "258"


def test_dialects_of_title_abstract_journal_and_year():
    text = (
        "TY  - JOUR\nT1  - T\nA1  - Doe, J\nN2  - Abs\nJF  - Journal of Pain\nJA  - J Pain\nY1  - 2014/03//\nER  - \n"
    )
    r = read(text)[0][0]
    assert (r.title, r.authors, r.abstract) == ("T", ("Doe, J",), "Abs")
    assert (r.journal, r.journal_abbreviation, r.year, r.date) == ("Journal of Pain", "J Pain", 2014, "2014/03//")


def test_a_year_that_is_none_is_kept_and_listed():
    records, tally = read(ONE.replace("2009", "10 15"))
    assert records[0].year is None and ("PY", "10 15") in records[0].other
    assert "year cannot be read" in whys(tally)


def test_several_fields_on_one_line():
    records, _ = read(ONE.replace("ER  - ", "UR  - https://x.org/a     U2  - L20298     DO  - 10.1000/xyz\nER  - "))
    assert records[0].urls == ("https://x.org/a",)
    assert records[0].accession_numbers == ("L20298",) and records[0].doi == "10.1000/xyz"


def test_keywords_joined_by_semicolons_or_wrapped():
    records, _ = read(ONE.replace("ER  - ", "KW  - a; b\nER  - ") + ONE.replace("ER  - ", "KW  - a\nb\nER  - "))
    assert [r.keywords for r in records] == [("a", "b")] * 2


def test_serial_numbers_are_told_apart():
    records, _ = read(ONE.replace("ER  - ", "SN  - 1466822X\nSN  - 978-0-306-40615-7 (print)\nER  - "))
    assert (records[0].issn, records[0].isbn) == (("1466-822X",), ("9780306406157",))


def test_labels_of_asreview_and_votes_of_rayyan():
    text = ONE.replace("ER  - ", "N1  - ASReview_irrelevant\nER  - ")
    text += ONE.replace("ER  - ", 'N1  - RAYYAN-INCLUSION: {"Emily"=>"Included", "Bo"=>"Excluded"}\nER  - ')
    first, second = read(text)[0]
    assert first.decision == "exclude" and first.notes == ()
    assert [(v.person, v.decision) for v in second.votes] == [("Emily", "include"), ("Bo", "exclude")]


def test_the_same_id_twice_is_told_apart():
    records, tally = read(ONE.replace("ER  - ", "ID  - 7\nER  - ") * 2)
    assert [r.id for r in records] == ["7", "file.txt:2"]
    assert "1 ids were taken already" in whys(tally)


def test_unknown_tags_are_kept():
    records, _ = read(ONE.replace("ER  - ", "ZZ  - strange\nU1  - 4\nER  - "))
    assert {("ZZ", "strange"), ("U1", "4")} <= set(records[0].other)


def test_nul_bytes_are_removed_and_counted():
    records, tally = read(ONE.replace("Ketamine", "Keta\x00mine"))
    assert records[0].title == "Ketamine for pain" and "1 NUL bytes" in whys(tally)


def test_the_quick_way_reads_what_the_slow_way_reads():
    ordinary = (
        "TY  - JOUR\nID  - 5\nTI  - T\nAU  - A, B\nAU  - C, D\nPY  - 2001\nDA  - 2001///\nJF  - Journal of Pain\n"
        "JA  - J Pain\nVL  - 1\nSP  - 2\nEP  - 9\nSN  - 0304-3959\nAB  - Text\nDO  - 10.1/x\nDO  - \nKW  - k\nER  - \n"
    ).replace("DO  - 10.1/x\nDO  - \n", "DO  - https://doi.org/10.1000/XY.\n")
    text = (ordinary * 3 + ONE + ordinary.replace("SP  - 2", "SP  - 2-9")).encode()
    same_both_ways(text)


def same_both_ways(text: bytes) -> None:
    """Line by line, in Python alone and with the compiled function: one result, one receipt."""
    slow = Tally("a", format="RIS", taken=set())
    expected = list(ris.read_lines(text_lines(io.BytesIO(text), slow), slow))
    receipt = slow.close()
    for compiled in {None, ris_whole.take()}:
        quick = Tally("a", format="RIS", taken=set())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ris, "take", lambda compiled=compiled: compiled)
            assert list(ris.read(utf8_blocks(io.BytesIO(text), quick), quick)) == expected
        assert quick.close() == receipt
        assert quick.entries == slow.entries


BEHIND = ("NL  - Psychol Health", "NL  - Pain ", "NL  - ", "NL  -", "NL - Pain", "TI  - T", "A1  - Doe, J", "ZZ  - x",
          "Link to the Ovid Full Text: https://x.org", "  indented", "", "", "", "2.", "3", "2. text", "ER", "ER  - ",
          "Record #3 of 18", "\u00dcber", "-----", "x" * 70, "TY  - JOUR")  # fmt: skip


def test_what_ovid_prints_behind_a_record_goes_the_same_way_compiled_and_line_by_line():
    rng = random.Random(5)
    for _ in range(400):
        between = "".join(rng.choice(BEHIND) + "\n" for _ in range(rng.randrange(9)))
        same_both_ways((ONE + between + ONE).encode())
    records, tally = read(ONE + "NL  - Psychol Health\n\nLink to the Ovid Full Text: https://x.org\n\n2.\n" + ONE)
    assert len(records) == 2
    assert [entry.line for entry in tally.entries] == [6, 10]
    assert "Psychol Health\\n\\nLink to the Ovid" in tally.entries[0].why


def test_ci_has_the_compiled_function():
    if os.environ.get("CI") and os.environ.get("BALM_KERNEL") != "off":
        assert ris_whole.take() is not None, "the merge run must compare the two; it was not built"


@pytest.mark.skipif(ris_whole.take() is None, reason="the compiled function is not built here")
def test_the_compiled_function_takes_what_needs_no_judgement():
    take, tally = ris_whole.take(), Tally("a")
    data = b"\n\nTY  - JOUR\nAU  - A\nAU  - B\nTI  - T \n  goes on\nUR  - u\nUR  - v\nER  - \n\nTY  - JOUR\n"
    record, fields, end, start, number = take(data, 0, ris_whole.TABLE, tally, 10)
    assert (record.title, record.authors, record.urls, record.lines) == ("T goes on", ("A", "B"), ("u", "v"), (12, 19))
    assert (fields, data[end:], start, number, tally.read) == (None, b"\n\nTY  - JOUR\n", 12, 19, 1)
    # A record without any field is rejected in Python.
    assert take(b"\nTY  - JOUR\nER  - \n", 0, ris_whole.TABLE, tally, 0)[:2] == (None, {"TY": ["JOUR"]})
    for odd in ("TI - T", "PMID- 1", "TY  - JOUR", "ER  - x", "AB  -x", " \u00a0TI \u2013 x"):
        assert take(f"\nTY  - JOUR\nTI  - T\n{odd}\nER  - \n".encode(), 0, ris_whole.TABLE, tally, 0) is None
    assert take(data, end, ris_whole.TABLE, tally, 0) is None  # not whole yet
    assert tally.read == 1
    with pytest.raises(TypeError):
        take("", 0, ris_whole.TABLE, tally, 0)
    with pytest.raises(AttributeError):
        take(b"\nTY  - JOUR\nTI  - T\nER  - \n", 0, ris_whole.TABLE, None, 0)


@pytest.mark.skipif(ris_whole.compiled() is None, reason="the compiled function is not built here")
def test_the_compiled_part_refuses_a_class_of_other_fields():
    with pytest.raises(TypeError, match="other fields"):
        ris_whole.compiled().record_parts(Tally, ris_whole.TWIN)
    with pytest.raises(TypeError):
        ris_whole.compiled().record_parts(Record, ())
    assert [r.title for r in read(ONE)[0]] == ["Ketamine for pain"], "what it had before stays"


def test_a_field_without_a_value_on_the_line_of_an_address_is_taken_off_it():
    text = ONE.replace("ER  - ", "UR  - https://x.org/1     U2  - \nER  - ")
    records, tally = read(text)
    assert records[0].urls == ("https://x.org/1",) and "several fields stood on one line" in whys(tally)
    same_both_ways((text * (LEARNT_FROM + 3)).encode())


def test_letters_that_are_no_number_of_pubmed_central_do_not_hide_one():
    text = ONE.replace("ER  - ", "UR  - https://x.org/PMC/all\nL1  - https://x.org/PMC1234567/pdf\nER  - ")
    records, _ = read(text)
    assert records[0].pmcid == "PMC1234567"
    same_both_ways((text * (LEARNT_FROM + 3)).encode())


DIALECTS = (
    "TY  - JOUR\nAU  - A, B\nAU  - C, D\nTI  - T\nPY  - 2001\nN1  - a note\nN1  - PMID: 12345\nUR  - https://x.org/1\n"
    "UR  - https://www.ncbi.nlm.nih.gov/pubmed/77\nKW  - k\nKW  - l\nC7  - e12\nDO  - 10.1000/x\nER  - \n\n",
    "TY  - CHAP\nA1  - A, B\nT1  - A title\nthat goes on\nBT  - Book\nA2  - E, D\nY1  - 2003/05//\nN2  - Aims\n\n"
    "Methods\n  indented\nKW  - a\nb\nSN  - 0304-3959 (Print)\nSN  - 978-0-306-40615-7\nL2  - http://doi.org/10.1000/Y\n"
    "ER  -\n",
    "12.\nTY  - JOUR\nID  - 5\nTI  - T\nAD  - Here\nthere\nAD  - Here\n"
    "I1  - nobody's tag\nAB  - text\nIN  - vitro\n"
    "M1  - PMC123456\n"
    "Y1  - 2001\nPY  - 2002\nEP  - 9\nSP  - 2-9\nAN  - 21314913\nDB  - MEDLINE\nER  - \n\n\n",
    "TY  - JOUR\nM3  - Article\nY1  - 2024\nSO  - J. Pain\nSN  - 2041-1723\n0304-3959\nUR  - https://x.org/a?b=1&c=2\nhttps://x.org/d;e\n"
    "U2  - L2029\nC5  - 38773066\nDB  - Embase\nDB  - Medline\nL2  - http://x.org/2\nL3  - 10.1000/Q.1\n"
    "LK  - https://y.org/?id=doi:10.1000/z\nA1  - A, B\nM1  - (A B., a@b.cn) Somewhere\nM1  - Elsewhere 10.\n"
    "T1  - T\nST  - T\nER  - \n\n",
    "1. \nTY  - JOUR\nID  - 32487818\nT1  - T\nA1  - A, B\nA2  - Ab, Cd, Efg, Hij\nY1  - 2020//\nSP  - No\n"
    "EP  - Specified\n"
    "PB  - P\nPB  - Q\nDO  - 10.1000/a\nM1  - Cited, C. PubMed 2001. PMID: 77.\nDO  - 10.1000/a\nKW  -\n"
    "L2  - http://ovidsp.ovid.com/ovidweb.cgi?T=JS&D=medp&AN=32487818\nER  -  \nNL  - J T\n\nLink to the text\n\n",
    "TY  - JOUR\nTI  - T\nPU  - P\nPI  - C\nAU  - A, B\nC1  - Here\nC1  - There\nAU  - C, D\nC1  - Here\nED  - E, F\n"
    "C3  - PUBMED 5,EMBASE 6\nC7  - e0123\nL4  - http://x.org/PMC7654321\nL1  - file.pdf\nER  - \n\n",
)
ODD_LINES = (
    "", " ", "ER  -", "ER  - ", "ER -", "ER  - x", "TY  - JOUR", "TY - JOUR", "TY  - ", "Record 3 of 9", "3.", "-----",
    "IN  - vitro", "XX  - foo", "AB  - more", "  indented", "PMID- 123", "TI  - ", "UR", "UR  - http://x  -", "AU  - ",
    "A1  - Z", "T1  - t", "N2  - x", "KW  - a; b", "KW  - ", "N1  - ASReview_relevant", "C7  - 12345678",
    "Y1  - no year", "UR  - https://x.org;    TI  - in one line", "DO  - 10.1/a\u2003", "SN  - none", "\uffff",
    "L3  - 10.1000/z", "DB  - Embase", "C5  - 123", "C5  - none", "BT  - Book", "SO  - Source", "U2  - ", "LK  - https://ncbi.nlm.nih.gov/pubmed/3",
    "L2  - https://pubmed.ncbi.nlm.nih.gov/44/", "UR  - https://a.org; https://b.org", "M3  - 10.1000/q",
    "Conclusions: x", "recorded", "Record 1 of 2", " \u00a0TI \u2013 x", "\tTI - y", "\u00e9t\u00e9 ", "  \U0001f600 ",
    "PMID \u2014 x",
    "\u00a0", "T3  - ", "T3  - x", "Q9  - q", "q ",
    "A2  - Z, Y", "C3  - CTgov NCT00000001", "M1  - PMID 88", "M2  - see https://pubmed.ncbi.nlm.nih.gov/9/",
    "C7  - 101823",
    "C3  - http://ovidsp.ovid.com/ovidweb.cgi?D=mesz&AN=4", "SP  - No Pagination Specified",
    "PB  - R", "DO  - 10.1000/b",
    "L4  - 10.1000/l", "KW  -", "ER  - \t", "PI  - D", "PU  - S",
    "UR  - https://doi.org/10.1000/UR", "UR  - https://x.org/10.1/", "L2  - https://ncbi.nlm.nih.gov/PMC1234",
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_every_way_reads_the_same_of_damaged_files(data):
    """The pattern of a file's own order, the cut at ``ER`` and the line by line way give one result and one receipt."""
    text = "".join(data.draw(st.lists(st.sampled_from(DIALECTS), min_size=20, max_size=45)))
    lines = text.split("\n")
    for at, line in data.draw(
        st.lists(st.tuples(st.integers(0, len(lines) - 1), st.none() | st.sampled_from(ODD_LINES)))
    ):
        lines[at : at + 1] = [] if line is None else [line, *lines[at : at + 1]]
    same_both_ways("\n".join(lines).encode("utf-8", "replace"))


def test_the_order_of_tags_is_learnt_and_a_later_change_of_it_loses_nothing():
    same_both_ways((DIALECTS[0] * 30 + DIALECTS[1] * 200 + DIALECTS[2] * 30 + DIALECTS[0] * 5).encode())


def test_orders_that_contradict_one_another_are_kept_apart():
    """A file that joins two databases: records of both are taken whole, however they alternate."""
    first, second = ["TY", "AU", "TI", "PY"], ["TY", "TI", "PY", "AU", "DB"]
    orders = Orders()
    for _ in range(2 * LEARNT_FROM):
        for tags in (first, second):
            orders.learn(tags, ["JOUR", *"abcd"[: len(tags) - 1]])
    for tags in (first, second, first):
        text = "".join(f"\n{tag}  - x" for tag in tags) + "\nER  - \n"
        match, order = orders.match(text, 0)
        given = {tag: value for tag, value in zip(order.tags, match.groups(), strict=True) if value}
        assert given == dict.fromkeys(tags, "x")
    assert orders.match("\nTY  - x\nDB  - x\nAU  - x\nER  - \n", 0) is None
    same_both_ways((DIALECTS[0] + DIALECTS[2] + DIALECTS[1]).encode() * 40)


@pytest.mark.parametrize("size", [3, 4, 7, 1000])
def test_line_ends_of_every_kind_are_one_wherever_a_block_ends(monkeypatch, size):
    monkeypatch.setattr(decoding, "BLOCK", size)
    for middle in ("a\u2019b", "plain"):
        data = f"TY  - JOUR\r\nTI  - {middle}\r\r\nAB  - x\ry\n\rER  - \r\n".encode()
        assert (
            "".join(text_blocks(io.BytesIO(data), Tally("a")))
            == f"TY  - JOUR\nTI  - {middle}\n\nAB  - x\ny\n\nER  - \n"
        )


def test_a_file_without_er_is_read_in_bounded_memory(monkeypatch):
    monkeypatch.setattr(ris, "MAX_PENDING", 8)
    blocks = (f"TY  - JOUR\nTI  - {i}\n".encode() for i in range(50))
    assert [r.title for r in ris.read(blocks, Tally("a"))] == [str(i) for i in range(50)]


def test_a_file_without_er_is_drawn_block_by_block(monkeypatch):
    """However long it is, memory holds little more than a record: the rest waits in the file."""
    monkeypatch.setattr(ris, "MAX_PENDING", 8)
    drawn = []
    blocks = (drawn.append(i) or f"TY  - JOUR\nTI  - {i}\n".encode() for i in range(50))
    assert next(ris.read(blocks, Tally("a"))).title == "0"
    assert len(drawn) < 5


#: Parts of what stands where numbers and addresses do.
PARTS = (
    "10.",
    "10.1016/j.X",
    "10.12345.67/",
    "/",
    "S0304-3959(97)00154-4",
    "%2F",
    "?x=1",
    "#z",
    ".",
    ")",
    "https://doi.org/",
    "www.",
    "https://x.org/doi/10.1002/central/CN-01",
    "http://ovidsp.ovid.com/ovidweb.cgi?T=JS&D=medp&AN=00123456",
    "ovidweb.cgi?",
    "&D=med1",
    "&AN=123456789",
    "&AN=31_2",
    "D=emed1",
    "PUBMED 12345",
    "PUBMED 0123,",
    "EMBASE 61",
    "CTgov NCT01",
    "ICTRP IRCT-1/2",
    ", ",
    ",",
    "PMC123",
    "PMC1234567",
    "pmc1234x",
    "_PMC1234",
    "0304-3959",
    "1872662x",
    "97801-",
    "9780306406157",
    " (ISSN)",
    " ",
    "\n",
    "\n  ",
    "e012345",
    "101823",
    "-7",
    "12345678",
    "\u00b2",
    "\u00a0",
    "\u2028",
    "\u3000",
    "\U0001f600",
    "Embase",
    "pmid: 12",
    "J (0304-3959)",
    "J (1999)",
    "\x1c",
    "\t",
    "2014/03//",
    "   AN  - 5",
)
HOLDING_THEM = (
    "DO", "UR", "L1", "L2", "L3", "LK", "M1", "M3", "AN", "ID", "C2", "C3", "C5",
    "C7", "SN", "N1", "JF", "T2", "PY", "DA", "U2", "DB", "TI", "AU", "KW", "XX",
)  # fmt: skip
BEFORE = ("", "1. ", "<3. >", "Record #2 of 9", "Provider: x", "\u3000text", "\u00a0", "TI - x", "----", "TY  -")


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_every_way_finds_the_same_numbers(data):
    """What the compiled function takes without asking Python is what Python finds."""
    value = st.lists(st.sampled_from(PARTS), max_size=4).map("".join)
    fields = st.lists(st.tuples(st.sampled_from(HOLDING_THEM), value), min_size=1, max_size=6)
    records = st.lists(st.tuples(st.lists(st.sampled_from(BEFORE), max_size=3), fields), min_size=1, max_size=4)
    lines: list[str] = []
    for before, held in data.draw(records):
        lines += [*before, "TY  - JOUR", *[f"{tag}  - {text}" for tag, text in held], "ER  - ", ""]
    same_both_ways("\n".join(lines).encode())


def test_what_stands_between_two_records_is_told_once_for_each_line():
    text = "Record #1 of 2\nProvider: x\n\n" + ONE + "\nRecord #2 of 2\n \u00a0\n<2. >\n" + ONE
    records, tally = read(text)
    assert [r.lines for r in records] == [(4, 8), (13, 17)] and tally.stated == 2
    assert [entry.line for entry in tally.entries] == [1, 2, 10, 12]


@pytest.mark.parametrize(
    "data",
    (
        b"",
        b"a\nb",
        b"\xc3\xa9\n" * 300,
        b"\xff",
        b"a\x00",
        b"\r\n",
        b"\xef\xbb\xbfx",
        b"\xed\xa0\x80",
        b"\xe0\x80\xaf",
        b"\xf4\x90\x80\x80",
        b"\xf0\x9f\x98\x80",
        b"\xe2\x82",
        b"x" * 40 + b"\xc3",
    ),
)
def test_bytes_are_looked_at_as_python_looks_at_them(data):
    assert decoding.line_ends(data) == data.count(b"\n")
    assert decoding.is_plain(data) == decoding._is_plain(data)
    assert decoding.without_returns(data) == decoding._without_returns(data)


@pytest.mark.skipif(ris_whole.take() is None, reason="the compiled function is not built here")
def test_records_are_nothing_for_the_collector_of_cycles():
    record = read(ONE)[0][0]
    assert not gc.is_tracked(record) and not gc.is_tracked(record.authors) and not gc.is_tracked(record.lines)

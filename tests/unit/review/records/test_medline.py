"""PubMed's own format: line by line, in Python alone and with the compiled function it is one result, one receipt."""

from __future__ import annotations

import io
import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balm.review.records import decoding, medline
from balm.review.records.decoding import text_lines, utf8_blocks
from balm.review.records.receipt import Tally
from tests.unit.review.records.reading import read

RECORDS = (
    "PMID- 30776994\nOWN - NLM\nIS  - 1524-4628 (Electronic)\nIS  - 0039-2499 (Linking)\nDP  - 2019 Mar\n"
    "TI  - Impact of Balloon Guide Catheter Use on\n      Outcomes.\nLID - 10.1161/STROKEAHA.118 [doi]\n"
    "LID - S0304-3959(09)00362-0 [pii]\nAID - 10.1161/strokeaha.118 [doi]\nAB  - Aims.\nAB  - \nAB  - Methods\tand\n"
    "       more.\nFAU - Nguyen, Thanh N\nAU  - Nguyen TN\nAD  - Boston.\nAD  - Boston.\nCN  - The Group\nLA  - eng\n"
    "PT  - Journal Article\nTA  - Stroke\nJT  - Stroke\nMH  - Aged\nMH  - Aged\nOT  - stroke\nPMC - PMC6055010\n"
    "PHST- 2018/08/01 00:00 [received]\nSO  - Stroke. 2019\n\n",
    "\nPMC - pmc6055011 free\nPMID- 8\nBTI - A book\nTI  - A chapter\nED  - Doe J\nFED - Doe, Jane\n"
    "ISBN- 978-0-306-40615-7\nIS  - none\nVI  - 3\nVI  - 4\nVI  - 3\nPG  - 1-9\nPT  - Conference Abstract\n"
    "GN  - a note\nGN  - ASReview_relevant\nSI  - ClinicalTrials.gov/NCT1\nOID - x\nURL - https://x.org\n"
    "URL - https://x.org\nPB  - P\nPL  - L\nDB  - D\n\n\n",
    "PMID- nine\nID  - own\nCTI - Collection\nTT  - Original\nPDAT- 2001/05\nDP  - 2001\n"
    "DO  - https://doi.org/10.1000/x%281%29\nAID - no number [doi]\nAU  - \u00c9mile Z\n"
    "AU  - \u674e \u56db\nAB  - \U0001f600 smile\u00a0\n"
    "      \u3000wide\u3000\nXX1 - q\n",
    "PMID- 12\nTA  - J Pain\nAU  - A B\nAU  - C D\nFAU - Ab, A\nDP  - 1999\n"
    "LID - http://dx.doi.org/10.1016/j.p.1 [doi] [doi]\n\n",
    "PMID- \n\n",
)
ODD = (
    "",
    " ",
    "      ",
    "stray words",
    "AU - x",
    "PMID-5",
    "PMID- 6",
    "PMC - PMC77",
    "TI  -x",
    "TI  - \u2028x",
    "ab  - x",
    "     five blanks",
    "      \u00a0six\u2003",
    "AB  - x\t",
    "OWN - NLM",
    "ISSN: 0304-3959",
    "\x1cAB  - y",
    "GN  - balm_type: book",
)


def both_ways(data: bytes, block: int = decoding.BLOCK) -> None:
    results = []
    for compiled in (None, medline.take()):
        tally = Tally("a", taken=set())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(medline, "take", lambda compiled=compiled: compiled)
            patch.setattr(decoding, "BLOCK", block)
            records = list(medline.read(utf8_blocks(io.BytesIO(data), tally), tally))
        results.append((records, tally.close(), tally.entries))
    assert results[0] == results[1]
    if b"PMC" not in data:
        slow = Tally("a", format="MEDLINE (NBIB)", taken=set())
        assert list(medline.read_lines(text_lines(io.BytesIO(data), slow), slow)) == results[0][0]
        assert slow.close() == results[0][1]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_every_way_reads_the_same_of_damaged_files(data):
    lines = "".join(data.draw(st.lists(st.sampled_from(RECORDS), min_size=1, max_size=12))).split("\n")
    for at, line in data.draw(st.lists(st.tuples(st.integers(0, len(lines) - 1), st.none() | st.sampled_from(ODD)))):
        lines[at : at + 1] = [] if line is None else [line, *lines[at : at + 1]]
    end = data.draw(st.sampled_from(("\n", "\r\n")))
    both_ways(end.join(lines).encode(), data.draw(st.sampled_from((40, 300, decoding.BLOCK))))


def test_every_record_is_read_the_same_both_ways():
    both_ways("".join(RECORDS * 40).encode(), 1000)


def test_ci_has_the_compiled_function():
    if os.environ.get("CI") and os.environ.get("BALM_KERNEL") != "off":
        assert medline.take() is not None, "the merge run must compare the two; it was not built"


@pytest.mark.parametrize("compiled", (False, True))
def test_what_is_no_identifier_is_kept(monkeypatch, compiled):
    if not compiled:
        monkeypatch.setattr(medline, "take", lambda: None)
    (a, b), _ = read(RECORDS[2] + "\n" + RECORDS[3], expect="medline")
    assert a.pmid is None and ("PMID", "nine") in a.other and ("AID", "no number [doi]") in a.other
    assert (a.id, a.title, a.original_title, a.date, a.doi) == (
        "own",
        "Collection",
        "Original",
        "2001/05",
        "10.1000/x(1)",
    )
    assert (b.authors, b.journal, b.year, b.date, b.doi) == (("A B", "C D"), "J Pain", 1999, None, "10.1016/j.p.1")


@pytest.mark.skipif(medline.take() is None, reason="the compiled function is not built here")
def test_the_compiled_function_takes_what_needs_no_judgement():
    take, tally = medline.take(), Tally("a")
    data = b"\nPMID- 7\nTI  - A \n      title\n\n\nPMC - PMC6055011\nPMID- 8\nTI  - B\n"
    record, end, number = take(data, 0, tally, 10)
    assert (record.title, record.lines, data[end:], number) == ("A  title", (11, 15), data[data.index(b"\nPMC") :], 15)
    assert take(data, end, tally, 0) is None, "nothing tells that it is whole"
    for odd in ("TI - x", "", "AB  - \u2028", "TI  -x"):
        assert take(f"\nPMID- 7\n{odd}\nTI  - A\n\nPMID- 8\n".encode(), 0, tally, 0) is None
    assert take(b"\nPMID- \n\nPMID- 8\n", 0, tally, 0) is None, "rejected in Python"
    assert tally.read == 1
    for wrong in (("", 0, tally, 0), (data, -1, tally, 0), (data, 0, tally)):
        with pytest.raises((TypeError, ValueError)):
            take(*wrong)
    with pytest.raises(UnicodeDecodeError):
        take(b"\nPMID- 7\nTI  - \xff\xff\n\nPMID- 8\n", 0, tally, 0)
    with pytest.raises(AttributeError):
        take(data, 0, None, 0)


def test_threads_read_beside_one_another():
    data = "".join(RECORDS * 60).encode()
    expected = list(medline.read(utf8_blocks(io.BytesIO(data), Tally("a")), Tally("a")))
    found: list[list[object]] = []

    def run() -> None:
        found.append(list(medline.read(utf8_blocks(io.BytesIO(data), Tally("a")), Tally("a"))))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4

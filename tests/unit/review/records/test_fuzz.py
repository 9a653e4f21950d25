"""Any bytes whatever: an error in one clear line, or a result in which read and rejected are what was found."""

from __future__ import annotations

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from balm.review.records.formats import READERS
from balm.review.records.receipt import Tally
from balm.review.records.recognise import recognise
from balm.vocabulary.problems import InputError
from tests.unit.review.records.test_formats import BIB, BOMB, NBIB, PUBMED, WOS

PIECES = [
    *(b"TY  - JOUR\n", b"ER  - \n", b"TI  - x\n", b"AB  - ", b"TY - JOUR\r", b"KW  - a;b\r\n", b"ER\n", b"      \n"),
    *(b"PMID- 1\n", b"      wrapped\n", b"PT J\n", b"   more\n", b"@article{", b"}", b'"', b"title = {", b"#", b"\\'"),
    *(
        b"<PubmedArticleSet>",
        b"<PubmedArticle>",
        b"</PubmedArticle>",
        b"<xml><records><record>",
        b"&lol;",
        b"<!DOCTYPE x",
    ),
    *(b"title,authors,year\n", b'"', b",", b";\t", b"%T x\n", b"<1. >\n", b'[{"protocolSection":{}}', b"]", b"{" * 50),
    *(
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\x00",
        b"\xe9",
        b"\xed\xa0\x80",
        b"10.1000/x\n",
        b"DO  - 10.1/\n",
        b"PY  - 99999\n",
    ),
]
CORPUS = [text.encode() for text in (NBIB, WOS, BIB, PUBMED, BOMB)]
GIBBERISH = st.lists(st.sampled_from(PIECES) | st.binary(max_size=6), max_size=30).map(b"".join)


def damaged(data: bytes, at: int, piece: bytes, cut: int) -> bytes:
    at %= len(data) + 1
    return data[:at] + piece + data[at + cut :]


DAMAGED = st.builds(damaged, st.sampled_from(CORPUS), st.integers(0, 5000), st.sampled_from(PIECES), st.integers(0, 60))
BOUNDED = settings(max_examples=40, deadline=2000, suppress_health_check=[HealthCheck.too_slow])


def survive(name: str, data: bytes) -> None:
    tally = Tally("fuzz", taken=set())
    try:
        records = list(READERS[name].read(io.BytesIO(data), tally))
    except InputError as error:
        assert str(error) and "\n" not in str(error)
        return
    receipt = tally.close()
    assert receipt.held == len(records) + receipt.rejected
    assert len({r.id for r in records}) == len(records)
    assert all(r.id and r.ordinal >= 1 for r in records)


@pytest.mark.parametrize("name", [n for n in READERS if n != "xlsx"])
@BOUNDED
@given(data=GIBBERISH | DAMAGED)
def test_no_bytes_break_a_reader(name, data):
    survive(name, data)


@BOUNDED
@given(data=st.binary(max_size=300))
def test_no_bytes_break_the_workbook_reader(data):
    survive("xlsx", b"PK\x03\x04" + data)


@settings(max_examples=150, deadline=2000)
@given(data=GIBBERISH | DAMAGED | st.binary(max_size=400), name=st.sampled_from(["a.ris", "a.csv", "a.xml", "a"]))
def test_recognising_never_breaks(data, name):
    assert recognise(data, name) in (None, *READERS)

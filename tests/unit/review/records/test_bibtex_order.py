"""BibTeX by the compiled function, by the order of its fields, field by field and line by line: one result."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balm.review.records import bibtex, bibtex_order, bibtex_whole
from balm.review.records.receipt import Tally

TOOLS = (
    '@article{key%d,\n  author = {M{\\"u}ller, A. and {Pain and Balm Group}},\n  title = {{A trial}},\n'
    "  journal = pain,\n  year = 1999,\n  pages = {1--9},\n  doi = {10.1016/j.pain.1},\n"
    '  abstract = "Aims and methods",\n  keywords = {one, two},\n}\n\n',
    "@Article{Key_%d,\nAuthor = {Doe, J. and Roe, K.},\nTitle = {A {B} \\& c},\nYear = {2001},\nMonth = feb,\n"
    "ISSN = {0304-3959},\nISBN = {978-0-306-40615-7},\nJournal = {Pain},\nNote = {Said},\nUrl = {https://x.org}}\n",
    "@inproceedings{%d,\n\ttitle = {Two\nlines},\n\tbooktitle = {Proc},\n\tauthor = {Solo},\n\tdate = {2003-04},\n"
    "\tmonth = {4},\n\tfile = {a.pdf},\n\teid = {7},\n"
    "\tshorttitle = {Two~x},\n\teditor = {Ed, I.},\n\tkeywords = {a; b},\n}\n\n\n",
    '@misc{k%d,\n  title = "T",\n  year = "2004",\n  number = 3,\n  volume = vol,\n  langid = {en},\n  pmid = {123},\n'
    "  note = {},\n  urldate = {2020-01-01},\n  copyright = {$x$ {\\copyright}  y},\n}\n",
)
ODD = (
    "", "}", "{", '"', "@article{x,", "@comment{c}", "  @misc{y,", '@string{vol = "9"}', "  year = 2002,", ",", "%",
    "  title = {{x} and {y}},", "  month = 13,", "  month = {May},", "  pages = {7},", "  author = {A and B},", "#",
    "  keywords = {a~b},", "  keywords = {{a, b}},", "  title = {a } b},",
    '  title = "a {"b"} c",', "  title = {{a~b}},",
    '  title = "x" # pain,', "  abstract = {}", "  title = {\\}},", "  doi = {none},", "  id = {7},", "  pmid = {},",
    "DA = {{2019-10-05}},", "Early Access Date = {{MAY 2020}},", "  article-number = {e7},", "UR = {https://y.org},",
    "  unique-id = {WOS:1},", "  eissn = {1234-567X},", "  url = {https://a.org; https://b.org},", "  abc = {1},",
    "  author = {A\tand B  and C and others},", "  keywords = {a{;}b; c},", '  note = "\\{x\\} \\_ \\, \\$ y",',
    "  Abc = x,",
    "  year = {~2019},", "  decision = {include},", "  pages = {1 \u2013 9},", "TY = {x},", "  title = {{{{a}}}},",
    "  title = {a\u2028b},", "  author = {{A and B}},", '  abstract = "C:\\\\x",', "  title = {a {b}, year = {2},",
)  # fmt: skip


def same_both_ways(text: str) -> tuple[int, int]:
    """Records by every way, and how many of them a pattern took."""
    slow = Tally("a", format="BibTeX", taken=set())
    by_line = bibtex._ByLine(slow)
    expected = [*by_line.feed(text.split("\n")[: None if text[-1:] != "\n" else -1]), *by_line.close()]
    taken = 0
    make = bibtex_order.Order.record

    def counted(*given):
        nonlocal taken
        record = make(*given)
        taken += record is not None
        return record

    receipt = slow.close()
    for compiled in {None, bibtex_whole.entry()}:
        tally = Tally("a", taken=set())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bibtex_order.Order, "record", counted)
            patch.setattr(bibtex, "entry", lambda compiled=compiled: compiled)
            got = list(bibtex.read([text], tally))
        assert got == expected
        assert tally.close() == receipt and tally.entries == slow.entries
    return len(got), taken


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_every_way_reads_the_same_of_damaged_files(data):
    tools = data.draw(st.lists(st.sampled_from(TOOLS), min_size=1, max_size=2)) * 20
    lines = "".join(tool % at for at, tool in enumerate(tools)).split("\n")
    for at, line in data.draw(st.lists(st.tuples(st.integers(0, len(lines) - 1), st.none() | st.sampled_from(ODD)))):
        lines[at : at + 1] = [] if line is None else [line, *lines[at : at + 1]]
    same_both_ways("\n".join(lines))


def test_the_order_of_fields_is_learnt_and_a_later_change_of_it_loses_nothing():
    many = [tool % at for tool in TOOLS for at in range(60)]
    held, taken = same_both_ways('@string{pain = "Pain"}\n' + "".join([*many, *many[:5]]))
    assert held == 245 and taken > 40


def test_an_ordinary_file_goes_by_its_order():
    held, taken = same_both_ways("".join(TOOLS[0] % at for at in range(100)))
    assert taken == held - bibtex_order.LEARNT_FROM - 1, "all but those that taught it, and the last of the file"


@pytest.mark.skipif(bibtex_whole.entry() is None, reason="the compiled function is not built here")
def test_the_compiled_function_takes_what_needs_no_judgement():
    entry = bibtex_whole.entry()
    for place, tool in enumerate(TOOLS):
        text = "\n" + tool % 7
        tally = Tally("a")
        record, lines = entry(text, 0, len(text) - 1, {"pain": "Pain", "feb": "2"}, tally, 10)
        assert (lines, record.lines[0], tally.read) == (text.count("\n") - 1, 11, 1)
        assert text.count("\n", 0, text.rindex("}")) == record.lines[1] - 10
        assert record.authors[:1] == (("Müller, A.",), ("Doe, J.",), ("Solo",), ())[place]
        assert record.year == (1999, 2001, 2003, 2004)[place]
    for odd in (
        "@string{a = {b}}",
        "@article{k, title = {x}",
        "@article{k, title = {x} # y}",
        "@article{k}",
        "@other{k, a={b}}",
    ):
        assert entry(f"\n{odd}\n", 0, len(odd) + 1, {}, Tally("a"), 0) is None
    with pytest.raises(ValueError, match="must lie in the text"):
        entry("\n", 0, 2, {}, Tally("a"), 0)

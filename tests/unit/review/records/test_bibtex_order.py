"""BibTeX by the order of its fields, field by field and line by line: one result and one receipt."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from balm.review.records import bibtex, bibtex_order
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
    "  title = {a\u2028b},", "  author = {{A and B}},", '  abstract = "C:\\\\x",', "  title = {a {b}, year = {2},",
)  # fmt: skip


def same_both_ways(text: str) -> tuple[int, int]:
    """Records by every way, and how many of them a pattern took."""
    tally, slow = Tally("a", taken=set()), Tally("a", taken=set())
    by_line = bibtex._ByLine(slow)
    expected = [*by_line.feed(text.split("\n")[: None if text[-1:] != "\n" else -1]), *by_line.close()]
    taken = 0
    make = bibtex_order.Order.record

    def counted(*given):
        nonlocal taken
        record = make(*given)
        taken += record is not None
        return record

    bibtex_order.Order.record = counted
    try:
        got = list(bibtex.read([text], tally))
    finally:
        bibtex_order.Order.record = make
    assert got == expected
    slow.format = tally.format
    assert tally.entries == slow.entries and tally.close() == slow.close()
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

"""Files on disk: bounds, archives, writing whole, streaming, and the import into a review package."""

from __future__ import annotations

import csv
import gzip
import json
import os
import zipfile

import pytest

from balm.actions import import_records as importing
from balm.actions import records as acting
from balm.actions.import_records import import_records
from balm.actions.new_review import new_review
from balm.actions.records import read_records, stream_records, write_records
from balm.actions.review import Review
from balm.vocabulary.problems import InputError
from balm.vocabulary.record import Record

RIS = "TY  - JOUR\nTI  - {}\nAU  - Lynch, M\nPY  - 2009\nDO  - 10.1000/{}\nER  - \n"
BIB = "@article{k, title = {Ketamine}, year = 2009}\n"


@pytest.fixture
def ris(tmp_path):
    file = tmp_path / "search.ris"
    file.write_text(RIS.format("One", "a") + RIS.format("Two", "b"))
    return file


def test_several_files_one_receipt(ris, tmp_path):
    bib = tmp_path / "other.bib"
    bib.write_text(BIB)
    records = read_records(ris, str(bib))
    assert [r.id for r in records] == ["search.ris:1", "search.ris:2", "k"]
    assert [(f.file, f.read) for f in records.receipt.files] == [("search.ris", 2), ("other.bib", 1)]
    assert records["k"].title == "Ketamine" and records[:2].receipt is records.receipt
    assert "3 held, 3 read, 0 rejected" in repr(records)
    assert "search.ris: RIS, holds 2: read 2" in str(records.receipt)


def test_no_file_is_an_error():
    with pytest.raises(InputError, match="at least one file"):
        read_records()


def test_the_content_decides_not_the_ending(ris, tmp_path):
    wrong = tmp_path / "wrong.xml"
    wrong.write_bytes(ris.read_bytes())
    assert read_records(wrong).receipt.files[0].format == "RIS"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \n", "is empty"),
        (b"\x7fELF" + bytes(400), "is not text in any format"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(400), "save it as .xlsx or CSV"),
        (b"%PDF-1.7\n" + bytes(400), "is a PDF"),
        (b"\n<!DOCTYPE html><html><table><tr><td>Title</td></tr></table></html>", "is a web page"),
        (b"Dear all,\nplease find the results.\n", "has no record in any format"),
        (gzip.compress(b"TY  - JOUR\nTI  - x\nER  - \n" * 9000)[:300], "breaks off"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(tmp_path, data, says):
    file = tmp_path / "x.ris"
    file.write_bytes(data)
    with pytest.raises(InputError, match=says) as caught:
        read_records(file)
    assert "\n" not in str(caught.value) and "x.ris" in str(caught.value)


def test_every_bad_file_is_named_at_once(ris, tmp_path):
    with pytest.raises(InputError) as caught:
        read_records(ris, tmp_path / "missing.ris", tmp_path)
    assert [p.reason for p in caught.value.problems] == [
        "no such file",
        "is a folder; give its files (search.ris), or all of them as " + f"{tmp_path}/*",
    ]


def test_compressed_and_archived(ris, tmp_path):
    packed = tmp_path / "a.ris.gz"
    packed.write_bytes(gzip.compress(ris.read_bytes()))
    archive = tmp_path / "b.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.write(ris, "in/search.ris")
        out.writestr("k.bib", BIB)
    records = read_records(packed, archive)
    assert [f.file for f in records.receipt.files] == ["a.ris.gz", "b.zip/in/search.ris", "b.zip/k.bib"]
    assert len(records) == 5


def test_an_archive_within_an_archive_is_told(ris, tmp_path):
    inner, outer = tmp_path / "inner.zip", tmp_path / "outer.zip"
    for target, file in ((inner, ris), (outer, inner)):
        with zipfile.ZipFile(target, "w") as archive:
            archive.write(file, file.name)
    with pytest.raises(InputError, match=r"outer\.zip: inner\.zip: is an archive within an archive.*unpack it first"):
        read_records(outer)


def test_bombs_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(acting, "RATIO_FROM", 2**20)
    bomb = tmp_path / "a.ris.gz"
    bomb.write_bytes(gzip.compress(b"TY  - JOUR\nTI  - x\nER  - \n" + b"\n" * 2**24))
    with pytest.raises(InputError, match="unpacks to more than 400 times"):
        read_records(bomb)
    archive = tmp_path / "b.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("a.ris", b"\n" * 2**26)
    with pytest.raises(InputError, match="refused as a bomb"):
        read_records(archive)


def test_what_is_too_large_for_memory_is_refused_with_its_limit(ris, monkeypatch):
    monkeypatch.setattr(acting, "MAX_IN_MEMORY", 100)
    with pytest.raises(InputError, match=r"read it with balm\.stream_records"):
        read_records(ris)
    assert len(list(stream_records(ris))) == 2


def test_a_sparse_gigabyte_is_refused_at_once(tmp_path):
    file = tmp_path / "huge.ris"
    file.write_text(RIS.format("One", "a"))
    os.truncate(file, acting.MAX_IN_MEMORY + 1)
    with pytest.raises(InputError, match="1,024 MB"):
        read_records(file)


def test_a_line_without_end_is_refused(tmp_path, monkeypatch):
    from balm.review.records import decoding

    monkeypatch.setattr(decoding, "MAX_LINE", 2**20)
    file = tmp_path / "a.ris"
    file.write_text(RIS.format("One", "a") + "x" * 2**22)
    with pytest.raises(InputError, match="a line is longer than"):
        read_records(file)


def test_streaming_is_lazy_and_hands_over_the_receipt(ris):
    receipts = []
    stream = stream_records(ris, receipts=receipts)
    assert next(stream).title == "One" and receipts == []
    assert [r.title for r in stream] == ["Two"]
    assert receipts[0].read == 2


@pytest.mark.parametrize("ending", [".ris", ".nbib", ".bib", ".csv"])
def test_written_and_read_again(ris, tmp_path, ending):
    records = read_records(ris)
    again = read_records(write_records(records, tmp_path / f"out{ending}"))
    assert [(r.id, r.title, r.doi) for r in again] == [(r.id, r.title, r.doi) for r in records]


def test_a_failure_while_writing_leaves_nothing(tmp_path):
    def broken():
        yield Record(id="1", title="x")
        raise RuntimeError("stop")

    target = tmp_path / "out.ris"
    target.write_text("before")
    with pytest.raises(RuntimeError):
        write_records(broken(), target)
    assert target.read_text() == "before" and os.listdir(tmp_path) == ["out.ris"]


def test_writing_says_what_it_can_write(tmp_path):
    with pytest.raises(InputError, match=r"must end in one of \['.ris', '.nbib', '.bib', '.csv'\]"):
        write_records([], tmp_path / "x.docx")
    with pytest.raises(InputError, match="make it first"):
        write_records([], tmp_path / "no" / "x.ris")
    with pytest.raises(InputError, match="is a folder"):
        (tmp_path / "d.ris").mkdir()
        write_records([], tmp_path / "d.ris")


@pytest.fixture
def package(tmp_path):
    new_review(tmp_path / "review")
    return tmp_path / "review"


def table(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_import_makes_a_search_and_rows(package, ris):
    done = import_records(package, ris, date="2026-11-01", source="Embase")
    assert done.receipt.read == 2
    (search,) = table(package / "searches.csv")
    assert (search["search"], search["kind"], search["source"]) == ("search", "database", "Embase")
    assert (search["retrieved"], search["file"]) == ("2", "searches/search.ris")
    assert (package / "searches" / "search.ris").read_bytes() == ris.read_bytes()
    rows = table(package / "records.csv")
    assert [(r["record"], r["search"], r["title"], r["year"]) for r in rows] == [
        ("search.ris-1", "search", "One", "2009"),
        ("search.ris-2", "search", "Two", "2009"),
    ]
    assert Review.load(package).problems() == ()


def test_import_only_ever_adds(package, ris, tmp_path):
    import_records(package, ris)
    before = (package / "records.csv").read_bytes()
    other = tmp_path / "more" / "search.ris"
    other.parent.mkdir()
    other.write_text(RIS.format("=cmd|' /C calc'!A0", "c"))
    import_records(package, other)
    after = (package / "records.csv").read_bytes()
    assert after.startswith(before) and b",'=cmd" in after
    assert [s["search"] for s in table(package / "searches.csv")] == ["search", "search-2"]
    assert Review.load(package).problems() == ()


def snapshot(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_same_file_twice_is_refused(package, ris):
    import_records(package, ris)
    before = snapshot(package)
    with pytest.raises(InputError, match=r"was imported already, as searches/search\.ris"):
        import_records(package, ris)
    assert snapshot(package) == before


def test_a_problem_in_any_file_or_in_the_package_writes_nothing(package, ris, tmp_path):
    before = snapshot(package)
    empty = tmp_path / "empty.ris"
    empty.write_text("")
    with pytest.raises(InputError, match="is empty"):
        import_records(package, ris, empty)
    assert snapshot(package) == before
    (package / "records.csv").write_text("record\nx\n")
    with pytest.raises(InputError, match="column"):
        import_records(package, ris)


def test_a_failure_half_way_puts_everything_back(package, ris, monkeypatch):
    before = snapshot(package)
    replace = os.replace

    def failing(source, target):
        if str(target).endswith("records.csv"):
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(InputError, match="No space left"):
        import_records(package, ris)
    assert snapshot(package) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")], ids=["ctrl-c", "full"])
@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_an_import_cut_short_anywhere_leaves_the_package_as_it_was(package, ris, monkeypatch, error, step, times):
    before = snapshot(package)
    real = getattr(os, step)
    calls = 0

    def cut_short(*arguments):
        nonlocal calls
        calls += 1
        if calls == times:
            raise error
        return real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(os, step, cut_short)
        with pytest.raises(KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else InputError):
            import_records(package, ris)
    assert calls >= times and snapshot(package) == before
    assert import_records(package, ris).receipt.read


def test_ctrl_c_while_records_are_read_leaves_the_package_as_it_was(package, ris, monkeypatch):
    before = snapshot(package)

    def stopped(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(importing, "read_records", stopped)
    with pytest.raises(KeyboardInterrupt):
        import_records(package, ris)
    assert snapshot(package) == before


def test_more_than_a_package_holds_is_refused_before_writing(package, ris, monkeypatch):
    monkeypatch.setattr(importing, "LARGER", {})
    monkeypatch.setattr(importing, "MAX_BYTES", 150)
    before = snapshot(package)
    with pytest.raises(InputError, match="would grow to"):
        import_records(package, ris)
    assert snapshot(package) == before


def test_registrations_make_a_register(package, tmp_path):
    study = {"protocolSection": {"identificationModule": {"nctId": "NCT01339377", "briefTitle": "Ozone"}}}
    file = tmp_path / "ctg.json"
    file.write_text(json.dumps([study]))
    import_records(package, file)
    (search,) = table(package / "searches.csv")
    assert (search["kind"], search["source"]) == ("register", "ClinicalTrials.gov")


def test_the_command_prints_the_receipt(package, ris, capsys):
    from balm.cli.main import main

    assert main(["import", str(package), str(ris)]) == 0
    out = capsys.readouterr().out
    assert "search.ris: RIS, holds 2: read 2, rejected 0" in out and "2 records added" in out
    other = ris.with_name("b.bib")
    other.write_text(BIB)
    assert main(["import", str(package), str(other), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["read"], said["rejected"], said["searches"][0]["search"]) == (1, 0, "b")
    assert main(["import", str(package), str(other)]) == 1
    assert "was imported already" in capsys.readouterr().err


def test_a_folder_is_told_by_its_files(tmp_path):
    for name in "gfedcba":
        (tmp_path / f"{name}.ris").write_text(RIS)
    (tmp_path / ".hidden").write_text("")
    with pytest.raises(InputError) as caught:
        read_records(tmp_path)
    shown = "a.ris, b.ris, c.ris, d.ris, e.ris and 2 more"
    assert caught.value.problems[0].reason == f"is a folder; give its files ({shown}), or all of them as {tmp_path}/*"


def test_far_too_many_empty_records_in_a_row_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("balm.review.records.receipt.MAX_REJECTED", 5)
    file = tmp_path / "bare.ris"
    file.write_text(("TY  - \n" * 5 + RIS) * 3)
    assert read_records(file).receipt.rejected == 15
    file.write_text(RIS + "TY  - \n" * 7)
    with pytest.raises(InputError, match=r"bare.ris: more than 5 records in a row up to line \d+ cannot be read"):
        read_records(file)


def test_a_pipe_or_a_device_is_no_file_to_keep(tmp_path):
    new_review(tmp_path / "r")
    for path in ("/dev/zero", tmp_path / "pipe"):
        if path != "/dev/zero":
            os.mkfifo(path)
        with pytest.raises(InputError, match="is a pipe or a device; a file is kept"):
            import_records(tmp_path / "r", path)


def test_an_archive_packed_by_another_method_is_named(tmp_path):
    file = tmp_path / "odd.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.ris", RIS.format("One", "a"))
    data = bytearray(file.read_bytes())
    data[data.find(b"PK\x01\x02") + 10] = data[8] = 97
    file.write_bytes(data)
    with pytest.raises(InputError, match=r"odd.zip: a.ris: is packed by a method that is not read"):
        read_records(file)


@pytest.mark.parametrize("tail", ["</rec" + " " * 9_000_000, "<!-- " + "> " * 4_500_000])
def test_a_tag_that_does_not_end_is_refused_before_it_costs_minutes(tmp_path, tail):
    file = tmp_path / "long.xml"
    head = "<xml><records><record><titles><title>t</title></titles></record>"
    file.write_text(head + tail)
    with pytest.raises(InputError, match="a tag or comment of more than 4 MB"):
        read_records(file)
    file.write_text(head + "<record><titles><title>" + "> " * 4_500_000 + "</title></titles></record></records></xml>")
    assert len(read_records(file)) == 2


def test_texts_of_a_package_are_no_formulas_in_its_files(tmp_path):
    """Written behind an apostrophe, read without it; a text that is a number stays a number."""
    new_review(tmp_path / "r")
    file = tmp_path / "s.csv"
    file.write_text("Title,Authors,Year,Journal,DOI\n\"=cmd|'/C calc'!A0\",+Smith J,2009,'80s,-1.5\n")
    import_records(tmp_path / "r", file, source="@source")
    with open(tmp_path / "r" / "records.csv", encoding="utf-8", newline="") as source:
        (row,) = csv.DictReader(source)
    assert (row["title"], row["authors"], row["journal"]) == ("'=cmd|'/C calc'!A0", "'+Smith J", "'80s")
    package = Review.load(tmp_path / "r").package
    read = package.records[0]
    assert (read.title, read.authors, read.journal) == ("=cmd|'/C calc'!A0", "+Smith J", "'80s")
    assert package.searches[0].source == "@source"
    assert "'@source" in (tmp_path / "r" / "searches.csv").read_text("utf-8")

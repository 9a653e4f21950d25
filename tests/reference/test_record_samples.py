"""Every real export of the sample collection: as many records as heads counted independently, and back without loss."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import io
import json
import os
import re
import zipfile
from pathlib import Path

import pytest

from balm.actions.records import read_records, write_records
from balm.vocabulary.record import Vote
from tests.reference.golden import CHECKOUT, shared

SHARED = shared() or CHECKOUT.parent / "shared"
FOLDER = SHARED / "samples" / "bibliographic"
FILES = sorted(p for p in FOLDER.glob("*/*") if p.is_file()) if FOLDER.is_dir() else []
FILES += sorted((SHARED / "samples" / "dedup").glob("*/*.xml.gz"))
NOT_COMPARED = {"source_file", "ordinal", "lines", "other"}

if not FILES and os.environ.get("CI"):
    raise RuntimeError("the sample collection is missing: put it in ../shared or set BALM_SHARED")


def raw(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def rows(text: str, mark: str) -> int:
    """Filled rows under the header; what stands above it (a search query) is not counted."""
    filled = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark) if any(c.strip() for c in row)]
    header = next(i for i, row in enumerate(filled) if len(row) > 1 and len(row) >= max(map(len, filled)) - 1)
    return len(filled) - header - 1


def heads(path: Path) -> int:
    """The records of a file counted by their heads alone, with no reader of ours."""
    name = path.name.removesuffix(".gz")
    data = raw(path)
    if name.endswith(".xlsx"):
        from openpyxl import load_workbook

        sheet = load_workbook(io.BytesIO(data), read_only=True).active
        filled = [[c for c in row if c is not None] for row in sheet.iter_rows(values_only=True)]
        return sum(len(row) > 2 for row in filled) - 1
    if name.endswith(".asreview"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            member = next(n for n in archive.namelist() if n.startswith("data/") and n.endswith(".csv"))
            return rows(archive.read(member).decode(), ",")
    text = data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    if name.endswith((".csv", ".tsv")) or name == "test_export.txt":
        first = text.split("\n", 1)[0]
        return rows(text, max(",;\t", key=first.count))
    if name.endswith(".json"):
        return len(json.loads(text))
    if name.endswith(".bib"):
        return len(re.findall(r"^@(?!comment|string|preamble)\w+\s*\{", text, re.M | re.I))
    if name.endswith(".enl"):
        return len(re.findall(r"^%T ", text, re.M))
    if name.endswith(".xml"):
        return max(len(re.findall(r"<PubmedArticle>", text)), len(re.findall(r"<record>", text)))
    for head in (r"^TY {1,2}-", r"^PMID ?- ?\d", r"^PT [A-Z]$", r"^<\d+\. >$", r"^OWN - "):
        if count := len(re.findall(head, text, re.M)):
            return count
    raise AssertionError(f"{path}: no head known")


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_read_and_rejected_are_what_the_file_holds(path):
    records = read_records(path)
    receipt = records.receipt
    assert receipt.held == receipt.read + receipt.rejected == heads(path)
    assert receipt.read == len(records)
    assert len({r.id for r in records}) == len(records)
    assert sum(p.what == "rejected" for p in receipt.problems) == receipt.rejected


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_written_and_read_again_nothing_is_lost(path, tmp_path):
    records = read_records(path)
    names = [f.name for f in dataclasses.fields(records[0]) if f.name not in NOT_COMPARED]
    for ending in (".ris", ".csv", ".bib", ".nbib"):
        again = read_records(write_records(records, tmp_path / f"again{ending}"))
        assert len(again) == len(records), ending
        lost = [
            (ending, a.id, n, getattr(a, n), getattr(b, n))
            for a, b in zip(records, again, strict=True)
            for n in names
            if getattr(a, n) != getattr(b, n)
        ]
        assert not lost, lost[:3]


@pytest.mark.skipif(not FILES, reason="no samples")
def test_the_two_formats_of_one_library_agree():
    ris = read_records(FOLDER / "ASySD" / "zotero_export.ris.gz")
    bib = read_records(FOLDER / "ASySD" / "zotero_export.bib.gz")
    assert len(ris) == len(bib) == 1000
    assert sum(a.doi is not None for a in ris) == sum(b.doi is not None for b in bib)


@pytest.mark.skipif(not FILES, reason="no samples")
def test_what_only_this_collection_shows():
    endnote = read_records(FOLDER / "citation-file-formatting" / "_baseline_cochrane_endnote.ris")
    assert endnote.receipt.files[0].stated == 18 and all(r.pmid for r in endnote)
    rayyan = read_records(FOLDER / "citation-file-formatting" / "_baseline_rayyan.ris")
    assert {v for r in rayyan for v in r.votes} >= {Vote("Emily", "include"), Vote("Emily", "maybe")}
    labels = read_records(FOLDER / "asreview" / "baseline_tag-notes_labels.ris")
    assert {r.decision for r in labels} == {"include", "exclude", None}

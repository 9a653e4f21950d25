"""ClinicalTrials.gov JSON (the download and the interface, version 2), one study at a time."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from balm.review.records.decoding import BLOCK
from balm.review.records.identifiers import find_year
from balm.review.records.receipt import Tally
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.record import Record

#: One study with all its results stays under 8 MB.
MAX_STUDY = 64 * 1024 * 1024


def read(source: BinaryIO, tally: Tally) -> Iterator[Record]:
    """Every study of a list, of a page (``{"studies": [...]}``), of one study alone, or of one study a line."""
    tally.format = "ClinicalTrials.gov JSON"
    for study in _studies(source, tally):
        yield from _record(study, tally)


def _studies(source: BinaryIO, tally: Tally) -> Iterator[Any]:
    """The objects that are studies, decoded one by one from a buffer that holds little more than one."""
    head = source.read(BLOCK)
    text = codecs.getincrementaldecoder("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")("replace")
    scan = json.JSONDecoder(strict=False).raw_decode
    buffer, done = text.decode(head), not head
    line = 1
    start = _start(buffer)
    line += buffer.count("\n", 0, start)
    buffer = buffer[start:]
    wanted = 0  # decode again only once the buffer has grown to this: a large study is not tried for every block
    while True:
        stripped = buffer.lstrip(" \t\r\n,")
        line += buffer.count("\n", 0, len(buffer) - len(stripped))
        buffer = stripped
        if buffer[:1] == "{" and (len(buffer) >= wanted or done):
            try:
                study, end = scan(buffer)
            except RecursionError:
                raise InputError(Problem("the JSON is nested too deeply", file=tally.file, line=line)) from None
            except ValueError as broken:
                if done:
                    tally.reject(line, f"the file breaks off or is damaged inside this study ({broken})", buffer[:2000])
                    return
                wanted = 2 * len(buffer)
            else:
                line += buffer.count("\n", 0, end)
                buffer, wanted = buffer[end:], 0
                yield study
                continue
        elif buffer and buffer[:1] != "{":
            if buffer[:1] != "]":
                raise InputError(Problem(f"expected a study; got {buffer[:40]!r}", file=tally.file, line=line))
            return
        if done:
            if not buffer and tally.read:
                tally.repair(line, "the file breaks off after the last study")
            return
        if len(buffer) > MAX_STUDY:
            limit = f"{MAX_STUDY // 1024**2} MB"
            raise InputError(
                Problem(f"one study is larger than {limit}: this is no export", file=tally.file, line=line)
            )
        chunk = source.read(BLOCK)
        done = not chunk
        buffer += text.decode(chunk, done)


def _start(text: str) -> int:
    """Where the first study begins: behind ``[``, behind ``"studies": [``, or at once."""
    first = len(text) - len(text.lstrip())
    if text[first : first + 1] == "[":
        return first + 1
    at = text.find('"studies"', 0, 4096)
    if at >= 0 and '"protocolSection"' not in text[:at] and (bracket := text.find("[", at)) >= 0:
        return bracket + 1
    return first


def _record(study: Any, tally: Tally) -> Iterator[Record]:
    protocol = study.get("protocolSection") if isinstance(study, dict) else None
    if not isinstance(protocol, dict):
        tally.reject(None, "the study has no protocolSection", json.dumps(study)[:2000])
        return

    def part(*names: str) -> Any:
        at: Any = protocol
        for name in names:
            at = at.get(name) if isinstance(at, dict) else None
        return at

    def text(*names: str) -> str | None:
        at = part(*names)
        return " ".join(at.split()) or None if isinstance(at, str) else None

    def texts(*names: str) -> tuple[str, ...]:
        at = part(*names)
        return tuple(dict.fromkeys(v.strip() for v in at if isinstance(v, str) and v.strip())) if _list(at) else ()

    number = text("identificationModule", "nctId")
    official, brief = text("identificationModule", "officialTitle"), text("identificationModule", "briefTitle")
    posted = text("statusModule", "studyFirstPostDateStruct", "date") or text("statusModule", "studyFirstSubmitDate")
    summary = part("descriptionModule", "briefSummary")
    others = part("identificationModule", "secondaryIdInfos")
    ids = [number] if number else []
    ids += (
        [o["id"].strip() for o in others if isinstance(o, dict) and isinstance(o.get("id"), str)]
        if _list(others)
        else []
    )
    people = part("contactsLocationsModule", "overallOfficials")
    named = (
        [p["name"] for p in people if isinstance(p, dict) and isinstance(p.get("name"), str)] if _list(people) else []
    )
    sponsor = text("sponsorCollaboratorsModule", "leadSponsor", "name")
    record = Record(
        id=tally.name(number),
        type="registration",
        title=official or brief,
        authors=tuple(named) or ((sponsor,) if sponsor else ()),
        year=find_year(posted) if posted else None,
        date=posted,
        journal="ClinicalTrials.gov",
        accession_numbers=tuple(dict.fromkeys(i for i in ids if i)),
        abstract=summary.strip() or None if isinstance(summary, str) else None,
        keywords=tuple(dict.fromkeys(texts("conditionsModule", "conditions") + texts("conditionsModule", "keywords"))),
        urls=(f"https://clinicaltrials.gov/study/{number}",) if number else (),
        publication_types=tuple(v for v in (text("designModule", "studyType"),) if v),
        publisher=sponsor,
        database="ClinicalTrials.gov",
        source_file=tally.file,
        ordinal=tally.ordinal,
        other=tuple(
            (name, value)
            for name, value in (
                ("briefTitle", brief if official else None),
                ("overallStatus", text("statusModule", "overallStatus")),
                ("startDate", text("statusModule", "startDateStruct", "date")),
                ("completionDate", text("statusModule", "completionDateStruct", "date")),
                ("acronym", text("identificationModule", "acronym")),
                ("allocation", text("designModule", "designInfo", "allocation")),
                ("hasResults", str(study.get("hasResults")).lower() if "hasResults" in study else None),
            )
            if value
        ),
    )
    tally.read += 1
    yield record


def _list(value: Any) -> bool:
    return isinstance(value, list)

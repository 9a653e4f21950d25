# ruff: noqa: E501  (headers of tables, and what is said of them, are one line)
"""Somebody's table into the registry: by header, by the bundled cohort table, by a mapping; all or nothing."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from balm.actions import registry_import
from balm.actions.registry_folder import checked_registry, load_registry, write_files
from balm.actions.registry_import import import_into_registry, read_sheet
from balm.cli.main import main
from balm.registry.mapping import cohort_mapping, mapping_for, read_mapping
from balm.vocabulary.problems import InputError
from tests.unit.registry.small import FILES, files

COHORT = """participant,site,enrolled,sex,course,diagnosis,pain_type,setting,session,session_kind,status,start,end,weight_kg,events_asked,drug,form,segment_kind,dose,dose_unit,pain_baseline,date_baseline,pain_mo1,date_mo1,pgic_mo1
A1,site1,2026-01-02,female,1,CRPS,neuropathic,chronic,1,treatment,running,2026-01-10T09:00,2026-01-10T11:00,70,yes,ketamine,racemic,infusion,150,mg,8,2026-01-05,4,2026-02-09,2
A2,site1,2026-01-02,male,1,CRPS,neuropathic,chronic,1,treatment,running,2026-01-11T09:00,2026-01-11T11:00,80,no,ketamine,racemic,infusion,150,mg,7,2026-01-05,,,
"""


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    folder = tmp_path / "clinic"
    folder.mkdir()
    write_files(folder, files())
    return folder


def test_a_cohort_table_starts_a_registry_and_comes_twice_without_harm(tmp_path: Path) -> None:
    file = put(tmp_path, "cohort.csv", COHORT)
    folder = tmp_path / "new"
    dry = import_into_registry(folder, file, dry_run=True)
    assert not folder.exists() and dry.plan.added["sessions"] == 2
    import_into_registry(folder, file)
    found = load_registry(folder)
    assert [(a.visit, a.value, a.instrument) for a in found.assessments] == [
        ("baseline", 8, "nrs"), ("mo1", 4, "nrs"), ("mo1", 2, "pgic"), ("baseline", 7, "nrs"),
    ]  # fmt: skip
    before = snapshot(folder)
    again = import_into_registry(folder, file)
    assert not any(again.plan.added.values()) and again.plan.there["participants"] == 2
    assert snapshot(folder) == before


#: What is changed in the cohort table, and what is said by row and column of that file.
WRONG = (
    (",70,yes", ",0,yes", "cohort.csv, row 1, column weight_kg: must lie between 10 and 350 kg; got '0'"),
    (",80,no", ",700,no", "cohort.csv, row 2, column weight_kg: must lie between 10 and 350 kg; got '700'"),
    ("150,mg,8", "-150,mg,8", "cohort.csv, row 1, column dose: must be 0 or more; got '-150'"),
    (",8,2026-01-05", ",11,2026-01-05", "row 1, column pain_baseline: nrs average must lie between 0 and 10; got 11"),
    ("2026-01-10T11:00", "2026-01-10T08:00", "cohort.csv, row 1, column end: end (2026-01-10 08:00:00) is before start"),
    (",4,2026-02-09", ",4,2026-01-03", "row 1, column date_mo1: an answer at 1 month lies before the first session"),
    (",70,yes", ",70 kg,yes", "column weight_kg: holds numbers in kg (row 1) and no unit (row 2): one column has one"),
    ("150,mg,7", "150,mg/kg/h,7", "cohort.csv, row 2, column dose_unit: must be one of"),
    ("A2,site1", "A2,site2", "cohort.csv, row 2, column site: 'site2' is not one of the sites"),
    ("pain_baseline", "pain_basline", "'pain_basline' is not a column of the cohort table (did you mean 'pain_baseline'?)"),
    ("A2,site1,2026-01-02,male", "A1,site1,2026-01-02,male", "here it is 'male'; nothing is overwritten"),
    ("neuropathic,chronic,1,treatment,running,2026-01-11", "neuropathic,,1,treatment,running,2026-01-11", "row 2, column setting: must not be empty"),
)  # fmt: skip


@pytest.mark.parametrize(("old", "new", "words"), WRONG)
def test_bad_rows_are_named_and_nothing_is_saved(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in COHORT
    file = put(tmp_path, "cohort.csv", COHORT.replace(old, new, 1))
    with pytest.raises(InputError) as error:
        import_into_registry(tmp_path / "new", file)
    assert words in str(error.value), str(error.value)
    assert not (tmp_path / "new").exists()


def test_bad_cells_and_bad_scores_are_named_in_one_go(tmp_path: Path) -> None:
    text = COHORT.replace(",70,yes", ",700,yes").replace("7,2026-01-05", "11,2026-01-05")
    with pytest.raises(InputError) as error:
        import_into_registry(tmp_path / "new", put(tmp_path, "cohort.csv", text))
    assert [(p.row, p.column) for p in error.value.problems] == [(1, "weight_kg"), (2, "pain_baseline")]


def test_a_table_is_known_by_its_header_and_never_overwrites(clinic: Path, tmp_path: Path) -> None:
    file = put(tmp_path, "more.csv", FILES["assessments.csv"] + "a6,c1,mo3,nrs,average,2026-04-18,5,,link\n")
    before = snapshot(clinic)
    done = import_into_registry(clinic, file)
    assert done.plan.added["assessments"] == 1 and done.plan.there == {"assessments": 5}
    assert done.written == ("assessments.csv",)
    after = snapshot(clinic)
    assert {n for n in after if after[n] != before[n]} == {"assessments.csv"}
    with pytest.raises(InputError, match="here it is '7'; nothing is overwritten"):
        import_into_registry(clinic, put(tmp_path, "more.csv", FILES["assessments.csv"].replace("-10,8,", "-10,7,")))
    assert snapshot(clinic) == after


MAPPING = """
date_format = "%d/%m/%Y"
decimal = ","
[units]
Gewicht = "lb"
[words.Geschlecht]
W = "female"
[[rows]]
table = "participants"
[rows.columns]
participant = "P{Nr}"
enrolled = "Datum"
sex = "Geschlecht"
[rows.fixed]
site = "site1"
[[rows]]
table = "courses"
[rows.columns]
course = "P{Nr}-1"
participant = "P{Nr}"
diagnosis = "Diagnose"
[rows.fixed]
number = "1"
pain_type = "not classified"
setting = "chronic"
[[rows]]
table = "sessions"
[rows.columns]
session = "P{Nr}-1-1"
course = "P{Nr}-1"
start = "Beginn"
weight_kg = "Gewicht"
[rows.fixed]
number = "1"
kind = "treatment"
status = "running"
"""
GERMAN = "Nr;Datum;Geschlecht;Diagnose;Beginn;Gewicht;Bemerkung\n7;05/01/2026;W;CRPS;12/01/2026 09:30;154,5;x\n"


def test_a_mapping_translates_words_days_commas_and_units(tmp_path: Path) -> None:
    file, mapping = put(tmp_path, "german.csv", GERMAN), put(tmp_path, "m.toml", MAPPING)
    done = import_into_registry(tmp_path / "new", file, mapping=mapping)
    assert done.plan.unused == ("Bemerkung",)
    session = load_registry(tmp_path / "new").sessions[0]
    assert str(session.weight_kg) == "70.080021165" and session.start.isoformat() == "2026-01-12T09:30:00"
    assert load_registry(tmp_path / "new").participants[0].sex == "female"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('table = "sessions"', 'table = "session"', "did you mean 'sessions'?"),
        ('weight_kg = "Gewicht"', 'weight = "Gewicht"', "did you mean 'weight_kg'?"),
        ('weight_kg = "Gewicht"', 'weight_kg = "Gewich"', "'Gewich' is not a column of german.csv (did you mean 'Gewicht'?)"),
        ('Gewicht = "lb"', 'Gewicht = "stone"', "is in stone; sessions.weight_kg is in kg; no conversion is made"),
        ('decimal = ","', 'decimal = ";"', "must be '.' or ','"),
        ("[units]", "[unit]", "'unit' is not a field of a mapping"),
        ("date_format =", "date_format =%", "cannot be read as TOML"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    file, mapping = put(tmp_path, "german.csv", GERMAN), put(tmp_path, "m.toml", MAPPING.replace(old, new, 1))
    with pytest.raises(InputError) as error:
        import_into_registry(tmp_path / "new", file, mapping=mapping)
    assert words in str(error.value), str(error.value)


def test_a_header_that_is_nobodys_asks_for_a_mapping(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="say with a mapping"):
        import_into_registry(tmp_path / "new", put(tmp_path, "x.csv", "patient,pain\n1,2\n"))
    with pytest.raises(InputError, match="is not a table of a registry"):
        mapping_for(["a"], file="x.csv", table="nothing")
    assert read_mapping(MAPPING, name="m.toml").decimal == "," and cohort_mapping().rows[0].optional


def test_a_workbook_is_read_and_its_formulas_are_refused(tmp_path: Path) -> None:
    from datetime import datetime

    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    for line in COHORT.splitlines():
        sheet.append(line.split(","))
    sheet["L2"] = datetime(2026, 1, 10, 9, 0)
    sheet["N2"] = 70.0
    book.save(tmp_path / "cohort.xlsx")
    import_into_registry(tmp_path / "new", tmp_path / "cohort.xlsx")
    assert len(load_registry(tmp_path / "new").sessions) == 2
    sheet["N3"] = "=70+10"
    book.save(tmp_path / "cohort.xlsx")
    with pytest.raises(InputError, match="row 2, column weight_kg: holds a formula"):
        read_sheet(tmp_path / "cohort.xlsx")
    (tmp_path / "bad.xlsx").write_bytes(b"no zip")
    with pytest.raises(InputError, match="cannot be read as a workbook"):
        read_sheet(tmp_path / "bad.xlsx")


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(put(tmp_path, "cohort.csv", COHORT))
    folder = str(tmp_path / "new")
    assert main(["registry", "import", folder, file, "--dry-run"]) == 0
    assert "2 sessions would be added" in capsys.readouterr().out
    assert main(["registry", "import", folder, file, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["added"]["assessments"] == 4
    assert main(["registry", "check", folder]) == 0
    assert "nothing wrong: 2 participants" in capsys.readouterr().out
    assert main(["registry", "new", folder]) == 1
    assert "not an empty folder" in capsys.readouterr().err
    assert main(["registry", "new", str(tmp_path / "other")]) == 0
    assert main(["registry", "import", folder]) == 2
    assert main(["registry", "check", folder, file]) == 2
    assert main(["registry", "check", folder, "--dry-run"]) == 2
    assert main(["registry", "check", str(tmp_path / "nowhere")]) == 1
    (tmp_path / "new" / "stops.csv").write_text("course\n")
    assert checked_registry(folder)[0] is None
    assert main(["registry", "check", folder, "--json"]) == 1


SESSIONS = "session,course,number,kind,status,start,end,weight_kg,events_asked,signed_by,signed_at"
SESSION = "s9,c1,3,treatment,signed,2026-03-02T09:00,2026-03-02T12:00,70,yes,nurse1,2026-03-02T12:30"
SEGMENTS = "segment,session,kind,drug,form,start,stop,dose,dose_unit,rate,rate_unit"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{SESSIONS},colour\n{SESSION},blue\n", "column colour: 'colour' is not a column of sessions.csv"),
        ("session,course,number,kind,status\ns9,c1,3,treatment,signed\n", "column start: is needed in sessions.csv"),
        (f"{SESSIONS}\n{SESSION.replace('2026', '2031')}\n", "row 1, column end: lies in the future"),
        (f"{SESSIONS}\n{SESSION}\n{SESSION.replace(',70,', ',72,')}\n", "row 2, column weight_kg: sessions 's9' stands in row 1"),
        (f"{SESSIONS},notes\n{SESSION},=1+1\n", "row 1, column notes: holds a formula; paste values only"),
        (f"{SEGMENTS}\ng9,s1,infusion,ketamine,racemic,2026-01-12T10:20,2026-01-12T10:40,50,,,\n",
         "row 1, column dose_unit: dose and dose_unit come together: dose 50 has no unit, and none is guessed"),
        (f"{SESSIONS},notes\n{SESSION},{'x' * 140_000}\n", "line 2: a cell holds more than 131,072 characters"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said_by_row_and_column(
    clinic: Path, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "t.csv").write_text(text)
    before = snapshot(clinic)
    with pytest.raises(InputError, match=re.escape(words)):
        import_into_registry(clinic, tmp_path / "t.csv", today=date(2026, 11, 22))
    assert snapshot(clinic) == before


def test_a_file_of_too_many_rows_is_refused_before_it_is_checked(
    clinic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_import, "MOST_ROWS", 1)
    (tmp_path / "t.csv").write_text(f"{SESSIONS}\n{SESSION}\n{SESSION}\n")
    with pytest.raises(InputError, match="holds 2 rows; at most 1 come in at once: split the file"):
        import_into_registry(clinic, tmp_path / "t.csv", today=date(2026, 11, 22))

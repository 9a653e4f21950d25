"""FHIR, OMOP and REDCap: what leaves, what does not, and what comes back."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from balm.actions.registry_export import export_registry
from balm.actions.registry_folder import write_files
from balm.actions.registry_import import import_into_registry
from balm.cli.main import main
from balm.registry.demonstration import demonstration_files
from balm.registry.doses import dose_mg
from balm.registry.exports.fhir import fhir_bundle, fhir_text
from balm.registry.exports.omop import omop_files
from balm.registry.exports.redcap import DICTIONARY, code_of, in_words, our_mapping, read_dictionary, redcap_files
from balm.registry.importing import Sheet
from balm.registry.reading import read_registry, registry_tables
from balm.registry.registry import Registry
from balm.registry.tables import TABLES
from balm.vocabulary.problems import InputError
from tests.unit.registry.small import files, with_cell


def registry(body: dict[str, bytes] | None = None) -> Registry:
    found, problems = read_registry(body or files(), today=date(2026, 11, 22))
    assert found is not None, problems
    return found


def resources(r: Registry, kind: str) -> list[dict[str, Any]]:
    return [e["resource"] for e in fhir_bundle(r)["entry"] if e["resource"]["resourceType"] == kind]


def test_fhir_has_one_administration_for_each_standing_segment() -> None:
    r = registry()
    found = {m["identifier"][0]["value"]: m for m in resources(r, "MedicationAdministration")}
    assert sorted(found) == ["g1", "g2", "g4", "g5", "g6"]  # g3 was replaced by g4
    assert found["g4"]["dosage"]["rateQuantity"] == {
        "value": 65, "unit": "mg/h", "system": "http://unitsofmeasure.org", "code": "mg/h",
    }  # fmt: skip
    assert found["g1"]["dosage"]["dose"]["value"] == 75 and "rateQuantity" not in found["g1"]["dosage"]
    assert found["g4"]["effectivePeriod"] == {"start": "2026-01-19T10:10:00+01:00", "end": "2026-01-19T11:10:00+01:00"}
    assert found["g5"]["effectiveDateTime"] == "2026-01-20T09:05:00+01:00"
    assert found["g5"]["medicationCodeableConcept"]["coding"][0]["code"] == "N01AX14"
    assert found["g6"]["dosage"]["text"] == "infusion at 0.25 mg/kg/h for 88 kg"
    parts = {m["partOf"][0]["reference"] for m in found.values()}
    assert parts <= {e["fullUrl"] for e in fhir_bundle(r)["entry"]}


def test_fhir_hangs_together_and_is_the_same_every_time() -> None:
    r = registry(demonstration_files(people=6))
    text = fhir_text(r)
    assert text == fhir_text(r)
    bundle = json.loads(text)
    urls = [e["fullUrl"] for e in bundle["entry"]]
    assert len(urls) == len(set(urls)) and bundle["meta"]["tag"][0]["code"] == "HTEST"
    assert set(re.findall(r'"reference": "([^"]+)"', text)) <= set(urls)
    assert all(e["resource"]["meta"]["tag"][0]["code"] == "HTEST" for e in bundle["entry"])
    assert all(e["fullUrl"] == f"urn:uuid:{e['resource']['id']}" for e in bundle["entry"])
    summer = [m for m in resources(r, "Procedure") if "-07-" in m["performedPeriod"]["start"]]
    assert all(m["performedPeriod"]["start"].endswith("+02:00") for m in summer)


def test_who_withdrew_does_not_leave() -> None:
    r = registry(with_cell("consents.csv", 1, "withdrawn", "2026-06-01"))
    assert [p["identifier"][0]["value"] for p in resources(r, "Patient")] == ["p2", "p3"]
    text = fhir_text(r)
    assert '"p1"' not in text and '"c1"' not in text and "dizziness" not in text
    assert "p1" not in omop_files(r)["person.csv"] and "racemic" not in omop_files(r)["drug_exposure.csv"]


def test_omop_has_one_exposure_for_each_segment_with_the_amount_in_mg() -> None:
    r = registry()
    rows = list(csv.DictReader(io.StringIO(omop_files(r)["drug_exposure.csv"])))
    assert [(x["person_id"], x["quantity"], x["dose_unit_source_value"]) for x in rows] == [
        ("1", "75", "mg"), ("1", "50", "mg/h"), ("1", "65", "mg/h"), ("2", "8.8", "mg/kg"), ("2", "44.00", "mg/kg/h"),
    ]  # fmt: skip
    assert rows[4]["sig"] == "infusion 0.25 mg/kg/h for 88 kg" and rows[3]["drug_source_value"] == "ketamine S(+)"
    assert rows[2]["drug_exposure_start_datetime"] == "2026-01-19 10:10:00"
    assert rows[3]["drug_exposure_end_datetime"] == "2026-01-20 09:05:00"
    total = sum(Decimal(x["quantity"]) for x in rows)
    want = [dose_mg(g, r.session_of[g.session].weight_kg) for own in r.standing_segments_of.values() for g in own]
    assert total == sum(w for w in want if w is not None)
    assert len(rows[0]) == 23 and all(None not in x.values() for x in rows)


def test_omop_has_a_visit_for_each_session_that_took_place() -> None:
    out = omop_files(registry())
    visits = list(csv.DictReader(io.StringIO(out["visit_occurrence.csv"])))
    columns = ("visit_occurrence_id", "person_id", "visit_start_datetime", "visit_end_date", "visit_source_value")
    assert [tuple(v[c] for c in (*columns, "preceding_visit_occurrence_id")) for v in visits] == [
        ("1", "1", "2026-01-12 09:00:00", "2026-01-12", "test session", ""),
        ("2", "1", "2026-01-19 09:00:00", "2026-01-19", "treatment session", "1"),
        ("3", "2", "2026-01-20 09:00:00", "2026-01-20", "treatment session", ""),
    ]  # s4 still runs
    assert len(visits[0]) == 17 and {v["visit_type_concept_id"] for v in visits} == {"32817"}
    exposures = list(csv.DictReader(io.StringIO(out["drug_exposure.csv"])))
    person_of = {v["visit_occurrence_id"]: v["person_id"] for v in visits}
    assert [x["visit_occurrence_id"] for x in exposures] == ["1", "2", "2", "3", "3"]
    assert all(person_of[x["visit_occurrence_id"]] == x["person_id"] for x in exposures)
    assert "left_out.csv" not in out
    ageless = omop_files(registry(with_cell("participants.csv", 2, "year_of_birth", "")))
    assert ageless["left_out.csv"].splitlines()[1:] == ['p2,"no year of birth is recorded, and OMOP requires one"']
    rest = [list(csv.DictReader(io.StringIO(ageless[f"{name}.csv"]))) for name in ("person", "visit_occurrence")]
    assert [p["person_source_value"] for p in rest[0]] == ["p1", "p3"] and {v["person_id"] for v in rest[1]} == {"1"}
    open_body = with_cell("segments.csv", 1, "session", "s4")
    open_body = with_cell("segments.csv", 1, "start", "2026-05-19T09:10", open_body)
    open_body = with_cell("segments.csv", 1, "stop", "2026-05-19T10:10", open_body)
    still = list(csv.DictReader(io.StringIO(omop_files(registry(open_body))["drug_exposure.csv"])))
    assert "" in [x["visit_occurrence_id"] for x in still]  # a session that runs is no visit yet


def test_redcap_goes_out_and_comes_back(tmp_path: Path) -> None:
    for body in (files(), demonstration_files(people=15)):
        r = registry(body)
        folder = tmp_path / r.definition.title.split()[0]
        folder.mkdir()
        out = redcap_files(r)
        write_files(folder, out)
        clinic = folder / "clinic"
        clinic.mkdir()
        write_files(clinic, {"registry.toml": body["registry.toml"], **{
            t.file: ",".join(c.name for c in t.columns) + "\n" for t in TABLES if t.required}})  # fmt: skip
        import_into_registry(clinic, folder / "records.csv", redcap=folder / "data_dictionary.csv")
        for name, text in registry_tables(r).items():
            assert sorted((clinic / name).read_text().splitlines()) == sorted(text.splitlines()), name


def test_the_dictionary_keeps_redcaps_rules() -> None:
    rows = list(csv.DictReader(io.StringIO(redcap_files(registry())["data_dictionary.csv"])))
    assert tuple(rows[0]) == DICTIONARY and rows[0]["Variable / Field Name"] == "record_id"
    names = [row["Variable / Field Name"] for row in rows]
    assert len(names) == len(set(names)) and all(re.fullmatch(r"[a-z][a-z0-9_]{0,99}", n) for n in names)
    for row in rows:
        choices = row["Choices, Calculations, OR Slider Labels"]
        codes = [part.split(",")[0].strip() for part in choices.split("|")] if choices else []
        assert len(codes) == len(set(codes)) and all(re.fullmatch(r"[a-z0-9_]+", c) for c in codes), row
    forms = [row["Form Name"] for row in rows]
    assert sorted(set(forms), key=forms.index) == [t.attribute for t in TABLES]
    assert code_of("S(+)") == "s" and code_of("racemic") == "racemic"


FOREIGN_DICTIONARY = (
    'Variable / Field Name,Form Name,Field Type,"Choices, Calculations, OR Slider Labels"\n'
    'study_id,baseline,text,\nsex_v,baseline,radio,"1, female | 2, male"\nvisit_date,baseline,text,\n'
)
FOREIGN_MAPPING = """
[[rows]]
table = "participants"
[rows.where]
redcap_repeat_instrument = ""
[rows.columns]
participant = "study_id"
sex = "sex_v"
enrolled = "visit_date"
[rows.fixed]
site = "site1"
"""


def test_another_project_comes_in_through_its_dictionary_and_a_mapping(tmp_path: Path) -> None:
    dictionary, mapping = tmp_path / "dictionary.csv", tmp_path / "m.toml"
    dictionary.write_text(FOREIGN_DICTIONARY)
    mapping.write_text(FOREIGN_MAPPING)
    records = tmp_path / "records.csv"
    records.write_text(
        "study_id,redcap_repeat_instrument,redcap_repeat_instance,sex_v,visit_date\n"
        "7,,,1,2026-01-05\n7,infusion,1,,2026-02-05\n8,,,2,2026-01-06\n"
    )
    done = import_into_registry(tmp_path / "new", records, redcap=dictionary, mapping=mapping)
    assert [(p.participant, p.sex) for p in done.plan.registry.participants] == [("7", "female"), ("8", "male")]
    with pytest.raises(InputError, match="of another REDCap project"):
        import_into_registry(tmp_path / "other", records, redcap=dictionary)
    records.write_text(records.read_text().replace(",2,", ",3,"))
    with pytest.raises(InputError, match=r"records\.csv, row 3, column sex_v: '3' is no code of this field: 1, 2"):
        import_into_registry(tmp_path / "other", records, redcap=dictionary, mapping=mapping)
    mapping.write_text(FOREIGN_MAPPING.replace("redcap_repeat_instrument =", "repeat ="))
    with pytest.raises(InputError, match=r"'repeat' is not a column of records\.csv"):
        import_into_registry(tmp_path / "other", records.with_name("records.csv"), mapping=mapping)
    assert our_mapping(["record_id", "a"]) is None
    for text in ("a,b\n", FOREIGN_DICTIONARY.replace("1, female | 2", "1 female | 2")):
        with pytest.raises(InputError, match=r"no REDCap data dictionary|must read 'code, label'"):
            read_dictionary(text, name="d.csv")


def test_dictionaries_of_the_api_and_of_older_versions_and_the_boxes_of_checkboxes() -> None:
    api = (
        "field_name,form_name,section_header,field_type,field_label,select_choices_or_calculations,field_note\n"
        'sex,demographics,,radio,Sex,"1, female | 2, male |",\n'
        'drug,demographics,,checkbox,Drugs,"1, opioid | -9, not known | NSAID, NSAID",\n'
        "pain,demographics,,yesno,Pain,,\n"
    )
    boxes = {"1": "yes", "0": "no", "Checked": "yes", "Unchecked": "no"}
    want = {
        "sex": {"1": "female", "2": "male"}, "pain": {"1": "yes", "0": "no", "Yes": "yes", "No": "no"}, "drug": {},
        "drug___1": boxes, "drug____9": boxes, "drug___nsaid": boxes,
    }  # fmt: skip
    assert read_dictionary("\ufeff" + api, name="metadata.csv") == want
    older = api.replace("select_choices_or_calculations", "Choices OR Calculations").replace("field_type", "Field Type")
    assert read_dictionary(older.replace("field_name", "Variable / Field Name"), name="d.csv") == want
    sheet = Sheet("r.csv", ("sex", "drug___1", "pain"), (("1.0", "1", "0"), ("male", "Unchecked", "Yes")), (1, 2))
    assert in_words(sheet, want).rows == (("female", "yes", "no"), ("male", "no", "yes"))
    with pytest.raises(InputError, match=r"r\.csv, row 1, column drug___1: '2' is no code"):
        in_words(Sheet("r.csv", ("drug___1",), (("2",),), (1,)), want)


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["registry", "demonstration", str(tmp_path / "demo"), "--people", "3"]) == 0
    for to, first in (("fhir", "bundle.json"), ("omop", "drug_exposure.csv"), ("redcap", "data_dictionary.csv")):
        assert main(["registry", "export", str(tmp_path / "demo"), "--to", to, "-o", str(tmp_path / "out")]) == 0
        assert (tmp_path / "out" / f"simulated-{first}").exists()
    assert main(["registry", "export", str(tmp_path / "demo"), "--to", "xml", "-o", str(tmp_path / "out")]) == 1
    assert "to must be one of" in capsys.readouterr().err
    assert main(["registry", "export", str(tmp_path / "demo"), "--to", "fhir"]) == 2
    assert main(["registry", "check", str(tmp_path / "demo"), "--to", "fhir"]) == 2


def test_the_workbook_runs_nothing_and_programs_get_every_cell_as_it_is(tmp_path: Path) -> None:

    from openpyxl import load_workbook

    evil = "=HYPERLINK(A1)"
    write_files(tmp_path / "clinic", with_cell("participants.csv", 1, "notes", evil))
    (written,) = export_registry(tmp_path / "clinic", "excel", tmp_path / "out")
    book = load_workbook(written)
    cells = {str(c.value): c for row in book["participants"].iter_rows() for c in row}
    assert cells[evil].data_type == "s" and cells["1970"].data_type == "n"
    assert not [c for sheet in book for row in sheet.iter_rows() for c in row if c.data_type == "f"]
    again = export_registry(tmp_path / "clinic", "excel", tmp_path / "again")
    assert Path(again[0]).read_bytes() == Path(written).read_bytes()
    export_registry(tmp_path / "clinic", "redcap", tmp_path / "out")
    rows = list(csv.reader(io.StringIO((tmp_path / "out" / "records.csv").read_text())))
    assert any(evil in row for row in rows)

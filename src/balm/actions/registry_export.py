"""Take a registry out in the format of others: files in a folder, all of them or none."""

from __future__ import annotations

from pathlib import Path

from balm.actions.registry_folder import load_registry, write_files
from balm.registry.exports.fhir import fhir_text
from balm.registry.exports.omop import omop_files
from balm.registry.exports.redcap import redcap_files
from balm.report.registry.workbook import registry_workbook
from balm.vocabulary.problems import InputError, Problem, check_option

#: Format -> what it writes.
FORMATS = {
    "fhir": "a FHIR R4B Bundle: one MedicationAdministration for each rate segment",
    "omop": "OMOP CDM 5.4: drug_exposure.csv, one row for each rate segment, visit_occurrence.csv and person.csv",
    "redcap": "a REDCap project: data dictionary and records with repeating instruments",
    "excel": "a workbook for people to open: every table a sheet, no cell that a spreadsheet runs",
}
#: Said wherever files for programs are written.
EXACT = "for programs: every cell stands exactly as recorded; import it, and open the workbook (excel) to look at it"


def export_registry(folder: str | Path, to: str, output: str | Path) -> list[str]:
    """Write the registry in ``folder`` as ``to`` into the folder ``output``, which is made where it is not there."""
    check_option("to", to, list(FORMATS))
    registry = load_registry(folder)
    files: dict[str, str] | dict[str, bytes]
    if to == "fhir":
        files = {"bundle.json": fhir_text(registry)}
    elif to == "omop":
        files = omop_files(registry)
    elif to == "excel":
        files = {"registry.xlsx": registry_workbook(registry)}
    else:
        files = redcap_files(registry)
    mark = "simulated-" if registry.definition.simulated else ""
    files = {f"{mark}{name}": text for name, text in files.items()}
    target = Path(output)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(Problem(f"cannot be made: {error.strerror}", file=str(target))) from None
    write_files(target, files)
    return [str(target / name) for name in files]

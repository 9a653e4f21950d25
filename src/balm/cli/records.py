"""``balm import``: search exports into a review package, with a receipt of every record."""

from __future__ import annotations

import argparse

from balm.cli.command import Command, print_json, printable


def configure_import(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``balm import``."""
    parser.add_argument("folder", metavar="DIR", help="folder of the review package (the one that holds review.toml)")
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="exports of searches; the format is told from the content"
    )
    parser.add_argument(
        "--kind",
        choices=("database", "register", "website", "organisation", "citation"),
        help="kind of source (default: register where all records are trial registrations, else database)",
    )
    parser.add_argument("--source", metavar="NAME", help="the database or register (default: as the records say)")
    parser.add_argument("--interface", metavar="NAME", help="where it was searched, such as Ovid")
    parser.add_argument("--date", metavar="YYYY-MM-DD", help="when the search was run")
    parser.add_argument("--person", metavar="NAME", help="who ran it")
    parser.add_argument("--json", action="store_true", help="print the receipt as JSON")


def import_files(arguments: argparse.Namespace) -> int:
    """Import, and print the receipt."""
    from balm.actions.import_records import import_records

    done = import_records(
        arguments.folder,
        *arguments.files,
        kind=arguments.kind,
        source=arguments.source,
        interface=arguments.interface,
        date=arguments.date,
        person=arguments.person,
    )
    if arguments.json:
        print_json(done.to_dict())
        return 0
    print(printable(str(done.receipt)))
    for search, file, number in done.searches:
        print(f"search {search}: {number:,} records of {printable(file)}")
    total = sum(number for _, _, number in done.searches)
    print(f"{arguments.folder}: {total:,} records added. Next: `balm dedupe`, then `balm check {arguments.folder}`.")
    return 0


IMPORT = Command(
    about=(
        "Add search exports to a review package: RIS, NBIB, PubMed and EndNote XML, Web of Science, Ovid, BibTeX,\n"
        "CSV, TSV, XLSX, ClinicalTrials.gov CSV and JSON, ICTRP XML, CENTRAL, also as .gz or .zip. Each file becomes\n"
        "a search and is kept as it is; each record becomes a row of records.csv. The receipt says what was read,\n"
        "repaired and rejected, where and why; read and rejected together are what the file holds. Rows are only\n"
        "added, and a problem in any file stops the import before anything is written."
    ),
    example="balm import my-review medline.nbib embase.ris --date 2026-11-01",
    configure=configure_import,
    run=import_files,
)

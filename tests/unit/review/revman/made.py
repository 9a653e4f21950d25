"""Small RevMan files of our own.

The rows are Fleiss (1993), Stat Methods Med Res 2:121, aspirin after myocardial infarction; what RevMan 5 makes of them
stands in ``STORED``, in full precision, as RevMan itself wrote it.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence

#: study, year, events and participants under aspirin, under placebo.
ASPIRIN = (
    ("MRC-1", 1974, 49, 615, 67, 624),
    ("CDP", 1976, 44, 758, 64, 771),
    ("MRC-2", 1979, 102, 832, 126, 850),
    ("GASP", 1979, 32, 317, 38, 309),
    ("PARIS", 1980, 85, 810, 52, 406),
    ("AMIS", 1980, 246, 2267, 219, 2257),
    ("ISIS-2", 1988, 1570, 8587, 1720, 8600),
)
#: RevMan 5's Mantel-Haenszel odds ratio of these rows.
STORED = {
    "EFFECT_SIZE": "0.8968655609130709",
    "CI_START": "0.8405144008917793",
    "CI_END": "0.9569947088336491",
    "CHI2": "9.946055983220074",
    "DF": "6",
    "Z": "3.287633061337987",
}


def attributes(values: Mapping[str, object]) -> str:
    return "".join(f' {name}="{value}"' for name, value in values.items())


def element(tag: str, values: Mapping[str, object], inside: str = "") -> str:
    return f"<{tag}{attributes(values)}>{inside}</{tag}>"


def row(tag: str, study: str, inside: str = "", **values: object) -> str:
    return element(tag, {"STUDY_ID": f"STD-{study}", **values}, inside)


def dich(study: str, a: int, n_1: int, c: int, n_2: int, inside: str = "", **values: object) -> str:
    return row("DICH_DATA", study, inside, EVENTS_1=a, TOTAL_1=n_1, EVENTS_2=c, TOTAL_2=n_2, **values)


def outcome(kind: str, inside: str, name: str = "Death", **values: object) -> str:
    return element(f"{kind}_OUTCOME", {"ID": "CMP-001.01", "NO": 1, **values}, f"<NAME>{name}</NAME>{inside}")


def rm5(*outcomes: str, studies: Sequence[str] = (), more: str = "", title: str = "A review") -> bytes:
    listed = "".join(f'<STUDY ID="STD-{s}" NAME="{s}" YEAR="1980"/>' for s in studies)
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<COCHRANE_REVIEW TYPE="INTERVENTION" REVMAN_VERSION="5">'
        f"<COVER_SHEET><TITLE>{title}</TITLE></COVER_SHEET>"
        f"<STUDIES_AND_REFERENCES><STUDIES><INCLUDED_STUDIES>{listed}</INCLUDED_STUDIES></STUDIES>"
        f"</STUDIES_AND_REFERENCES>{more}"
        '<ANALYSES_AND_DATA><COMPARISON ID="CMP-001" NO="1"><NAME>Aspirin versus placebo</NAME>'
        f"{''.join(outcomes)}</COMPARISON></ANALYSES_AND_DATA></COCHRANE_REVIEW>"
    )
    return text.encode("utf-8")


def aspirin(**values: object) -> bytes:
    rows = "".join(dich(s, a, n_1, c, n_2) for s, _, a, n_1, c, n_2 in ASPIRIN)
    settings = {"EFFECT_MEASURE": "OR", "METHOD": "MH", "RANDOM": "NO", "TOTALS": "YES", "ESTIMABLE": "YES"}
    return rm5(outcome("DICH", rows, **{**settings, **STORED, **values}), studies=[s[0] for s in ASPIRIN])


def table(rows: Sequence[Mapping[str, object]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return ("\ufeff" + out.getvalue()).encode("utf-8")


def data_rows(**values: object) -> list[dict[str, object]]:
    return [
        {
            "Analysis group": 1,
            "Analysis number": 1,
            "Analysis name": "Death",
            "Subgroup": "",
            "Applicability": "SUBGROUP_AND_OVERALL",
            "Study": s,
            "Study year": year,
            "GIV Mean": "0.0",
            "GIV SE": "0.0",
            "Experimental mean": "0.0",
            "Experimental SD": "0.0",
            "Experimental cases": a,
            "Experimental N": n_1,
            "Control mean": "0.0",
            "Control SD": "0.0",
            "Control cases": c,
            "Control N": n_2,
            "O-E": "0.0",
            "Variance": "0.0",
            "Weight": "",
            "Mean": "",
            "CI start": "",
            "CI end": "",
            "Footnotes": "",
            **values,
        }
        for s, year, a, n_1, c, n_2 in ASPIRIN
    ]


def settings_row(**values: object) -> dict[str, object]:
    return {
        "Analysis group": 1,
        "Analysis number": 1,
        "Analysis name": "Death",
        "Analysis group name": "Aspirin versus placebo",
        "Data type": "Dichotomous",
        "Log-scale data": "true",
        "Statistical method": "MH",
        "Effect measure": "Odds Ratio",
        "Analysis model": "Fixed effect",
        "Subgroup estimates": "true",
        "Overall estimates": "true",
        "Test for subgroup differences": "true",
        "Swap event and non-event": "false",
        "Study CI": "95%",
        "Estimate CI": "95%",
        "Mean": "0.896866",
        "CI start": "0.840514",
        "CI end": "0.956995",
        "Heterogeneity Tau²": "",
        "Heterogeneity Chi²": "9.946056",
        "Heterogeneity df": 6,
        "Heterogeneity P": "0.126942",
        "Heterogeneity I²": "39.67458",
        "Effect Z": "3.287633",
        "Effect P": "0.00101",
        "ID": "analysis:1",
        **values,
    }


def archive(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return out.getvalue()


def web_package(**values: object) -> bytes:
    inner = {
        "1-analysis-data/1-data-rows.csv": table(data_rows()),
        "1-analysis-data/1-overall-estimates-and-settings.csv": table([settings_row(**values)]),
        "1-study-data/1-study-information.csv": table(
            [{"Study": s, "Year": y, "Data source": "PUB", "Char: Methods": "RCT"} for s, y, *_ in ASPIRIN]
        ),
        "1-study-data/1-risk-of-bias.csv": table(
            [
                {"Study": s, "Domain (judgement): Blinding": "Low risk", "Domain (support): Blinding": "<p>Double</p>"}
                for s, *_ in ASPIRIN
            ]
        ),
        "1-study-data/1-included.ris": "".join(
            f"TY  - JOUR\r\nTI  - Trial {s}\r\nPY  - {y}\r\nNS  - {s}\r\nER  - \r\n\r\n" for s, y, *_ in ASPIRIN
        ).encode(),
    }
    return archive({"review/1-article.pdf": b"%PDF", "review/1-files/1-data.zip": archive(inner)})

"""``balm guide``: the contract of its JSON, its text, the page to print, and every refusal in one line."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from balm.cli.main import main

FOLDER = str(Path(__file__).resolve().parents[3] / "reviews" / "ketamine-chronic-pain")
RULE = {
    "id", "statement", "setting", "condition", "drug_form", "bolus", "rate", "duration", "sessions", "total", "source",
    "grade", "status", "basis", "computed",
}  # fmt: skip


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert main(["guide", FOLDER, "--json", *words]) == 0
    out, err = capsys.readouterr()
    assert err == "" and "NaN" not in out
    return json.loads(out)  # type: ignore[no-any-return]


def test_the_contract_of_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "--weight", "70", "--condition", "crps", "--concentration", "2 mg/mL")
    assert found["therapy"] == "ketamine" and date.fromisoformat(str(found["as_of"]))
    rules = {r["id"]: r for r in found["rules"]}  # type: ignore[attr-defined]
    assert all(set(r) >= RULE for r in rules.values())
    cohen = rules["cohen-2018-5"]
    assert (cohen["rate"]["low"], cohen["rate"]["high"], cohen["rate"]["unit"]) == (0.5, 2, "mg/kg/h")
    assert cohen["computed"]["rate_mg_h"]["low"] == 35 and cohen["computed"]["rate_ml_h"]["high"] == 70
    assert cohen["grade"] == "C" and cohen["status"] == "verified" and cohen["basis"] == "guideline"
    assert "10.1097/AAP.0000000000000808" in cohen["source"]["doi"] and "due for review in 2023" in cohen["age"]
    assert rules["cohen-2018-4"]["computed"]["bolus_mg"]["high"] == 24.5
    for name in ("contraindications", "cautions", "monitoring", "contradictions", "evidence"):
        assert found[name], name
    for c in found["contradictions"]:  # type: ignore[attr-defined]
        assert c["rules"] and c["arithmetic"] and c["severity"] in ("critical", "high", "medium", "low")
    assert {m["met"] for m in found["contraindications"]} == {"not asked"}  # type: ignore[attr-defined]


def test_without_a_weight_nothing_per_kilogram_is_computed(capsys: pytest.CaptureFixture[str]) -> None:
    rules = {r["id"]: r for r in answer(capsys)["rules"]}  # type: ignore[attr-defined]
    assert "rate_mg_h" not in rules["cohen-2018-5"]["computed"]
    assert "give a weight" in rules["cohen-2018-5"]["computed"]["why_none"]
    assert rules["amr2010-ket"]["computed"]["session_mg"]["high"] == 80


def test_a_plan_with_its_limits_and_curves(capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "--weight", "70", "--plan", "150 mg over 2 h", "--form", "racemic", "--sessions", "3")
    plan, curves = found["plan"], found["concentration"]
    assert plan["total_mg"] == 150 and plan["course_mg"] == 450  # type: ignore[index]
    total = next(c for c in plan["limits"] if c["rule"] == "brief-c-5")  # type: ignore[index]
    assert total["verdict"] == "above" and total["reached_h"] == pytest.approx(70 / 75)
    at_end = {m["id"]: round(m["at_end"]) for m in curves["models"]}  # type: ignore[index]
    assert at_end["domino1984"] == 460 and at_end["herd2007"] == 597 and "flint2017" not in at_end
    assert {m["id"] for m in curves["not_computed"]} >= {"clements1981", "ashraf2018"}  # type: ignore[index]
    assert len(curves["hours"]) == len(curves["band"]) and curves["cannot_show"]  # type: ignore[index]


def test_the_text_names_sources_and_what_supports_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["guide", FOLDER, "--weight", "70", "--condition", "crps", "--comorbidity", "pregnancy",
                 "--plan", "0.35 mg/kg bolus; 0.5 mg/kg/h for 4 h"]) == 0  # fmt: skip
    out = " ".join(capsys.readouterr().out.split())
    for part in (
        "MET by Pregnancy", "(1 − 0.35) / 1 mg/kg/h = 0.65 h", "NOT VERIFIED against a source: supports nothing",
        "rate: 0.5–2 mg/kg/h × 70 kg = 35–140 mg/h",
        "was due for review in 2023, 3 years ago", "Not shown. The early peak",
        "ABOVE total of [brief-c-5]", "https://doi.org/10.1097/AAP.0000000000000808",
        "Mean difference −2.77 (−4.14 to −1.40)",
        "no control group", "Cochrane 2025", "[ ] baseline ECG",
    ):  # fmt: skip
        assert part in out, part


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--weight", "0"], "weight must be above 0; got '0'"),
        (["--weight", "700"], "weight 700 kg is not plausible (expected 20–350 kg)"),
        (["--weight", "-5"], "weight must be above 0; got '-5'"),
        (["--weight", "nan"], "weight must be a finite number"),
        (["--weight", "154 lb"], "unit 'lb' is not known"),
        (["--concentration", "2"], 'concentration needs its unit, for example "2 mg/mL"; no unit is guessed'),
        (["--condition", "gout"], "condition must be one of"),
        (["--setting", "acut"], "did you mean 'acute'"),
        (["--comorbidity", "pregnnacy"], "did you mean 'pregnancy'"),
        (["--weight", "70", "--plan", "50 mg/kg/h for 1 h"], "rate 50 mg/kg/h is not plausible"),
        (["--weight", "70", "--plan", "0.5 for 1 h"], "no unit is guessed"),
        (["--plan", "25 mg/h for 4 h"], "plan needs a weight"),
        (["--sessions", "2"], "sessions belongs to a plan"),
        (["-o", "nowhere/else.html"], "there is no folder"),
    ],
)
def test_refusals_are_one_line_and_nothing_is_printed(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["guide", FOLDER, "--json", *words]) == 1
    out, err = capsys.readouterr()
    assert out == "" and said in err and err.count("\n") == 1


@pytest.mark.parametrize("words", [["-o", "guide.txt"], ["--plot", "c.svg"]])
def test_wrong_usage(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(["guide", FOLDER, *words]) == 2
    assert capsys.readouterr().err.startswith("balm: ")


def test_another_therapy_is_refused_by_name(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["guide", "ketamin"]) == 1
    assert "did you mean 'ketamine'" in capsys.readouterr().err
    assert main(["new", str(tmp_path / "review")]) == 0
    capsys.readouterr()
    assert main(["guide", str(tmp_path / "review")]) == 1
    assert capsys.readouterr().err  # a package that is only started has things to fill in, each named


def test_a_page_that_needs_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, plot = tmp_path / "g.html", tmp_path / "c.svg"
    words = ["guide", FOLDER, "--weight", "70", "--plan", "25 mg/h for 4 h", "-o", str(page), "--plot", str(plot)]
    assert main(words) == 0 and capsys.readouterr().out == f"Guidance: {page}\n"
    html = page.read_text("utf-8")
    assert "<script" not in html and not re.search(r'(?:src|<link[^>]*href)="http', html)
    for part in (
        "Intended use",
        "not verified against a source",
        "review overdue",
        "Monitoring checklist",
        "<svg",
        "0.65 h",
    ):
        assert part in html, part
    assert html.count("<details open>") > 20 and "<details>" not in html  # all of it prints
    assert plot.read_text("utf-8").startswith("<svg")
    first = page.read_bytes()
    assert main(words) == 0 and page.read_bytes() == first


def test_text_of_a_package_is_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import shutil

    folder = tmp_path / "review"
    shutil.copytree(FOLDER, folder)
    file = folder / "guidance" / "cohen-2018.toml"
    text = file.read_text("utf-8").replace('"up to 0.35 mg/kg"', '"<script>alert(1)</script>"', 1)
    file.write_text(text.replace("https://www.guidelinecentral.com", "javascript:alert(1)//"), "utf-8")
    page = tmp_path / "g.html"
    assert main(["guide", str(folder), "-o", str(page)]) == 0
    html = page.read_text("utf-8")
    assert "<script>" not in html and "&lt;script&gt;" in html and 'href="javascript' not in html


def test_check_names_what_is_wrong_with_the_guidance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import shutil

    assert main(["check", FOLDER]) == 0
    folder = tmp_path / "review"
    shutil.copytree(FOLDER, folder)
    file = folder / "guidance" / "cohen-2018.toml"
    file.write_text(file.read_text("utf-8").replace('rate_unit = "mg/kg/h"', 'rate_unit = "mg/kg"', 1), "utf-8")
    capsys.readouterr()
    assert main(["check", str(folder)]) == 1
    said = capsys.readouterr().err
    assert "guidance/cohen-2018.toml, row 5, column rate: rate must be given in mg/kg/h or mg/h" in said

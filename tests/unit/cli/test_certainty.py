"""``balm certainty``: ratings printed, tables written, wrong requests refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from balm.cli.main import main

FOLDER = str(Path(__file__).parents[3] / "reviews" / "ketamine-chronic-pain")


def test_every_rating_shows_rule_numbers_and_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certainty", FOLDER, "--analysis", "pain-week-1"]) == 0
    said = capsys.readouterr().out
    assert "⊕◯◯◯ very low; proposed: very low" in said and "target: an important effect" in said
    assert said.count("rule: ") == 8 and said.count("why: ") == 5


def test_json_has_no_nan_and_no_rating_without_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certainty", FOLDER, "--json"]) == 0
    found = {one["analysis"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["pain-over-4-weeks"]["certainty"] == "not rated" and found["pain-over-4-weeks"]["estimate"] is None
    assert found["pain-week-1"]["participants"] == 60


def test_both_tables_are_written(tmp_path: Path) -> None:
    sof, profile = tmp_path / "sof.html", tmp_path / "profile.csv"
    assert main(["certainty", FOLDER, "--summary", str(sof), "--profile", str(profile)]) == 0
    assert "Summary of findings" in sof.read_text(encoding="utf-8")
    assert profile.read_text(encoding="utf-8").count("\n") == 8


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--analysis", "pain-week"], "pain-week-1"),
        (["--summary", "sof.pdf"], "must end in .csv or .html or .docx"),
        (["--profile", "nowhere/at/all.csv"], "there is no folder"),
    ],
)
def test_a_wrong_request_is_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certainty", FOLDER, *words]) == 1
    assert said in capsys.readouterr().err

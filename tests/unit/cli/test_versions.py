"""``balm versions``: history, growth and changes are printed; wrong requests are refused in one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from balm.cli.main import main

FOLDER = str(Path(__file__).parents[3] / "reviews" / "ketamine-chronic-pain")


def test_the_history_names_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["versions", FOLDER]) == 0
    said = capsys.readouterr().out
    assert "Orhurhu 2019: milestone" in said and "last search 2017-12-16" in said
    assert "date of the last search not reported" in said


def test_what_changed_since_a_milestone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["versions", FOLDER, "--since", "orhurhu-2019"]) == 0
    said = capsys.readouterr().out
    assert "the trial that moved it: Pickering 2020, by 1.31; without it MD -2.77 [-4.14, -1.40]" in said


def test_how_one_result_grew(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["versions", FOLDER, "--analysis", "crps-series", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found[0]["k"] == 3 and found[-1]["k"] == 4


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--since", "orhurhu"], 1, "orhurhu-2019"),
        (["--analysis", "crps"], 1, "crps-series"),
        (["--since", "0.1", "--analysis", "crps-series"], 2, "ask one at a time"),
    ],
)
def test_a_wrong_request_is_refused(
    words: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["versions", FOLDER, *words]) == status
    assert said in capsys.readouterr().err


def test_a_review_without_versions_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(FOLDER, tmp_path / "review")
    (tmp_path / "review" / "versions.csv").unlink()
    assert main(["versions", str(tmp_path / "review")]) == 0
    assert capsys.readouterr().out == "versions.csv holds no version yet.\n"
    assert main(["versions", str(tmp_path / "review"), "--since", "1"]) == 1
    assert "has no versions yet" in capsys.readouterr().err

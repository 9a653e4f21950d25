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


def test_the_plot_by_version_names_versions_and_adds_nothing_up(tmp_path: Path) -> None:
    assert main(["versions", FOLDER, "--analysis", "crps-series", "--forest", str(tmp_path / "f.svg")]) == 0
    drawn = (tmp_path / "f.svg").read_text(encoding="utf-8")
    assert "Version" in drawn and "Orhurhu 2019 (2017-12-16)" in drawn and "This review 0.1 (2026-11-22)" in drawn
    assert "+ " not in drawn and "All studies (" not in drawn


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--since", "orhurhu"], 1, "orhurhu-2019"),
        (["--analysis", "crps"], 1, "crps-series"),
        (["--since", "0.1", "--analysis", "crps-series"], 2, "ask one at a time"),
        (["--release", "0.1"], 2, "belong together"),
        (["--forest", "f.svg"], 2, "--forest belongs to --analysis"),
        (["--analysis", "pain-immediate", "--forest", "f.svg"], 1, "there is nothing to draw"),
        (["--analysis", "crps-series", "--forest", "f.gif"], 1, ".svg"),
        (["--trigger", "a new trial"], 2, "--trigger belongs to --update"),
        (["--update", "0.1"], 1, "has a version '0.1' already"),
        (["--update", "0.2", "--searched", "May 2026"], 1, "must be a date as YYYY"),
        (["--release", "orhurhu-2019", "--by", "ana"], 1, "is a milestone of others"),
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


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(FOLDER, tmp_path / "review")
    return tmp_path / "review"


def test_a_release_is_written_once_and_tells_what_changed_after_it(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {p.relative_to(copy): p.read_bytes() for p in copy.rglob("*") if p.is_file()}
    assert main(["versions", str(copy), "--release", "0.1", "--by", "ana"]) == 0
    held = copy / "releases" / "0.1"
    assert {p.name for p in held.iterdir()} == {"package", "release.json", "report.html", "results.json"}
    assert {p: (copy / p).read_bytes() for p in before} == before, "the package itself is not touched"
    frozen = held / "package" / "results.csv"
    assert frozen.read_bytes() == (copy / "results.csv").read_bytes()
    results = json.loads((held / "results.json").read_text(encoding="utf-8"))
    assert results["analyses"][0]["certainty"]["certainty"] == "not rated" and results["networks"] == []
    assert main(["versions", str(copy), "--release", "0.1", "--by", "ana"]) == 1
    assert "a release is never replaced" in capsys.readouterr().err
    assert main(["versions", str(copy), "--verify"]) == 0
    assert "Every release is as it was released." in capsys.readouterr().out
    table = copy / "results.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(",ket,12,8,", ",ket,12,9,", 1), encoding="utf-8")
    assert main(["versions", str(copy), "--since", "0.1"]) == 0
    said = capsys.readouterr().out
    assert "events 8 → 9" in said and "certainty, Responders with at least 50% relief, immediate: risk ratio" in said
    assert main(["versions", str(copy), "--analysis", "responders-immediate"]) == 0
    said = capsys.readouterr().out
    then = next(a for a in results["analyses"] if a["id"] == "responders-immediate")["shown"]
    assert f"as it was released: RR {then['estimate']:.2f} [{then['low']:.2f}, {then['high']:.2f}], 4 studies" in said
    second = (copy / "versions.csv").read_text(encoding="utf-8") + "0.2,version,Second,2026-12-01,,,,,,,,\n"
    (copy / "versions.csv").write_text(second, encoding="utf-8")
    assert main(["versions", str(copy), "--release", "0.2", "--by", "ben"]) == 0
    assert "events 8 → 9" in (copy / "releases" / "0.2" / "changes.txt").read_text(encoding="utf-8")
    frozen.write_bytes(frozen.read_bytes() + b"\n")
    for words in (["--verify"], ["--since", "0.1"]):
        capsys.readouterr()
        assert main(["versions", str(copy), *words]) == 1
        assert "releases/0.1/package/results.csv: was changed after the release" in capsys.readouterr().err


def test_a_release_that_cannot_be_written_leaves_nothing(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*words: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("balm.actions.versions.os.fsync", full)
    assert main(["versions", str(copy), "--release", "0.1", "--by", "ana"]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert not (copy / "releases").exists()


def test_a_review_without_a_version_is_released_as_its_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new"
    assert main(["new", str(folder)]) == 0
    assert main(["versions", str(folder), "--release", "1", "--by", "ana"]) == 1
    assert "the first version of this review is '0.1', of review.toml; got '1'" in capsys.readouterr().err
    assert main(["versions", str(folder), "--release", "0.1", "--by", "ana"]) == 0
    assert "0.1,version,First version," in (folder / "versions.csv").read_text(encoding="utf-8")
    assert main(["versions", str(folder), "--verify"]) == 0
    one = folder / "releases" / "0.1"
    packed = Path(shutil.make_archive(str(tmp_path / "taken"), "zip", one))
    for taken in (one, packed):  # a release that was taken out of its review
        capsys.readouterr()
        assert main(["versions", str(taken), "--verify"]) == 0
        assert "release 1, version 0.1" in capsys.readouterr().out
    data = packed.read_bytes()
    packed.write_bytes(data[:200] + bytes([data[200] ^ 1]) + data[201:])
    for wrong, said in (
        (packed, "taken.zip: cannot be read as a zip"), (tmp_path / "nobody", "there is no such folder or file"),
        (tmp_path, "is neither a review package nor a release of one"),
    ):  # fmt: skip
        assert main(["versions", str(wrong), "--verify"]) == 1
        assert said in capsys.readouterr().err
    frozen = one / "package" / "versions.csv"
    assert frozen.read_bytes() == (folder / "versions.csv").read_bytes()


RIS = "TY  - JOUR\nTI  - {title}\nAU  - Silva, A\nPY  - 2020\nDO  - 10.1000/{n}\nER  -\n\n"


def test_an_update_screens_only_what_its_search_brings_anew(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    titles = ["Ketamine for pain", "Lidocaine for pain", "Magnesium for pain"]
    texts = [RIS.format(title=t, n=n) for n, t in enumerate(titles)]
    first, second = copy.parent / "first.ris", copy.parent / "second.ris"
    first.write_text("".join(texts[:2]), encoding="utf-8")
    second.write_text("".join(texts[1:]), encoding="utf-8")
    assert main(["import", str(copy), str(first)]) == 0
    began = ["--update", "0.2", "--trigger", "a new trial", "--searched", "2026-12-01"]
    assert main(["versions", str(copy), *began]) == 0
    assert main(["import", str(copy), str(second)]) == 0 and main(["dedupe", str(copy)]) == 0
    capsys.readouterr()
    assert main(["versions", str(copy)]) == 0
    said = capsys.readouterr().out
    assert "2 records, 0 of reports found before, 0 more copies, 2 new; 2 to screen" in said
    assert "2 records, 1 of reports found before, 0 more copies, 1 new; 1 to screen" in said
    assert "trigger: a new trial" in said and "came with it (0): none" in said
    from balm.actions.review import Review

    flow = Review.load(copy).flow()
    assert flow.is_update and (flow.previous_studies, flow.new_studies) == (31, 0)
    assert (flow.database_results, flow.duplicates) == (2, 1)

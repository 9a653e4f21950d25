"""A package on disk: what is refused before reading, and a report that is written whole or not at all."""

from __future__ import annotations

import os

import pytest

from balm.actions import review as module
from balm.actions.review import Review, write_whole
from balm.vocabulary.problems import InputError
from tests.unit.review.test_package import files


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "package"
    made.mkdir()
    for name, data in files().items():
        (made / name).write_bytes(data)
    return made


def reasons(folder):
    return [str(p) for p in Review.load(folder).problems()]


def test_a_sound_package(folder):
    review = Review.load(str(folder))
    assert review.problems() == ()
    assert review.synthesise() is review.synthesise()
    assert review.synthesise().analysis("a1").fit.k == 2
    assert review.flow().new_studies == 2


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="there is no such folder"):
        Review.load(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is not a folder"):
        Review.load(tmp_path / "file")


def test_an_empty_folder_names_what_is_missing(tmp_path):
    assert [p.split(":")[0] for p in reasons(tmp_path)] == ["review.toml", "studies.csv", "arms.csv", "results.csv"]


def test_a_large_file_is_refused_by_its_size(folder):
    with (folder / "results.csv").open("r+b") as file:
        file.truncate(200 * 1024 * 1024)
    assert reasons(folder) == ["results.csv: is 200 MB; the limit is 64 MB, and it was not read"]


def test_records_may_be_larger_than_other_tables(folder):
    with (folder / "records.csv").open("wb") as file:
        file.truncate(600 * 1024 * 1024)
    assert reasons(folder) == ["records.csv: is 600 MB; the limit is 512 MB, and it was not read"]


def test_links_out_of_the_package_are_refused(folder, tmp_path):
    (tmp_path / "secret.csv").write_text("x")
    (folder / "results.csv").unlink()
    (folder / "results.csv").symlink_to(tmp_path / "secret.csv")
    assert reasons(folder) == ["results.csv: is a link that leads out of the package; put the file itself here"]
    (folder / "results.csv").unlink()
    (folder / "results.csv").symlink_to(folder / "nowhere.csv")
    assert reasons(folder) == ["results.csv: is a link that leads nowhere"]


def test_a_guidance_folder_that_is_a_link_is_refused(folder, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "g.toml").write_text("[guideline]\nname = 'G'\n")
    (folder / "guidance").symlink_to(tmp_path / "other")
    assert "leads out of the package" in reasons(folder)[0]


def test_things_that_are_no_files_are_refused(folder):
    (folder / "gaps.csv").mkdir()
    os.mkfifo(folder / "claims.csv")
    assert reasons(folder) == ["claims.csv: is not a file", "gaps.csv: is not a file"]


def test_a_package_with_problems_is_neither_synthesised_nor_reported(folder, tmp_path):
    (folder / "studies.csv").write_bytes(b"study\n")
    (folder / "arms.csv").write_bytes(b"")
    review = Review.load(folder)
    target = tmp_path / "report.html"
    for act in (review.synthesise, review.flow, lambda: review.report(target)):
        with pytest.raises(InputError) as caught:
            act()
        assert {p.file for p in caught.value.problems} >= {"studies.csv", "arms.csv"}
    assert not target.exists()


def test_the_report_is_written_whole(folder, tmp_path):
    target = tmp_path / "report.html"
    target.write_text("before")
    assert Review.load(folder).report(target) == target
    text = target.read_text(encoding="utf-8")
    assert text.startswith(("<!DOCTYPE html>", "<!doctype html>"))
    assert text.rstrip().endswith("</html>")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["package", "report.html"]


def test_a_failure_half_way_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "report.html"
    target.write_text("before")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "replace", fail)
    with pytest.raises(InputError, match=r"report\.html: cannot be written: No space left on device"):
        write_whole(target, "after")
    assert target.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_where_a_report_cannot_go(folder, tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        write_whole(tmp_path / "none" / "report.html", "x")
    with pytest.raises(InputError, match="is a folder"):
        write_whole(folder, "x")


def test_new_makes_a_package_that_loads(tmp_path):
    Review.new(tmp_path / "mine")
    assert Review.load(tmp_path / "mine").problems() == ()

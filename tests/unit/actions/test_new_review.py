"""A started review passes the check as it is; nothing is ever overwritten or left half-made."""

from __future__ import annotations

from pathlib import Path

import pytest

from balm.actions import new_review as module
from balm.actions.new_review import new_review, plan
from balm.actions.review import Review
from balm.cli.main import main
from balm.review.schema import TABLES
from balm.vocabulary.problems import InputError


def test_a_started_review_has_no_problems(tmp_path):
    written = new_review(tmp_path / "my review")
    assert [path.relative_to(tmp_path / "my review").as_posix() for path in written] == [
        "review.toml",
        *(table.file for table in TABLES),
    ]
    assert Review.load(tmp_path / "my review").problems() == ()
    assert sorted(tmp_path.iterdir()) == [tmp_path / "my review"]


def test_an_empty_folder_is_used(tmp_path):
    (tmp_path / "empty").mkdir()
    assert new_review(tmp_path / "empty")


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty; give the name of a new folder"):
        new_review(tmp_path)
    with pytest.raises(InputError, match="is a file"):
        new_review(tmp_path / "notes.txt")
    with pytest.raises(InputError, match="there is no folder"):
        new_review(tmp_path / "a" / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_failure_half_way_leaves_nothing(tmp_path, monkeypatch):
    real = Path.write_text

    def full(self, *words, **options):
        if self.name == "arms.csv":
            raise OSError(28, "No space left on device")
        return real(self, *words, **options)

    monkeypatch.setattr(module.Path, "write_text", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        new_review(tmp_path / "r")
    assert list(tmp_path.iterdir()) == []


def test_the_identifier_comes_from_the_folder():
    assert 'id = "ketamin-2026"' in plan("Ketamin 2026!")
    assert 'id = "review"' in plan("---")


def test_on_the_command_line(tmp_path, capsys):
    folder = str(tmp_path / "r")
    assert main(["new", folder]) == 0
    assert f"`balm check {folder}`" in capsys.readouterr().out
    assert main(["check", folder]) == 0
    assert capsys.readouterr().out == f"{folder}: no problems found.\n"
    assert main(["new", folder]) == 1
    assert capsys.readouterr().err == f"balm: {folder}: is not empty; give the name of a new folder\n"

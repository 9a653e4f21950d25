"""The served report follows the files of its package."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from balm.vocabulary.problems import InputError
from balm.web import review_pages
from balm.web.review_pages import following, report_page, serve_review, stamp

BUNDLED = Path(__file__).resolve().parents[3] / "reviews" / "ketamine-chronic-pain"


def test_the_page_is_the_report_and_nothing_is_written():
    before = stamp(BUNDLED)
    page = report_page(BUNDLED)
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert stamp(BUNDLED) == before


def test_it_is_made_again_only_when_a_file_changed(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(review_pages, "report_page", lambda folder: made.append(1) or f"page {len(made)}")
    (tmp_path / "review.toml").write_text("a")
    page = following(tmp_path)
    assert (page(), page()) == ("page 1", "page 1")
    (tmp_path / "review.toml").write_text("a longer one")
    assert page() == "page 2"
    (tmp_path / ".swap").write_text("an editor's own file")
    assert page() == "page 2"


def test_a_package_with_problems_is_refused_at_the_start(tmp_path):
    shutil.copytree(BUNDLED, tmp_path / "r")
    (tmp_path / "r" / "studies.csv").write_bytes(b"")
    with pytest.raises(InputError, match=r"studies\.csv"):
        serve_review(tmp_path / "r", port=0, say=print)


def test_a_folder_without_a_review_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"holds no review\.toml; give the folder of a review package"):
        serve_review(tmp_path, port=0, say=print)

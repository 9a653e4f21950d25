"""The reference page is what the parser says."""

from __future__ import annotations

from pathlib import Path

from balm.cli.main import COMMANDS
from balm.cli.reference import markdown

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "command-line.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == markdown(), (
        "run `python -m balm.cli.reference > docs/reference/command-line.md`"
    )


def test_every_command_is_on_it():
    page = markdown()
    assert all(f"## balm {name}\n" in page for name in COMMANDS)

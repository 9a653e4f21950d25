"""The house: what an import costs, which way the arrows point, and that every public name is there."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import balm

CHECKOUT = Path(__file__).resolve().parents[2]
HEAVY = {"numpy", "scipy", "pandas", "polars", "jinja2", "typst", "http.server", "asyncio", "email"}


def modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_balm_loads_nothing_heavy() -> None:
    loaded = modules_after("import balm")
    assert not loaded & HEAVY
    rooms = {m for m in loaded if m.startswith("balm.")}
    assert rooms <= {"balm.vocabulary", "balm.vocabulary.presenters"}


def test_the_command_line_shows_its_help_without_numpy() -> None:
    loaded = modules_after(
        "import contextlib, io; from balm.cli.main import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): main(['--help'])"
    )
    assert "balm.cli.main" in loaded
    assert not loaded & (HEAVY - {"email"})


def test_every_public_name_can_be_imported() -> None:
    for name in balm.PUBLIC:
        assert getattr(balm, name) is not None, name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'pol'"):
        balm.pol  # noqa: B018


def test_every_presenter_lives_where_it_is_said_to_live() -> None:
    from balm.vocabulary import presenters

    for name, address in presenters._ADDRESSES.items():
        module, _, function = address.partition(":")
        assert callable(getattr(importlib.import_module(module), function)), name


def test_the_import_contract_is_kept() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"], cwd=CHECKOUT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_every_room_stands_in_the_contract() -> None:
    rooms = {p.parent.name for p in (CHECKOUT / "src" / "balm").glob("*/__init__.py")}
    contracts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    named = {room.strip().removeprefix("balm.") for layer in contracts[0]["layers"] for room in layer.split("|")}
    assert rooms == named


def test_no_file_is_called_after_nothing() -> None:
    vague = {"utils", "helpers", "core", "misc", "common", "util", "helper"}
    assert not [p for p in (CHECKOUT / "src").rglob("*.py") if p.stem in vague]


def test_the_lock_file_names_no_host() -> None:
    for lock in CHECKOUT.glob("**/requirements.lock"):
        if ".venv" not in str(lock):
            assert "http" not in lock.read_text(), lock

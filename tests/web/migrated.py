"""Databases with their tables and nothing in them, for servers in processes of their own: made once, then copied."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit


def empty_home(home: str | Path) -> None:
    """Put an embedded database into the folder that is to be a server's ``BALM_HOME``."""
    Path(home).mkdir(parents=True, exist_ok=True)
    shutil.copy(_sqlite() / "balm.sqlite3", home)


def empty_postgresql(url: str, name: str) -> str:
    """Make a database of this name on the PostgreSQL server of ``url``; returns its address."""
    on_postgresql(url, f"CREATE DATABASE {name} TEMPLATE {_postgresql(url)}")
    return _address(url, name)


def on_postgresql(url: str, statement: str) -> None:
    """One statement about databases."""
    import psycopg

    with psycopg.connect(_address(url, "postgres"), autocommit=True) as connection:
        connection.execute(statement)


def own_environment(**given: str) -> dict[str, str]:
    """What a server of its own finds: nothing of the tests' settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BALM_", "DATABASE_", "DJANGO_"))}
    return kept | given


@cache
def _sqlite() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="balm-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    migrate(BALM_HOME=str(folder))
    return folder


@cache
def _postgresql(url: str) -> str:
    name = f"balm_migrated_{os.getpid()}"
    on_postgresql(url, f"CREATE DATABASE {name}")
    atexit.register(on_postgresql, url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    with tempfile.TemporaryDirectory() as home:
        migrate(BALM_HOME=home, DATABASE_URL=_address(url, name))
    return name


def migrate(**given: str) -> None:
    """Make the tables of the database that this environment names."""
    words = [sys.executable, "-m", "balm.web", "migrate", "--skip-checks", "-v0"]
    subprocess.run(words, env=own_environment(**given), check=True)


def _address(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()

"""Archive, empty server, archive: the same bytes, between real servers of either kind, with rows in every stage."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models

from balm.actions.team.archive import archive
from balm.actions.team.rows import put_row
from balm.store.archived import ARCHIVED
from balm.store.reviews.models import Member, Review
from balm.store.reviews.package_rows import package_files
from tests.web.conftest import KETAMINE, Team
from tests.web.migrated import empty_home, empty_postgresql, on_postgresql, own_environment

POSTGRESQL = os.environ.get("BALM_TEST_DATABASE_URL", "")

#: Belongs to a review and is in no archive of its own: the package and the members stand there as files, the rest is
#: made again from what the archive holds, or is of this server alone.
ELSEWHERE = {
    "reviews.Member", "reviews.KeptTable", "reviews.Row", "reviews.StoredFile",  # the package, team/members.csv
    "reviews.Invitation",  # links to this server
    "records.UniqueRecord", "records.RecordDetail", "records.Derived", "screening.Order",  # derived
    "records.Upload",  # under way; what came of it is an Import
}  # fmt: skip


def test_every_table_of_a_review_is_archived_or_said_to_be_elsewhere() -> None:
    ours = {
        model._meta.label
        for model in apps.get_models()
        if model.__module__.startswith("balm.store.") and any(f.name == "review" for f in model._meta.fields)
    }
    assert ours - set(ARCHIVED) - ELSEWHERE == set()
    assert set(ARCHIVED) & ELSEWHERE == set()
    assert set(ARCHIVED) <= ours


def value_for(field: Any, k: int, team: Team) -> Any:
    """Something of the field's kind that text formats and databases tend to spoil."""
    if field.name == "review":
        return team.review
    if isinstance(field, models.ForeignKey):
        return (team.teammate, team.second)[k % 2].member
    if isinstance(field, models.DateTimeField):
        return datetime(2026, 3, 29, 1, 59, 59, 120000 + k, tzinfo=UTC)
    if isinstance(field, models.BooleanField):
        return bool(k % 2)
    if isinstance(field, models.FloatField):
        return 0.1 + 0.2 + k
    if isinstance(field, models.IntegerField):
        return k + 1
    if isinstance(field, models.JSONField):
        return {"ü": [k, 0.1, 1e-7, None, "\u2028\u0085"], "a": {"z": 1, "b": []}}
    if isinstance(field, models.BinaryField):
        return bytes(range(256)) + bytes([k])
    if isinstance(field, models.CharField | models.TextField):
        text = f'{k} „ü“\u2028\n,"'
        return text if field.max_length is None else text[: field.max_length]
    raise AssertionError(f"say what a {type(field).__name__} holds")


@pytest.fixture
def full(team: Team) -> Team:
    """The review with a changed row and rows in every table of every stage."""
    gap = {"gap": "g-new", "priority": "1", "missing": "Mittelwerte, „SD“ und\u2028mehr"}
    put_row(team.owner.acting, "gaps.csv", gap)
    put_row(team.owner.acting, "gaps.csv", gap | {"priority": "2"}, reason="read again")
    for name in ARCHIVED:
        model = apps.get_model(name)
        for k in range(3):
            fields = [f for f in model._meta.concrete_fields if not f.primary_key]
            model._default_manager.create(**{f.name: value_for(f, k, team) for f in fields})
    return team


def server(home: Path, url: str, *words: str) -> bytes:
    """A command of another server."""
    env = own_environment(BALM_HOME=str(home), **({"DATABASE_URL": url} if url else {}))
    done = subprocess.run([sys.executable, "-m", "balm.web", *words], env=env, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout


@contextmanager
def empty_database(kind: str, home: Path) -> Iterator[str]:
    """The address of an empty database; empty for SQLite, which is a file in the server's folder."""
    if kind == "sqlite":
        empty_home(home)
        yield ""
        return
    name = f"balm_archive_{os.getpid()}"
    try:
        yield empty_postgresql(POSTGRESQL, name)
    finally:
        on_postgresql(POSTGRESQL, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.mark.parametrize("kind", ["sqlite", *(["postgresql"] if POSTGRESQL else [])])
def test_another_server_gives_back_the_same_bytes(full: Team, tmp_path: Path, kind: str) -> None:
    first = archive(full.owner.acting)
    (tmp_path / "first.zip").write_bytes(first)
    home = tmp_path / "home"
    with empty_database(kind, home) as url:
        told = server(home, url, "bring_archive", str(tmp_path / "first.zip"), "--lead", "new@example.org").decode()
        assert "its first password is" in told
        server(home, url, "archive", full.review.slug, "-o", str(tmp_path / "second.zip"))
        assert server(home, url, "archive", full.review.slug, "-o", "-") == first
        assert "anchor" in server(home, url, "verify_events").decode()
    assert (tmp_path / "second.zip").read_bytes() == first
    with zipfile.ZipFile(io.BytesIO(first)) as packed:
        kept = {n: packed.read(n).count(b"\n") for n in packed.namelist() if n.endswith(".jsonl")}
    assert {kept[f"team/{name.replace('.', '_').lower()}.jsonl"] for name in ARCHIVED} == {3}


def test_a_plain_package_folder_comes_in_and_goes_out_without_loss(team: Team, tmp_path: Path) -> None:
    came = package_files(team.review)
    Review.objects.filter(pk=team.review.pk).update(slug="another")
    with zipfile.ZipFile(tmp_path / "review.zip", "w") as packed:
        for path in sorted(KETAMINE.rglob("*")):
            if path.is_file():
                packed.write(path, f"my-review/{path.relative_to(KETAMINE)}")
    out = io.StringIO()
    call_command("bring_archive", str(tmp_path / "review.zip"), lead="olga@example.org", stdout=out)
    review = Review.objects.get(slug=KETAMINE.name)
    assert Member.objects.get(review=review).user == team.owner.user
    held = package_files(review)
    for path, data in came.items():
        assert held[path] == data, path
    assert "first password" not in out.getvalue()


def test_what_is_wrong_is_one_clear_message(team: Team, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"there is no review 'x' here; there is: ketamine-chronic-pain"):
        call_command("archive", "x", output=str(tmp_path / "x.zip"))
    with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
        call_command("archive", team.review.slug, output=str(tmp_path / "no" / "x.zip"))
    with pytest.raises(CommandError, match=r"x\.zip cannot be read: No such file or directory"):
        call_command("bring_archive", str(tmp_path / "x.zip"), lead="a@example.org")
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04 and nothing")
    with pytest.raises(CommandError, match="not a zip that can be read"):
        call_command("bring_archive", str(tmp_path / "x.zip"), lead="a@example.org")
    assert list(tmp_path.iterdir()) == [tmp_path / "x.zip"]

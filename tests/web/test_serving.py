"""``balm serve`` as a process: it serves, says its accounts, finds everything again, and ends when it is asked to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from balm.actions.new_review import new_review
from balm.actions.review import package_bytes
from balm.actions.team.acting import Acting
from balm.actions.team.changes import releases_of
from balm.actions.team.demonstration import demonstration_review
from balm.actions.team.demonstration_search import MADE
from balm.actions.team.packages import start_review
from balm.actions.team.screening import sitting
from balm.actions.team.versions import check_releases, manifests_of
from balm.actions.versions import release, releases_in
from balm.store.accounts.models import User
from balm.store.reviews.models import Member, Review
from balm.store.reviews.package_rows import package_of
from balm.vocabulary.problems import InputError
from balm.web import serving
from tests.web.conftest import KETAMINE, person


def environment(home: Path, **more: str) -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "BALM_SECRET_KEY")} | {
        "BALM_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "balm.web.settings",
        **more,
    }


def balm(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "balm.cli.main", "serve", *words],
        env=environment(home, **more), capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@contextmanager
def served(home: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The server on a free port, with the lines it said before it was ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "balm.cli.main", "serve", *words, "--port", "0"],
        env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    said = []
    assert process.stdout is not None
    with process.stdout:
        try:
            for line in process.stdout:
                said.append(line.rstrip("\n"))
                if line.startswith("Serving on "):
                    break
            assert said and said[-1].startswith("Serving on "), said
            yield process, said
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(30)


def test_it_serves_ends_on_request_and_finds_everything_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    heard = []
    for asked in (signal.SIGINT, signal.SIGTERM):
        with served(home, str(KETAMINE)) as (process, said):
            heard.append(said[:-1])
            address = said[-1].split()[2]
            port = int(address.rstrip("/").rpartition(":")[2])
            if asked == signal.SIGINT:
                with urllib.request.urlopen(address, timeout=60) as response:
                    assert response.status == 200
                taken = balm(home, "--port", str(port))
                assert (taken.returncode, taken.stdout) == (1, "")
                assert taken.stderr.startswith(f"balm: port {port} on 127.0.0.1 is in use; choose another with --port")
                assert taken.stderr.count("\n") == 1
            process.send_signal(asked)
            assert process.stdout is not None
            assert process.stdout.read() == "Stopped.\n"
            assert process.wait(30) == 0
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", port))
    assert heard[0] == heard[1]
    assert [line.split()[-1] for line in heard[0][1:4]] == ["lead", "reviewer", "reviewer"]
    assert "SIMULATED" in heard[0][4] and [line.split()[-1] for line in heard[0][5:]] == ["nurse", "lead"]
    for name in ("demonstration-accounts.txt", "demonstration-clinic-accounts.txt"):
        assert (home / name).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}, "the database cannot be used"),
        ({"DATABASE_URL": "mysterious://x"}, "DATABASE_URL: Scheme 'mysterious://' is unknown"),
        ({"BALM_HOME": os.devnull}, "BALM_HOME: "),
    ],
)
def test_what_is_wrong_with_the_surroundings_is_said_in_one_line(
    tmp_path: Path, more: dict[str, str], said: str
) -> None:
    done = balm(tmp_path, "--port", "0", **more)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"balm: {said}")
    assert done.stderr.count("\n") == 1


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "PARTS", ("django", "no_such_part"))
    with pytest.raises(InputError, match=r"needs the extra `server` \(missing: no_such_part\): pip install 'balm\[ser"):
        serving.serve_team(port=0)


def test_the_accounts_hold_whatever_became_of_their_file(db: None, tmp_path: Path) -> None:
    kept = tmp_path / "accounts.txt"
    first = demonstration_review(KETAMINE, kept)
    assert demonstration_review(KETAMINE, kept) == first
    assert not first.folder_changed
    kept.unlink()
    second = demonstration_review(KETAMINE, kept)
    assert second.review == first.review
    for account in second.accounts:
        assert User.objects.get(email=account.email).check_password(account.password)
    lead = User.objects.get(email=second.accounts[0].email)
    lead.set_password("a password of one's own")
    lead.save()
    assert [a.password == "(changed)" for a in demonstration_review(KETAMINE, kept).accounts] == [True, False, False]


def test_a_second_package_is_a_second_review(db: None, tmp_path: Path) -> None:
    new_review(tmp_path / "another")
    kept = tmp_path / "accounts.txt"
    first = demonstration_review(KETAMINE, kept).review
    other = demonstration_review(tmp_path / "another", kept).review
    assert first != other
    with open(tmp_path / "another" / "review.toml", "a") as plan:
        plan.write("# changed\n")
    assert demonstration_review(tmp_path / "another", kept).folder_changed
    assert Review.objects.count() == 2


def test_releases_come_with_the_package(db: None, tmp_path: Path) -> None:
    new_review(tmp_path / "mine")
    heads = (KETAMINE / "versions.csv").read_text().partition("\n")[0]
    (tmp_path / "mine" / "versions.csv").write_text(f"{heads}\n1,version,First,2026-01-01{',' * 8}\n")
    made = release(tmp_path / "mine", "1", by="A. Person")
    review = demonstration_review(tmp_path / "mine", tmp_path / "accounts.txt").review
    assert [one.hash for one in manifests_of(review)] == [made.hash]
    assert check_releases(review) == ()
    assert releases_of(review) == releases_in(tmp_path / "mine")


def test_a_review_of_ones_own_gets_no_demonstration_account(db: None, tmp_path: Path) -> None:
    start_review(package_bytes(KETAMINE), user=person("o@example.org", "O").user, code="o", name="O")
    shown = demonstration_review(KETAMINE, tmp_path / "accounts.txt")
    assert shown.accounts == ()
    assert not (tmp_path / "accounts.txt").exists()


def test_the_demonstration_has_a_queue_to_screen_and_says_where_it_is_from(db: None, tmp_path: Path) -> None:
    shown = demonstration_review(KETAMINE, tmp_path / "accounts.txt")
    package = package_of(shown.review)
    (search,) = package.searches
    assert (search.kind, search.retrieved) == ("citation", len(package.reports))
    assert "No database was searched" in (search.strategy or "")
    assert len(package.records) == len(package.reports)
    assert all(MADE in (one.abstract or "") for one in package.records)
    for code in ("rui", "sam"):
        member = Member.objects.get(review=shown.review, code=code)
        turn = sitting(Acting(shown.review, member), "title-abstract")
        assert turn is not None
        assert len(turn.left) == 50
    assert "records.csv" not in package_bytes(KETAMINE)

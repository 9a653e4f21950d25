"""Habits of OWASP ASVS level 2 that no other test holds: deployment settings, hosts, sizes, markup people bring."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import resolve

from balm.actions.team.screening import open_stage
from balm.review.schema import TABLE_BY_FILE
from balm.review.set_up.sections import SECTION_BY_KEY
from balm.review.set_up.writing import with_list, with_table
from balm.store.reviews.models import Member, Review, Row, StoredFile
from balm.store.reviews.package_rows import package_of
from balm.web.security import MAX_BODY, MAX_BODY_WITH_FILES, bounded
from tests.web.conftest import Team
from tests.web.test_screening_actions import TA, with_records
from tests.web.walking import addresses

#: Markup as somebody might bring it: in an element, in an attribute, in a script, in a style.
PLANTED = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
RAW = ("<script>alert(1)", "<img src=x", "onerror=alert(2)>")


def manage(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of the server in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BALM_", "DATABASE_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "-m", "balm.web", *arguments],
        env=kept | {"BALM_HOME": str(home)} | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_deployment_check_has_nothing_to_say(tmp_path: Path) -> None:
    done = manage("check", "--deploy", "--fail-level", "INFO", home=tmp_path, BALM_HTTPS="1", BALM_HOSTS="balm.example")
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout + done.stderr
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0, "the secret is for its owner only"


def test_a_folder_that_the_server_makes_is_for_its_account_alone(tmp_path: Path) -> None:
    home = tmp_path / "data" / "balm"
    assert manage("migrate", "--plan", "--skip-checks", "-v0", home=home).returncode == 0
    assert home.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("words", "more", "said"),
    [
        (["verify_events"], {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}, "look at DATABASE_URL"),
        (["sendtestemail", "a@example.org"], {"BALM_EMAIL_URL": "smtp://a:b@127.0.0.1:1"}, "look at BALM_EMAIL_URL"),
    ],
)
def test_a_command_that_reaches_nobody_says_so_in_one_line(
    tmp_path: Path, words: list[str], more: dict[str, str], said: str
) -> None:
    done = manage(*words, home=tmp_path, **more)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert done.stderr.startswith("balm: ") and said in done.stderr


def test_production_cookies_and_headers(tmp_path: Path) -> None:
    """With HTTPS: secure cookies, strict transport, and plain requests are led to HTTPS."""
    code = (
        "from django.conf import settings as s; "
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS, "
        "s.SESSION_COOKIE_HTTPONLY, s.CSRF_COOKIE_HTTPONLY, s.DEBUG, s.CSRF_TRUSTED_ORIGINS, s.SESSION_COOKIE_NAME, "
        "s.CSRF_COOKIE_NAME, s.KNOWN_BROWSER_COOKIE_NAME)"
    )
    done = manage("shell", "-v", "0", "-c", code, home=tmp_path, BALM_HTTPS="1", BALM_HOSTS="balm.example")
    assert done.stdout.split("\n")[0] == (
        "True True True 31536000 True True False ['https://balm.example'] "
        "__Host-sessionid __Host-csrftoken __Host-known-browser"
    ), done


def test_another_host_is_refused(client: Client, db: None) -> None:
    assert client.get("/account/login/", headers={"host": "evil.example"}).status_code == 400
    reset = client.post("/account/password/reset/", {"email": "a@example.org"}, headers={"host": "evil.example"})
    assert reset.status_code == 400, "no mail leads to a host that somebody else names"


def test_a_body_too_large_is_refused_before_it_is_read(team: Team) -> None:
    """The length is announced; nothing of the body is there to be read."""
    for kind, limit in (("application/x-www-form-urlencoded", MAX_BODY), ("multipart/form-data", MAX_BODY_WITH_FILES)):
        response = team.owner.client.generic(
            "POST",
            f"/reviews/{team.review.slug}/members/invite/",
            b"",
            content_type=kind,
            CONTENT_LENGTH=str(limit + 1),
        )
        assert response.status_code == 413
        assert "Nothing was saved" in response.content.decode()


@pytest.mark.parametrize("address", ["/reviews/new/", "/reviews/{}/records/import/"])
def test_no_file_is_read_of_whoever_has_not_signed_in(team: Team, address: str) -> None:
    """Not even to look for the form's token: the cookie for it is had for the asking."""
    strict = Client(enforce_csrf_checks=True)
    strict.get("/account/login/")
    answer = strict.generic(
        "POST", address.format(team.review.slug), b"", content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(MAX_BODY + 1),
    )  # fmt: skip
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/account/login/?next=")


def test_what_is_sent_of_a_refused_body_is_thrown_away_after_the_answer(rf: RequestFactory) -> None:
    """A connection closed with bytes unread takes the answer with it: a proxy then says 502."""

    for read in (False, True):
        sent = io.BytesIO(b"x" * 1_000_000)
        with socket.socket() as connection:
            request = rf.post("/", b"a body", content_type="text/plain")
            request.META |= {"gunicorn.socket": connection, "wsgi.input": sent}
            request._read_started = read  # type: ignore[attr-defined]
            answer = bounded(lambda request: HttpResponse("refused"))(request)
            assert sent.tell() == 0, "the answer leaves first"
            for closed in answer._resource_closers:  # type: ignore[attr-defined]
                closed()
            assert (sent.tell(), connection.gettimeout()) == (0 if read else 1_000_000, None)


def test_every_bound_of_an_upload_is_stated_and_finite() -> None:
    bounds = {a.route: a.view.max_body for a in addresses() if hasattr(a.view, "max_body")}  # type: ignore[attr-defined]
    assert bounds["reviews/new/"] == resolve("/reviews/new/").func.max_body  # type: ignore[attr-defined]
    assert all(bound <= 600 * 1024**2 for bound in bounds.values()), bounds


def test_passwords_are_hashed_by_argon2() -> None:
    from balm.web import settings as production

    assert production.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")
    lengths = [v for v in production.AUTH_PASSWORD_VALIDATORS if v["NAME"].endswith("MinimumLengthValidator")]
    assert lengths[0]["OPTIONS"] == {"min_length": 12}
    assert settings.SESSION_COOKIE_AGE <= 12 * 3600


def planted(review: Review) -> None:
    """Markup in every text that a person can bring: cells of every table, the plan, names, codes of nobody."""
    for row in Row.objects.filter(review=review):
        table = TABLE_BY_FILE[row.table]
        texts = {
            c.name
            for c in table.columns
            if c.kind == "text" and not c.allowed and not c.refers and c.name not in table.key
        }
        for name in texts & set(row.cells):
            row.cells[name] = f"{row.cells[name][:40]} {PLANTED}"
        row.save(update_fields=["cells"])
    plan = StoredFile.objects.get(review=review, path="review.toml")
    text = bytes(plan.content).decode()
    text = with_table(text, SECTION_BY_KEY["review"], {"title": PLANTED, "summary": PLANTED, "status": PLANTED})
    text = with_table(text, SECTION_BY_KEY["question"], {"population": PLANTED, "outcomes": PLANTED})
    text = with_table(text, SECTION_BY_KEY["reasons"], {"exclusion_reasons": [PLANTED]})
    text = with_table(text, SECTION_BY_KEY["highlights"], {"include": [PLANTED], "exclude": ["x<b>"]})
    for key in ("eligibility", "outcomes", "windows", "scales", "analyses", "comparisons", "people"):
        section = SECTION_BY_KEY[key]
        field = "title" if key == "analyses" else "name"
        import tomllib

        count = len(tomllib.loads(text)[section.path[0]])
        text = with_list(text, section, [(i, {field: f"{i} {PLANTED}"}) for i in range(count)])
    plan.content = text.encode()
    plan.sha256 = hashlib.sha256(plan.content).hexdigest()  # what is read of a plan is kept by it
    plan.save(update_fields=["content", "sha256"])
    Review.objects.filter(pk=review.pk).update(title=PLANTED)
    Member.objects.filter(review=review).update(name=PLANTED, interests=PLANTED)


def test_markup_that_people_bring_is_text_on_every_page(team: Team) -> None:
    with_records(team.review)
    planted(team.review)
    open_stage(team.owner.acting, TA, ["olga", "tariq"])
    package_of(team.review)  # the package is sound: pages have something to show
    team.owner.user.name = PLANTED
    team.owner.user.is_staff = True
    team.owner.user.save()
    team.owner.client.raise_request_exception = False
    wrong, shown = [], 0
    for a in addresses():
        if a.of_a_library and not a.route.startswith("account/"):
            continue
        response = team.owner.client.get(a.path(team.review))
        if response.streaming or not response.headers.get("Content-Type", "").startswith(("text/html", "image/svg")):
            continue
        page = response.content.decode(errors="replace")
        shown += "alert(1)" in page
        wrong += [(a.route, raw) for raw in RAW if raw in page]
    assert shown > 10, "the markup is on the pages, as text"
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("address", ["/account/login/", "/account/password/reset/"])
def test_nothing_of_a_page_is_inline(client: Client, db: None, address: str) -> None:
    page = client.get(address).content.decode()
    assert "<style" not in page
    assert " style=" not in page
    assert "onclick" not in page
    assert "<script>" not in page


def test_an_address_that_takes_a_form_alone_says_so_when_it_is_opened(team: Team) -> None:
    address = f"/reviews/{team.review.slug}/records/import/"
    for someone in (team.owner, team.stranger):
        answer = someone.client.get(address)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        assert "Nothing was saved" in answer.content.decode()
    assert b"Nothing was saved" not in team.owner.client.put(address).content

"""Accounts: the first one, signing in and out, passwords, the second factor, and the start of a review."""

from __future__ import annotations

import io
import re
import threading
import time
import zipfile
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.cache import caches
from django.core.cache.backends import locmem
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from balm.actions.review import package_bytes
from balm.actions.team.archive import archive
from balm.store.accounts.models import Cached, SetUpLink, User
from balm.store.events.models import SERVER, Event
from balm.store.reviews.models import Member, Review
from balm.store.reviews.package_rows import package_of
from balm.web.stages import STAGES
from tests.unit.review.revman.made import aspirin
from tests.web.conftest import KETAMINE, Team, mail_has_left

PASSWORD = "a sentence that nobody guesses"


def letters() -> list[Any]:
    """What was sent, once all that is on its way has left."""
    mail_has_left()
    return list(mail.outbox)


def noted() -> list[str]:
    return list(Event.objects.filter(chain=SERVER).order_by("seq").values_list("action", flat=True))


def link() -> str:
    out = io.StringIO()
    call_command("first_account", address="http://balm.example/", stdout=out)
    found = re.match(r"http://balm\.example(/set-up/\S+/)\n", out.getvalue())
    assert found, out.getvalue()
    return found[1]


def first(address: str, **changes: str) -> dict[str, str]:
    return {"email": "ana@example.org", "name": "Ana", "password": PASSWORD, "again": PASSWORD} | changes


@pytest.fixture
def ana(db: None) -> User:
    return User.objects.create_user("ana@example.org", PASSWORD, name="Ana")


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_link_of_an_empty_server_makes_the_first_account_once(client: Client, db: None) -> None:
    address = link()
    assert client.get(address).status_code == 200
    response = client.post(address, first(address))
    assert response.status_code == 302
    assert response.headers["Location"] == "/reviews/new/"
    assert signed_in(client)
    user = User.objects.get()
    assert (user.email, user.is_staff, user.is_superuser) == ("ana@example.org", True, False)
    assert Client().get(address).status_code == 404
    assert noted() == ["print set-up link", "make account"]
    assert not SetUpLink.objects.filter(secret_hash__in=address.split("/")).exists(), (
        "the secret is kept as a hash only"
    )
    with pytest.raises(CommandError, match="has accounts already"):
        call_command("first_account")


def test_a_second_link_ends_the_first(client: Client, db: None) -> None:
    old, new = link(), link()
    assert client.get(old).status_code == 404
    assert client.get(new).status_code == 200


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": "short", "again": "short"}, "at least 12 characters"),
        ({"password": "password1234", "again": "password1234"}, "too common"),
        ({"again": "another sentence altogether"}, "The two passwords differ"),
        ({"email": "no address"}, "valid email address"),
        ({"name": ""}, "required"),
    ],
)
def test_what_is_wrong_with_a_first_account_is_said(
    client: Client, db: None, changes: dict[str, str], said: str
) -> None:
    address = link()
    response = client.post(address, first(address, **changes))
    assert said in response.content.decode()
    assert not User.objects.exists()


def test_signing_in_changes_the_session_and_signing_out_ends_it(client: Client, ana: User) -> None:
    client.get("/account/login/")
    session = client.session
    session["before"] = "x"
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before
    assert client.post("/account/login/", {"login": "ANA@example.org", "password": PASSWORD}).status_code == 302
    assert signed_in(client)
    assert client.session.session_key != before, "a session known before cannot be used after signing in"
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    client.post("/account/logout/")
    assert not signed_in(client)
    assert noted() == ["sign in", "sign out"]


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client: Client, ana: User) -> None:
    def answer(address: str) -> str:
        page = client.post("/account/login/", {"login": address, "password": "wrong wrong wrong"}).content.decode()
        return re.sub(r'value="[^"]*"', "", re.sub(r'"X-CSRFToken": "\w+"', "", page))

    assert answer("ana@example.org") == answer("nobody@example.org")


def test_after_eight_wrong_passwords_the_right_one_waits_too(client: Client, ana: User, settings: Any) -> None:
    statuses = [
        client.post("/account/login/", {"login": "ana@example.org", "password": f"wrong {i}"}).status_code
        for i in range(9)
    ]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    page = client.post("/account/login/", {"login": "ana@example.org", "password": PASSWORD})
    assert page.status_code == 429
    assert "Too many attempts to sign in" in page.content.decode()
    assert not signed_in(client)


def guesses(how_many: int, *, login: str = "ana@example.org") -> list[str]:
    """Wrong passwords, each from a computer and a browser of its own."""
    return [
        Client(REMOTE_ADDR=f"203.0.113.{i}")
        .post("/account/login/", {"login": login, "password": f"wrong wrong {i}"})
        .content.decode()
        for i in range(how_many)
    ]


TOO_MANY = "Too many failed login attempts"


def test_guesses_from_many_computers_are_counted_together_and_lock_nobody_out(client: Client, ana: User) -> None:
    """Whoever signed in here before gets in, whatever strangers try; a new browser is let in by a new password."""
    given = {"login": "Ana@example.org", "password": PASSWORD}
    assert client.post("/account/login/", given).status_code == 302
    client.post("/account/logout/")
    said = [TOO_MANY in page for page in guesses(14)]
    assert said == [False] * 10 + [True] * 4
    stranger = Client(REMOTE_ADDR="203.0.113.99")
    assert TOO_MANY in stranger.post("/account/login/", given).content.decode(), "not even the right one tells itself"
    assert client.post("/account/login/", given).status_code == 302
    client.post("/account/password/reset/", {"email": "ana@example.org"})
    link = re.search(r"http://testserver(/account/password/reset/key/\S+)", str(letters()[-1].body))
    assert link
    elsewhere = Client(REMOTE_ADDR="203.0.113.98")
    page = elsewhere.get(link[1], follow=True).redirect_chain[-1][0]
    new = "quite another long sentence"
    elsewhere.post(page, {"password1": new, "password2": new})
    assert TOO_MANY in guesses(14)[-1]
    assert elsewhere.post("/account/login/", given | {"password": new}).status_code == 302


def test_a_known_browser_guesses_no_faster_and_only_for_its_own_person(client: Client, ana: User) -> None:
    given = {"login": "ana@example.org", "password": PASSWORD}
    other = User.objects.create_user("ben@example.org", "a sentence of somebody else", name="Ben")
    client.post("/account/login/", given)
    client.post("/account/logout/")
    cookie = client.cookies[settings.KNOWN_BROWSER_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    wrong = [client.post("/account/login/", given | {"password": f"no {i}"}).content.decode() for i in range(12)]
    assert [TOO_MANY in page for page in wrong] == [False] * 10 + [True] * 2
    guesses(14, login=other.email)
    told = client.post("/account/login/", {"login": other.email, "password": "a sentence of somebody else"})
    assert TOO_MANY in told.content.decode()
    forged = Client(REMOTE_ADDR="203.0.113.97")
    forged.cookies[settings.KNOWN_BROWSER_COOKIE_NAME] = cookie.value[:-1] + ("A" if cookie.value[-1] != "A" else "B")
    guesses(14)
    assert TOO_MANY in forged.post("/account/login/", given).content.decode()


def test_nobody_is_sent_links_by_the_hundred(client: Client, ana: User) -> None:
    for i in range(8):
        Client(REMOTE_ADDR=f"203.0.113.{i}").post("/account/password/reset/", {"email": "ana@example.org"})
    assert len(letters()) == 5


def test_nobody_is_led_to_another_site_after_signing_in(client: Client, ana: User) -> None:
    for target in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        client.logout()
        given = {"login": "ana@example.org", "password": PASSWORD, "next": target}
        assert client.post("/account/login/", given).headers["Location"] == "/"
        assert client.post("/account/logout/", {"next": target}).headers["Location"] == "/account/login/"


def test_nobody_signs_up_at_the_door(client: Client, db: None) -> None:
    given = {"email": "eve@example.org", "password1": PASSWORD, "password2": PASSWORD}
    page = client.post("/account/signup/", given)
    assert "begin with an invitation" in page.content.decode()
    assert not User.objects.exists()


def test_a_forgotten_password_is_set_anew_by_a_link_that_works_once(client: Client, ana: User) -> None:
    unknown = client.post("/account/password/reset/", {"email": "nobody@example.org"})
    known = client.post("/account/password/reset/", {"email": "ana@example.org"})
    assert unknown.headers["Location"] == known.headers["Location"]
    assert [m.to for m in letters()] == [["ana@example.org"]]
    address = re.search(r"http://testserver(/account/password/reset/key/\S+)", str(letters()[0].body))
    assert address
    page = client.get(address[1], follow=True)
    key_page = page.redirect_chain[-1][0]
    new = "quite another long sentence"
    assert client.post(key_page, {"password1": "short", "password2": "short"}).status_code == 200
    client.post(key_page, {"password1": new, "password2": new})
    ana.refresh_from_db()
    assert ana.check_password(new)
    assert not signed_in(client)
    assert "does not work" in Client().get(address[1], follow=True).content.decode()
    assert "reset password" in noted()


def test_an_address_without_an_account_is_as_much_work_as_one_with_it(client: Client, ana: User) -> None:
    def asked(address: str) -> list[str]:
        with CaptureQueriesContext(connection) as found:
            client.post("/account/password/reset/", {"email": address})
        return [re.sub(r"'.*?'|\d+", "", query["sql"])[:60] for query in found.captured_queries]

    asked("nobody@example.org")  # whoever asks first makes the row that counts this computer's attempts
    known, unknown = asked("ana@example.org"), asked("nemo@example.org")
    assert known == unknown
    assert [m.to for m in letters()] == [["ana@example.org"]]


def test_no_mail_server_holds_an_answer_up_or_makes_it_an_error(
    client: Client, ana: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An address that has an account is answered as one that has none, in as much time."""
    from django.core.mail.backends.locmem import EmailBackend

    asked = threading.Event()

    def unreachable(self: Any, messages: Any) -> int:
        asked.wait(30)
        raise ConnectionRefusedError("no mail server here")

    monkeypatch.setattr(EmailBackend, "send_messages", unreachable)
    begun = time.monotonic()
    answers = [
        client.post("/account/password/reset/", {"email": f"{who}@example.org"}).status_code
        for who in ("ana", "nobody")
    ]
    client.force_login(ana, backend="allauth.account.auth_backends.AuthenticationBackend")
    new = "quite another long sentence"
    given = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert client.post("/account/password/change/", given).status_code == 302
    assert answers == [302, 302] and time.monotonic() - begun < 25
    asked.set()
    letters()
    assert sum("look at BALM_EMAIL_URL" in line for line in caplog.messages) == 2


def test_a_token_asks_for_the_password_again_and_is_told_to_the_address(client: Client, ana: User) -> None:
    client.post("/account/login/", {"login": "ana@example.org", "password": PASSWORD})
    wanted = {"name": "a script", "scope": "write", "days": "5"}
    assert client.get("/account/tokens/").status_code == 200
    asked = client.post("/account/tokens/", wanted)
    assert asked.headers["Location"].startswith("/account/reauthenticate/")
    assert not ana.tokens.exists()
    made = client.post(asked.headers["Location"], {"password": PASSWORD}, follow=True)
    assert "balm_" in made.content.decode(), "what was filled in is not lost"
    assert ana.tokens.get().name == "a script"
    (told,) = letters()
    assert (told.to, told.subject) == (["ana@example.org"], "balm: Token made")
    assert "a script" in told.body and "read and write" in told.body and "balm_" not in told.body
    assert client.post("/account/tokens/", wanted).status_code == 200, "once in five minutes"


def test_changing_the_password_ends_other_sessions(client: Client, ana: User) -> None:
    elsewhere = Client()
    for one in (client, elsewhere):
        one.post("/account/login/", {"login": "ana@example.org", "password": PASSWORD})
    new = "quite another long sentence"
    client.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    ana.refresh_from_db()
    assert ana.check_password(new)
    assert client.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302
    assert [m.to for m in letters()] == [["ana@example.org"]], "the change is told to the address"


def test_a_second_factor_is_asked_for_and_a_recovery_code_works_once(client: Client, ana: User) -> None:
    from allauth.mfa.models import Authenticator
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    def code(secret: str) -> str:
        return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))

    client.post("/account/login/", {"login": "ana@example.org", "password": PASSWORD})
    assert client.get("/account/email/").status_code == 200, "the library now knows the address, not as verified"
    asked = client.get("/account/2fa/totp/activate/").headers["Location"]
    assert asked.startswith("/account/reauthenticate/"), "what protects the account asks for the password again"
    client.post(asked, {"password": PASSWORD})
    page = client.get("/account/2fa/totp/activate/").content.decode()
    secret = re.search(r'id="authenticator_secret" value="(\w+)"', page)
    assert secret
    assert client.post("/account/2fa/totp/activate/", {"code": "000000"}).status_code == 200
    assert client.post("/account/2fa/totp/activate/", {"code": code(secret[1])}).status_code == 302
    kept = Authenticator.objects.get(type="totp").data["secret"]
    assert secret[1] not in kept, "the secret is kept encrypted"
    codes = re.findall(r"<li><code>(\w+)</code>", client.get("/account/2fa/recovery-codes/").content.decode())
    assert len(codes) == 10
    client.post("/account/logout/")
    client.post("/account/login/", {"login": "ana@example.org", "password": PASSWORD})
    assert not signed_in(client), "the password alone does not let in"
    client.post("/account/2fa/authenticate/", {"code": codes[0]})
    assert signed_in(client)
    client.post("/account/logout/")
    client.post("/account/login/", {"login": "ana@example.org", "password": PASSWORD})
    client.post("/account/2fa/authenticate/", {"code": codes[0]})
    assert not signed_in(client), "a recovery code works once"


def test_a_changed_name_is_an_event(client: Client, ana: User) -> None:
    client.force_login(ana, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.post("/account/", {"name": "Ana B."})
    ana.refresh_from_db()
    assert ana.name == "Ana B."
    assert noted() == ["change name"]


# ---- the start of a review


@pytest.fixture
def manager(client: Client, db: None) -> Client:
    user = User.objects.create_user("ana@example.org", name="Ana Manager", is_staff=True)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


QUESTION = {"title": "Nerve blocks, chronic pain", "population": "Adults", "intervention": "Blocks",
            "comparators": "Sham", "outcomes": "Pain"}  # fmt: skip


def test_a_review_starts_from_its_question(manager: Client) -> None:
    response = manager.post("/reviews/new/", QUESTION)
    assert response.headers["Location"] == "/reviews/nerve-blocks-chronic-pain/"
    review = Review.objects.get()
    meta = package_of(review).meta
    assert (meta.title, meta.question.population) == ("Nerve blocks, chronic pain", "Adults")
    member = Member.objects.get()
    assert (member.code, member.role, member.name) == ("ana", "lead", "Ana Manager")
    assert (meta.eligibility, meta.outcomes, meta.comparisons, meta.scales, meta.windows) == ((), (), (), (), ())
    assert meta.question.designs == "" and meta.screening.exclusion_reasons
    for stage in STAGES:
        page = manager.get(reverse(stage.url, kwargs={"slug": review.slug}))
        assert (page.status_code, b'role="alert"><li' in page.content) == (200, False), stage.url
    again = manager.post("/reviews/new/", QUESTION)
    assert again.headers["Location"] == "/reviews/nerve-blocks-chronic-pain-2/"


@pytest.mark.parametrize("title", ["New", '"] x = """', "Ü \\ \n \u2028 ''' #", "日本語"])
def test_any_title_makes_a_review(manager: Client, title: str) -> None:
    response = manager.post("/reviews/new/", QUESTION | {"title": title})
    assert response.status_code == 302, response.content.decode()
    assert response.headers["Location"] != "/reviews/new/"
    assert package_of(Review.objects.get()).meta.title == " ".join(title.split()) or package_of(Review.objects.get())


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return out.getvalue()


def uploaded(client: Client, data: bytes, name: str = "review.zip", **fields: str) -> Any:
    return client.post("/reviews/new/", {"file": SimpleUploadedFile(name, data), **fields})


def test_a_package_is_brought_in_with_or_without_its_folder(manager: Client) -> None:
    files = package_bytes(KETAMINE)
    packed = zipped({f"ketamine/{name}": data for name, data in files.items()} | {"__MACOSX/ketamine/._x": b"\0"})
    assert uploaded(manager, packed).headers["Location"] == "/reviews/ketamine-chronic-pain/"
    again = uploaded(manager, zipped(files))
    assert again.status_code == 422
    assert "is on this server already" in again.content.decode()


def test_a_revman_file_is_brought_in(manager: Client) -> None:
    response = uploaded(manager, aspirin(), "Aspirin after MI.rm5")
    assert response.headers["Location"] == "/reviews/aspirin-after-mi/"
    package = package_of(Review.objects.get())
    assert len(package.studies) == 7
    again = uploaded(manager, aspirin(), "Aspirin after MI.rm5")
    assert again.headers["Location"] == "/reviews/aspirin-after-mi-2/"


def test_an_archive_is_brought_in(team: Team) -> None:
    from tests.web.test_archive import _forget_chain, moved

    data = archive(team.owner.acting)
    moved(team.review)
    _forget_chain(team.review.key)
    team.stranger.user.is_staff = True
    team.stranger.user.save()
    response = uploaded(team.stranger.client, data)
    assert response.headers["Location"] == f"/reviews/{team.review.slug}/"
    assert Member.objects.get(review__slug=team.review.slug, user=team.stranger.user).code == "olga"


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"hello", "x.txt", "is no RevMan file"),
        (b"\x00" * 100, "x.rm5", "empty"),
        (b"PK\x03\x04broken", "x.zip", "not a zip"),
        (zipped({"../up": b"x"}), "x.zip", "leads out of its folder"),
        (zipped({"review.toml": b"title ="}), "x.zip", "not readable as TOML"),
        (zipped({"team/review.json": b"{"}), "x.zip", "team/members.csv"),
    ],
)
def test_a_file_that_is_no_review_is_refused_with_its_reason(
    manager: Client, data: bytes, name: str, said: str
) -> None:
    response = uploaded(manager, data, name)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not Review.objects.exists()


def test_whoever_runs_the_server_lets_others_start_reviews(team: Team) -> None:
    call_command("let_start_reviews", "TARIQ@example.org", stdout=io.StringIO())
    assert team.teammate.client.get("/reviews/new/").status_code == 200
    call_command("let_start_reviews", "tariq@example.org", "--no", stdout=io.StringIO())
    assert team.teammate.client.get("/reviews/new/").status_code == 403
    assert noted()[-2:] == ["let start reviews", "let start reviews"]
    with pytest.raises(CommandError, match="there is no account with the address"):
        call_command("let_start_reviews", "nobody@example.org")


def test_only_accounts_that_manage_the_server_start_reviews(team: Team) -> None:
    for someone in (team.owner, team.stranger):
        assert someone.client.get("/reviews/new/").status_code == 403
        assert someone.client.post("/reviews/new/", QUESTION).status_code == 403
    assert team.anonymous.get("/reviews/new/").status_code == 302


def test_codes_guessed_at_one_process_count_at_all_of_them(client: Client, ana: User) -> None:
    """Each attempt reaches a process that remembers nothing of its own."""
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    TOTP.activate(ana, generate_totp_secret())
    assert client.post("/account/login/", {"login": "ana@example.org", "password": PASSWORD}).status_code == 302
    texts = []
    for _ in range(12):
        locmem._caches.clear()
        caches["default"].close()
        texts.append(client.post("/account/2fa/authenticate/", {"code": "000000"}).content.decode())
    assert "Incorrect code" in texts[0]
    assert "Too many failed login attempts" in texts[-1]
    assert not signed_in(client)
    assert Cached.objects.exists()

"""Settings of the web application. Everything that differs between machines comes from the environment.

=====================  =================================================================================
``BALM_HOME``          folder of the embedded database, the secret key and uploads (default: the user's data folder)
``DATABASE_URL``       PostgreSQL for a team: ``postgres://user:password@host:5432/name`` (default: SQLite in BALM_HOME)
``BALM_SECRET_KEY``    the server's secret (default: made once and kept in BALM_HOME, readable by its owner only)
``BALM_HOSTS``         names under which the server is reached, separated by commas (default: this computer only)
``BALM_HTTPS``         ``1`` behind a reverse proxy that speaks HTTPS: secure cookies, HSTS, redirects
``BALM_EMAIL_URL``     ``smtp://user:password@host:587``, or ``smtps://`` with port 465 (default: mail is printed)
``BALM_EMAIL_FROM``    the sender's address of that mail
=====================  =================================================================================
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import unquote, urlsplit

import dj_database_url

HERE = Path(__file__).resolve().parent


def home() -> Path:
    """The folder for what this server keeps."""
    default = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "balm"
    return Path(os.environ.get("BALM_HOME") or default)


def _made(folder: Path) -> Path:
    """The folder; where it is made here, other accounts of this computer do not look into it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def secret_key() -> str:
    """The secret from the environment, or the one kept in :func:`home`, made on first use."""
    given = os.environ.get("BALM_SECRET_KEY")
    if given:
        return given
    path = home() / "secret_key"
    if not path.exists():
        _made(path.parent)
        beside = path.with_name(f".secret_key.{os.getpid()}")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(64))
        try:
            os.link(beside, path)  # two servers that start together keep the first one's
        except FileExistsError:
            pass
        finally:
            beside.unlink()
    return path.read_text()


HTTPS = os.environ.get("BALM_HTTPS") == "1"
DEBUG = False
SECRET_KEY = secret_key()
ALLOWED_HOSTS = [h.strip() for h in os.environ.get("BALM_HOSTS", "127.0.0.1,localhost,[::1]").split(",") if h.strip()]
CSRF_TRUSTED_ORIGINS = [f"https://{h}" for h in ALLOWED_HOSTS if HTTPS]

INSTALLED_APPS = [
    "balm.store.accounts",
    "balm.store.events",
    "balm.store.reviews",
    "balm.store.records",
    "balm.store.screening",
    "balm.store.full_texts",
    "balm.store.extraction",
    "balm.store.risk_of_bias",
    "balm.store.synthesis",
    "balm.store.certainty",
    "balm.store.versions",
    "balm.store.guidance",
    "balm.store.api",
    "balm.store.registry",
    "balm.store.identity",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "template_partials",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "balm.web",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "balm.web.security.headers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "balm.web.security.bounded",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "balm.web.accounts.known_browser.known_browsers",
    "balm.web.refusals.refusals",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "balm.web.urls"
WSGI_APPLICATION = "balm.web.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "balm.web.stages.stages",
                "balm.web.registry.people.my_clinics",
            ],
        },
    }
]


def databases() -> dict[str, dict[str, object]]:
    """PostgreSQL where ``DATABASE_URL`` names one; else SQLite with a write-ahead log and immediate transactions."""
    url = os.environ.get("DATABASE_URL")
    if url:
        return {"default": dict(dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True))}
    return {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(_made(home()) / "balm.sqlite3"),
            "CONN_MAX_AGE": 60,
            "OPTIONS": {
                "timeout": 20,
                # A transaction takes the write lock when it begins: two writers wait for each other, none fails midway.
                "transaction_mode": "IMMEDIATE",
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-65536"
                ),
            },
        }
    }


DATABASES = databases()
#: The keys of the identity vault, a file a person: apart from the database, and never in a backup of it.
IDENTITY_KEYS = home() / "identity-keys"
#: In the database, so that what one server process counts (wrong passwords, wrong codes) counts for all of them.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "server_cache",
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
#: ASVS 2.1: length counts, composition rules do not.
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "reviews"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # an account begins with an invitation sent to its address
ACCOUNT_ADAPTER = "balm.web.accounts.adapter.ByInvitation"
#: Django's own, which asks the database nothing: the library's asks about accounts alone, which tells them from others.
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"
ACCOUNT_FORMS = {"reset_password": "balm.web.accounts.forms.ForgottenPasswordForm"}
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a change of what protects the account is told to its address
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # no mail to whoever somebody types in
ACCOUNT_REAUTHENTICATION_REQUIRED = True
#: Wrong passwords of one address, wherever they come from, and wrong codes of one person: at most 60 an hour (ASVS
#: 2.2.1 allows 100). From one computer the limit of axes below is stricter; a browser that signed in before counts
#: apart from both, so that no stranger locks a person out. No more than five links to a new password leave an hour.
ACCOUNT_RATE_LIMITS = {"login_failed": "30/m/ip,10/600s/key", "reset_password": "20/m/ip,5/h/key"}
ACCOUNT_EMAIL_SUBJECT_PREFIX = "balm: "
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "balm"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # the address was reached by the invitation; a second factor waits for nothing
MFA_ADAPTER = "balm.web.accounts.second_factor.EncryptedSecrets"
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if HTTPS else 0

AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "login"
AXES_USERNAME_CALLABLE = "balm.web.accounts.sign_in.address_tried"
AXES_CLIENT_IP_CALLABLE = "balm.web.accounts.sign_in.client_ip"
AXES_WHITELIST_CALLABLE = "balm.web.accounts.known_browser.never_locked"
AXES_LOCKOUT_TEMPLATE = "account/locked.html"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False

#: With HTTPS no other server under our domain can set these cookies (``__Host-``, ASVS 3.4.4).
_PREFIX = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_PREFIX}sessionid", f"{_PREFIX}csrftoken"
KNOWN_BROWSER_COOKIE_NAME = f"{_PREFIX}known-browser"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

#: A request body beyond this is refused before it is read; uploads of files have bounds of their own.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATICFILES_DIRS = [HERE / "static"]
#: Files whose address is not ours to choose, such as /favicon.ico.
WHITENOISE_ROOT = HERE / "static" / "at-root"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

_mail = urlsplit(os.environ.get("BALM_EMAIL_URL", ""))
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if _mail.hostname else 'console'}.EmailBackend"
EMAIL_HOST = _mail.hostname or ""
EMAIL_PORT = _mail.port or (465 if _mail.scheme == "smtps" else 587)
EMAIL_HOST_USER = unquote(_mail.username or "")
EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
EMAIL_USE_SSL = _mail.scheme == "smtps"
EMAIL_USE_TLS = bool(_mail.hostname) and not EMAIL_USE_SSL
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("BALM_EMAIL_FROM", "balm@localhost")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}

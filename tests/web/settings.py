"""Settings of the tests: the server's own, with a folder that is thrown away and passwords that hash fast.

``BALM_TEST_DATABASE_URL`` names a PostgreSQL server to run the same tests there; without it they run on SQLite.
"""

from __future__ import annotations

import os
import tempfile

os.environ["BALM_HOME"] = tempfile.mkdtemp(prefix="balm-test-")
os.environ["BALM_SECRET_KEY"] = "for tests only, and long enough that the deployment check has nothing to say about it"
os.environ.pop("DATABASE_URL", None)
if "BALM_TEST_DATABASE_URL" in os.environ:
    os.environ["DATABASE_URL"] = os.environ["BALM_TEST_DATABASE_URL"]

from balm.web.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]

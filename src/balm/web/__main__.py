"""``python -m balm.web migrate`` and the other commands of the server."""

import os
import sys

from django.core.management import execute_from_command_line
from django.db import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balm.web.settings")
try:
    execute_from_command_line(["balm.web", *sys.argv[1:]])
except OperationalError as error:
    why = " ".join(str(error).split())
    sys.exit(f"balm: the database cannot be used ({why}); look at DATABASE_URL or BALM_HOME, or run migrate first")
except OSError as error:
    if sys.argv[1:2] != ["sendtestemail"]:
        raise
    sys.exit(f"balm: no mail can be sent ({error}); look at BALM_EMAIL_URL")

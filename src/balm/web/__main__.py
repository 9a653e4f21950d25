"""``python -m balm.web migrate`` and the other commands of the server."""

import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balm.web.settings")
execute_from_command_line(["balm.web", *sys.argv[1:]])

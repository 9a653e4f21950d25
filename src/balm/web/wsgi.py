"""The application for a WSGI server: ``gunicorn balm.web.wsgi``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balm.web.settings")
application = get_wsgi_application()

from django.urls import get_resolver  # noqa: E402

# Every page's modules are loaded when a process starts, not with the first request that it answers.
_ = get_resolver().url_patterns

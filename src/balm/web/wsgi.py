"""The application for a WSGI server: ``gunicorn balm.web.wsgi``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balm.web.settings")
application = get_wsgi_application()

"""The review taken home: addresses under ``/reviews/<slug>/archive/``."""

from __future__ import annotations

from django.urls import path

from balm.web.archive import views

urlpatterns = [
    path("", views.archive, name="archive"),
    path("package.zip", views.package, name="package_download"),
    path("take-home/", views.take_home, name="take_home"),
]

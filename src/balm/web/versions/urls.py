"""Versions: addresses under ``/reviews/<slug>/versions/``."""

from __future__ import annotations

from django.urls import path

from balm.web.versions import views

urlpatterns = [
    path("", views.page, name="versions"),
    path("update/", views.update, name="versions_update"),
    path("release/", views.release, name="versions_release"),
    path("since/<str:version>/", views.since, name="versions_since"),
    path("released/<str:version>.zip", views.released, name="versions_released"),
    path("of/<str:analysis>/", views.grown, name="versions_grown"),
    path("of/<str:analysis>/forest.<slug:ending>", views.figure, name="versions_figure"),
    path("behind/<str:analysis>/", views.behind, name="versions_behind"),
]

"""Set up a review: addresses under ``/reviews/<slug>/set-up/``."""

from __future__ import annotations

from django.urls import path

from balm.web.set_up import views

urlpatterns = [
    path("", views.set_up, name="set_up"),
    path("text/", views.text, name="set_up_text"),
    path("<slug:section>/", views.section, name="set_up_section"),
]

"""Search exports in, and the records that came of them: addresses under ``/reviews/<slug>/records/``."""

from __future__ import annotations

from django.urls import path

from balm.web.records import views

urlpatterns = [
    path("", views.searches, name="records"),
    path("import/", views.bring, name="import_records"),
    path("uploads/", views.uploads, name="uploads"),
    path("uploads/<int:upload>/dismiss/", views.dismiss_upload, name="dismiss_upload"),
    path("searches/<str:search>/", views.search, name="search"),
    path("searches/<str:search>/raw/", views.raw_file, name="raw_export"),
    path("searches/<str:search>/change/", views.change_search, name="change_search"),
    path("searches/<str:search>/withdraw/", views.withdraw_search, name="withdraw_import"),
    path("all/", views.all_records, name="all_records"),
    path("all/<str:record>/", views.one_record, name="record"),
    path("download/<str:ending>/", views.download, name="download_records"),
]

"""Addresses of this room."""

from __future__ import annotations

from django.urls import path

from minsheng.outbox import views

app_name = "outbox"
urlpatterns = [
    path("", views.log, name="log"),
    path("<int:pk>/resend/", views.resend, name="resend"),
    path("resend/", views.resend_all, name="resend_all"),
    path("settings/", views.preference, name="settings"),
    path("settings/test/", views.test_letter, name="test_letter"),
    path("systems/", views.endpoints, name="endpoints"),
    path("systems/new/", views.endpoint_new, name="endpoint_new"),
    path("systems/<int:pk>/", views.endpoint, name="endpoint"),
    path("systems/<int:pk>/secret/", views.rotate, name="rotate"),
    path("systems/<int:pk>/switch/", views.switch, name="switch"),
    path("systems/<int:pk>/test/", views.test, name="test"),
]

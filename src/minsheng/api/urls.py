"""Addresses of this room."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path

from minsheng.api import views
from minsheng.api.calls import gate, no_such_address
from minsheng.api.v1 import api


def _gated() -> tuple[list[URLPattern], str]:
    """The operations, each behind the gate."""
    patterns, _, namespace = api.urls
    found = [each for each in patterns if isinstance(each, URLPattern)]
    for each in found:
        each.callback = gate(each.callback)
    return found, namespace


app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("systems/", views.systems, name="systems"),
    path("systems/new/", views.new_system, name="new_system"),
    path("systems/<slug:code>/", views.system, name="system"),
    path("systems/<slug:code>/issue/", views.issue, name="issue"),
    path("systems/<slug:code>/<int:token>/rotate/", views.rotate, name="rotate"),
    path("systems/<slug:code>/<int:token>/revoke/", views.revoke, name="revoke"),
    path("v1/docs", views.docs, name="docs"),
    path("v1/", include(_gated())),
    path("open311/", include("minsheng.api.open311.urls")),
    re_path(r"^v1(?:/.*)?$", no_such_address, name="no_such_address"),
]

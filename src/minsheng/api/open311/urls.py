"""Addresses of GeoReport v2: the format is the ending."""

from __future__ import annotations

from django.urls import re_path

from minsheng.api.open311 import views

app_name = "open311"
_FORM = r"\.(?P<form>json|xml)$"
urlpatterns = [
    re_path(rf"^(?:v2/)?discovery{_FORM}", views.discovery, name="discovery"),
    re_path(rf"^v2/services{_FORM}", views.services, name="services"),
    re_path(rf"^v2/services/(?P<code>[^/]{{1,100}}){_FORM}", views.service, name="service"),
    re_path(rf"^v2/requests{_FORM}", views.requests, name="requests"),
    re_path(rf"^v2/requests/(?P<number>[^/]{{1,100}}){_FORM}", views.one_request, name="request"),
    re_path(rf"^v2/tokens/(?P<key>[^/]{{1,100}}){_FORM}", views.token, name="token"),
    re_path(r"^(?P<path>.*)$", views.nothing_here, name="nothing_here"),
]

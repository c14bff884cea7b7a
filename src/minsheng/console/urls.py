"""`/desk/`: the shell's own pages; each room brings the URLs of its desks."""

from __future__ import annotations

from django.conf import settings
from django.urls import path

from minsheng.console import overview, views

app_name = "console"
urlpatterns = [
    path("", views.home, name="home"),
    path("overview/", overview.overview, name="overview"),
    path("rail/", views.rail, name="rail"),
    path("role/", views.switch_role, name="role"),
    path("search/", views.search, name="search"),
]
if settings.DEBUG:
    from minsheng.console import gallery

    urlpatterns.append(path("gallery/", gallery.gallery, name="gallery"))
    urlpatterns.append(path("gallery/<slug:page>/", gallery.gallery, name="gallery_page"))

"""`/desk/`: the shell's own pages; each room brings the URLs of its desks."""

from __future__ import annotations

from django.conf import settings
from django.urls import path

from minsheng.console import bell, day, drafts, list_views, overview, records, security, system, views

app_name = "console"
urlpatterns = [
    path("", views.home, name="home"),
    path("overview/", overview.overview, name="overview"),
    path("rail/", views.rail, name="rail"),
    path("role/", views.switch_role, name="role"),
    path("notices/", bell.page, name="notices"),
    path("notices/bell/", bell.bell, name="bell"),
    path("drafts/", drafts.drafts, name="drafts"),
    path("drafts/drop/", drafts.drop, name="drop_draft"),
    path("day/", day.day, name="day"),
    path("lists/<slug:code>/columns/", list_views.columns, name="list_columns"),
    path("lists/<slug:code>/view/", list_views.save, name="view_save"),
    path("views/", list_views.views, name="views"),
    path("views/<int:pk>/", list_views.change, name="view_change"),
    path("exports/", list_views.exports, name="exports"),
    path("exports/new/<slug:code>/", list_views.export_new, name="export_new"),
    path("exports/<uuid:key>/", list_views.progress, name="export_progress"),
    path("exports/<uuid:key>/cancel/", list_views.cancel, name="export_cancel"),
    path("exports/<uuid:key>/file/", list_views.export_file, name="export_file"),
    path("system/", system.desk, name="system"),
    path("system/retry/<int:job>/", system.retry, name="retry"),
    path("security/", security.desk, name="security"),
    path("security/unlock/<int:pk>/", security.unlock, name="unlock"),
    path("security/withdraw/<int:pk>/", security.withdraw, name="withdraw"),
    path("audit/", records.log, name="records"),
    path("audit/seals/", records.seals, name="seals"),
    path("audit/verification/", records.verification, name="verification"),
    path("audit/verify/", records.verify, name="verify"),
]
if settings.DEBUG:
    from minsheng.console import gallery

    urlpatterns.append(path("gallery/", gallery.gallery, name="gallery"))
    urlpatterns.append(path("gallery/<slug:page>/", gallery.gallery, name="gallery_page"))

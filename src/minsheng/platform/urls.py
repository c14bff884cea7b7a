"""Every address of the product, by room."""

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path

from minsheng.platform.health import health


def nothing_here(request: HttpRequest, **_: str) -> HttpResponse:
    """Django's way from a content type and a key to a row: of no use here, and it asks for tables that do not exist."""
    raise Http404


urlpatterns = [
    path("health", health, name="health"),
    path("accounts/", include("minsheng.accounts.urls")),
    path("desk/", include("minsheng.console.urls")),
    path("places/", include("minsheng.organisations.urls")),
    path("cases/", include("minsheng.cases.urls")),
    path("dispatching/", include("minsheng.dispatching.urls")),
    path("followup/", include("minsheng.followup.urls")),
    path("publishing/", include("minsheng.publishing.urls")),
    path("outbox/", include("minsheng.outbox.urls")),
    path("api/", include("minsheng.api.urls")),
    path("admin/r/<path:rest>", nothing_here, name="nothing_here"),
    path("admin/", admin.site.urls),
    path("", include("minsheng.portal.urls")),
]

"""Every address of the product, by room."""

from django.contrib import admin
from django.urls import include, path

from minsheng.platform.health import health

urlpatterns = [
    path("health", health, name="health"),
    path("accounts/", include("minsheng.accounts.urls")),
    path("desk/", include("minsheng.console.urls")),
    path("cases/", include("minsheng.cases.urls")),
    path("dispatching/", include("minsheng.dispatching.urls")),
    path("followup/", include("minsheng.followup.urls")),
    path("admin/", admin.site.urls),
    path("", include("minsheng.portal.urls")),
]

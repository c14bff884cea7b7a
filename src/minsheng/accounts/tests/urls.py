"""Addresses for the tests of this floor: sign-in, the configuration, and a page of work."""

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


@login_required
def work(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"saved {request.POST.get('text')}" if request.method == "POST" else "work")


urlpatterns = [
    path("accounts/", include("minsheng.accounts.urls")),
    path("admin/", admin.site.urls),
    path("desk/", work, name="desk"),
    path("inside/", work, name="work"),
    path("", lambda request: HttpResponse("home"), name="home"),
]

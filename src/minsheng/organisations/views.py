"""The counties' outlines, which everybody may know."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import condition, require_GET

from minsheng.organisations import shapes
from minsheng.organisations.models import Place


def _tag(request: HttpRequest) -> str:
    return f'"{shapes.version()}"'


@require_GET
@condition(etag_func=_tag)
def counties(request: HttpRequest) -> JsonResponse:
    """Code, name, where the name is written, and polygons in WGS 84; the same for everybody, for a day."""
    names = dict(Place.objects.filter(parent=None).order_by().values_list("code", "name"))
    found = [
        {"code": code, "name": names.get(code, ""), "at": shapes.middle(polygons), "polygons": polygons}
        for code, polygons in shapes.drawn().items()
    ]
    response = JsonResponse({"counties": found}, json_dumps_params={"separators": (",", ":"), "ensure_ascii": False})
    patch_cache_control(response, public=True, max_age=86400)
    return response

"""What a browser needs to draw a map: addresses of scripts and outlines, and of tiles where a setting names a server for them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse


def config(**more: Any) -> str:
    """JSON for a `data-map` attribute. Without tiles the counties' outlines are the map, and no other server is asked."""
    return json.dumps(
        {
            "counties": reverse("places:counties"),
            "script": static("leaflet/leaflet.js"),
            "style": static("leaflet/leaflet.css"),
            "tiles": settings.MAP["tiles"],
            "subdomains": settings.MAP["subdomains"],
            "attribution": settings.MAP["attribution"],
            **more,
        },
        ensure_ascii=False,
    )


def tile_origins(tiles: list[str]) -> list[str]:
    """The hosts of tile addresses, for the content security policy: `https://t{s}.example.cn/…` needs `https://*.example.cn`.

    Errors: ValueError for what is no http address, or would open the policy to everybody.
    """
    found: dict[str, None] = {}
    for tile in tiles:
        parts = urlsplit(tile)
        host = parts.netloc
        if "{s}" in host:
            host = "*." + host.split(".", 1)[1]
        if parts.scheme not in ("http", "https") or host.count(".") < (2 if "*" in host else 1) or {"{", "}", "@", ";", " "} & set(host):
            raise ValueError(f"MINSHENG_MAP: {tile!r} is no address of tiles")
        found[f"{parts.scheme}://{host}"] = None
    return list(found)

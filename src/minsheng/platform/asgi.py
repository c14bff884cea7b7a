"""The event stream, for granian or any ASGI server; pages are under WSGI, where they are three times as fast."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "minsheng.platform.settings")
django.setup()

from minsheng.console.events_app import application  # noqa: E402 - models need Django set up

__all__ = ["application"]

"""For the tests of every room: a client that is signed in as the product would have it."""

from __future__ import annotations

from django.test import Client

from minsheng.accounts.middleware import SECOND_FACTOR_KEY
from minsheng.accounts.models import User


def sign_in(client: Client, user: User) -> Client:
    """As `force_login`, with the second factor shown, so that administrators are not sent to register a device."""
    client.force_login(user)
    session = client.session
    session[SECOND_FACTOR_KEY] = user.pk
    session.save()
    return client

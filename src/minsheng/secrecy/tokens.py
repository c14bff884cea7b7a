"""Names for things that say nothing of them: what a page may carry and a stream may shout without telling a case number."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256

from django.conf import settings

from minsheng.secrecy.keys import derive

_BYTES = 9  # 72 bits, twelve characters


@lru_cache(maxsize=8192)
def watch_token(number: str) -> str:
    """The same for everybody and for ever; who was never shown the case cannot tell which it is."""
    key = derive(settings.HASH_KEY, "watched cases")
    return urlsafe_b64encode(hmac.digest(key, number.encode(), sha256)[:_BYTES]).decode()

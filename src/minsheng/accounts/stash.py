"""What a person was sending when they had already been signed out, kept encrypted in their next session and offered
again.

Only text fields: files are chosen anew. Nothing of the sign-in pages is kept, and nothing whose name speaks of a
password.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from django.http import HttpRequest

from minsheng.secrecy.columns import decrypt, encrypt

SESSION_KEY = "kept_form"
# A session row is no place for more; a long reply has some thousands of characters.
LARGEST = 200_000


@dataclass(frozen=True)
class Kept:
    """One form: whose, where it was going, where it came from, its fields in order, and whether it had files."""

    user: int
    action: str
    fields: list[tuple[str, str]]
    files: bool

    @property
    def shown(self) -> list[tuple[str, str]]:
        """What the person wrote themselves, so that they recognise it: everything with a Chinese character, or more
        than a key."""
        return [(name, value) for name, value in self.fields if not value.isascii() or " " in value.strip()]


def take(request: HttpRequest) -> Kept | None:
    """The form that this request carries, if it is one worth keeping."""
    match = request.resolver_match
    if request.method != "POST" or (match and (match.url_name or "").startswith(("account_", "mfa_"))):
        return None
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name != "csrfmiddlewaretoken" and "password" not in name and isinstance(value, str)
    ]
    if not fields or sum(len(name) + len(value) for name, value in fields) > LARGEST:
        return None
    return Kept(request.user.pk or 0, request.get_full_path(), fields, bool(request.FILES))


def put(request: HttpRequest, kept: Kept) -> None:
    """Keep it in the (new, anonymous) session, encrypted; it holds citizens' words."""
    request.session[SESSION_KEY] = encrypt(json.dumps(asdict(kept), ensure_ascii=False), SESSION_KEY).hex()


def get(request: HttpRequest) -> Kept | None:
    """The kept form of this very person."""
    sealed = request.session.get(SESSION_KEY)
    if not sealed:
        return None
    data = json.loads(decrypt(bytes.fromhex(sealed), SESSION_KEY))
    kept = Kept(data["user"], data["action"], [(name, value) for name, value in data["fields"]], data["files"])
    return kept if kept.user == request.user.pk else None


def drop(request: HttpRequest) -> None:
    """Forget it."""
    request.session.pop(SESSION_KEY, None)

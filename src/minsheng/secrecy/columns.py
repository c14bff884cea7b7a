"""Model fields: a text column encrypted at rest, and the keyed hash by which it is found."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django import forms
from django.conf import settings
from django.core import validators
from django.core.exceptions import FieldError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from minsheng.secrecy.keys import derive, secrets_of

if TYPE_CHECKING:
    _TextField = models.Field[str | None, str | None]
    _BytesField = models.Field[bytes, bytes]
else:  # Django's own class takes no type arguments at run time
    _TextField = _BytesField = models.Field

VERSION = b"\x01"
KEY_ID_BYTES, NONCE_BYTES, TAG_BYTES = 4, 12, 16
HASH_BYTES = 16


class Undecipherable(ValueError):
    """A stored value opens with none of the keys: wrong key, another column's ciphertext, or altered bytes."""


@lru_cache(maxsize=8)
def _keyring(setting: str) -> dict[bytes, AESGCM]:
    """Key id to cipher; the first entry encrypts."""
    return {
        derive(secret, "column key id", KEY_ID_BYTES): AESGCM(derive(secret, "column key"))
        for secret in secrets_of(setting)
    }


def encrypt(text: str, label: str) -> bytes:
    """Version, key id, nonce, ciphertext; `label` is bound in, so that a ciphertext opens in its own column only."""
    key_id, cipher = next(iter(_keyring(settings.DATA_KEY).items()))
    nonce = os.urandom(NONCE_BYTES)
    return VERSION + key_id + nonce + cipher.encrypt(nonce, text.encode(), label.encode())


def decrypt(stored: bytes, label: str) -> str:
    """The text of `encrypt`; Undecipherable when it does not open."""
    head = len(VERSION) + KEY_ID_BYTES
    if stored[:1] != VERSION or len(stored) < head + NONCE_BYTES + TAG_BYTES:
        raise Undecipherable(f"{label}: not a value that this column wrote")
    cipher = _keyring(settings.DATA_KEY).get(stored[1:head])
    if cipher is None:
        raise Undecipherable(f"{label}: encrypted with a key that DATA_KEY does not hold")
    nonce = stored[head : head + NONCE_BYTES]
    try:
        return cipher.decrypt(nonce, stored[head + NONCE_BYTES :], label.encode()).decode()
    except InvalidTag:
        raise Undecipherable(f"{label}: altered, or moved here from another column") from None


class EncryptedTextField(_TextField):
    """Text stored as AES-256-GCM (`domain.md` §8.1: column encryption, and a hash column beside it to search by).

    NULL stays NULL. The empty string is encrypted like any other, so that the table does not tell who gave nothing.
    `DATA_KEY` may list several secrets by comma: the first encrypts, all decrypt. No lookup but `isnull`.
    """

    description = "Encrypted text"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.max_length is not None:
            self.validators.append(validators.MaxLengthValidator(self.max_length))

    def get_internal_type(self) -> str:
        return "BinaryField"

    @property
    def label(self) -> str:
        """The associated data: app, model and field."""
        return f"{self.model._meta.label}.{self.name}"

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            _refuse_lookup(self, lookup_name)
        return super().get_lookup(lookup_name)

    def get_transform(self, lookup_name: str) -> Any:
        _refuse_lookup(self, lookup_name)

    def to_python(self, value: Any) -> str | None:
        return value if value is None or isinstance(value, str) else str(value)

    def get_prep_value(self, value: Any) -> str | None:
        return self.to_python(super().get_prep_value(value))

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        text = super().get_db_prep_value(value, connection, prepared)
        return None if text is None else encrypt(text, self.label)

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> str | None:
        return None if value is None else decrypt(bytes(value), self.label)

    def value_to_string(self, obj: models.Model) -> NoReturn:
        """Fixtures would carry the plain text out of the database."""
        raise FieldError(f"{self.label} is encrypted and is not serialised")

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": forms.CharField, "max_length": self.max_length, **kwargs})


def _refuse_lookup(field: models.Field[Any, Any], lookup_name: str) -> NoReturn:
    raise FieldError(f"{field} is encrypted: look it up by its search hash, not by {lookup_name!r}")


class SearchHashField(_BytesField):
    """The 16 bytes of `search_hash`.

    The hash of nothing is b"", stored as NULL, and equals no row: not even another empty one.
    """

    description = "Keyed search hash"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.update(null=True, blank=True, editable=False)
        kwargs.setdefault("default", b"")
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for given in ("null", "blank", "editable"):
            kwargs.pop(given, None)
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        return "BinaryField"

    def db_check(self, connection: BaseDatabaseWrapper) -> str:
        return f"octet_length({connection.ops.quote_name(str(self.column))}) = {HASH_BYTES}"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        value = super().get_db_prep_value(value, connection, prepared)
        return bytes(value) if value else None

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> bytes:
        return b"" if value is None else bytes(value)

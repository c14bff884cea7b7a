"""Small models for this room's tests; fixtures make and drop their tables."""

from __future__ import annotations

from typing import Any, ClassVar

from django.apps import apps
from django.db import models

from minsheng.audit.models import ChainedEntry, chain_constraints
from minsheng.secrecy import EncryptedTextField, SearchHashField


class Meeting(models.Model):
    """An owner of a chain."""

    objects: ClassVar[models.Manager[Meeting]] = models.Manager()

    title = models.CharField(max_length=20)
    timeline_head = models.BinaryField(max_length=32, default=bytes)
    timeline_length = models.PositiveIntegerField(default=0)

    class Meta:
        app_label = "audit"


class Minute(ChainedEntry):
    """An entry of a meeting's chain."""

    objects: ClassVar[models.Manager[Minute]] = models.Manager()
    OWNER = "meeting"

    meeting = models.ForeignKey(Meeting, on_delete=models.PROTECT, related_name="minutes")
    room = models.CharField(max_length=20, null=True)
    held_on = models.DateField(null=True)

    class Meta(ChainedEntry.Meta):
        app_label = "audit"
        constraints = chain_constraints("meeting")


class Person(models.Model):
    """Somebody with an encrypted name and phone."""

    objects: ClassVar[models.Manager[Person]] = models.Manager()

    name = EncryptedTextField(max_length=40, null=True)
    phone = EncryptedTextField(blank=True, default="")
    phone_hash = SearchHashField(db_index=True)

    class Meta:
        app_label = "audit"


def unregister(*made: Any) -> None:
    """Out of the registry: no other test's flush, migration check or `verify` may meet them."""
    for model in made:
        del apps.all_models["audit"][model._meta.model_name]
    apps.clear_cache()


unregister(Minute, Meeting, Person)

"""Jobs: seals every minute, their export every night, and a verification whenever it is asked for."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone
from procrastinate.contrib.django import app

from minsheng.audit import actions
from minsheng.audit.verification import verify as verify_all

VERIFY = "audit.verify"


def export_folder() -> Path:
    """SEAL_EXPORT_FOLDER where it is set (best on another machine), else a folder of the installation's state."""
    return Path(getattr(settings, "SEAL_EXPORT_FOLDER", "") or settings.HOME / "seals")


@app.periodic(cron="* * * * *")
@app.task(name="audit.seal", pass_context=False)
def seal(timestamp: int) -> None:
    """Seal what was committed in the last minute (design §4)."""
    while actions.seal(at=timezone.now()):
        pass


# Procrastinate's cron is UTC: 16:10 there is 00:10 in Shanghai, which keeps no summer time.
@app.periodic(cron="10 16 * * *")
@app.task(name="audit.export_seals", pass_context=False)
def export_seals(timestamp: int) -> None:
    """Write the day's seals outside the database."""
    actions.export_seals(folder=export_folder())


@app.task(name=VERIFY, queueing_lock=VERIFY, lock=VERIFY, pass_context=False)
def verify(asked_by: int) -> None:
    """Verify everything, against the export too where there is one, and put what was found on the audit log."""
    folder = export_folder()
    report = verify_all(export=folder if folder.is_dir() else None)
    actor = get_user_model()._default_manager.filter(pk=asked_by).first()
    actions.record_verification(actor=actor, at=timezone.now(), report=report)

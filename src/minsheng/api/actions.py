"""Every write of this room: systems and their tokens, turns and usage of a token, files sent ahead, upkeep."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.api import rules
from minsheng.api.choices import SCOPES
from minsheng.api.models import Answer, OpenTurn, System, Token, Upload, UsageHour
from minsheng.audit.actions import record
from minsheng.cases.attachments import refuse_wrong
from minsheng.errors import Refused

if TYPE_CHECKING:
    from minsheng.organisations.models import Unit

_ACCOUNT_PREFIX = "system."
_MOST_DAYS = 366


# --- systems and tokens: the system administrator's ----------------------------------------------------------------


def register_system(
    *,
    actor: User,
    at: datetime,
    code: str,
    name: str,
    contact: str,
    unit: Unit | None = None,
    channel: str,
    own_only: bool = False,
) -> System:
    """A system and its account, which has no password and no role yet: the security administrator grants those (三员分立).

    Errors: forbidden, invalid.
    """
    _require_administrator(actor, "登记接入系统")
    code, name = code.strip(), name.strip()
    account = User(username=_ACCOUNT_PREFIX + code, display_name=name[:40], staff_number="", date_joined=at, is_system=True)
    account.set_unusable_password()
    system = System(
        code=code, name=name, contact=contact.strip(), unit=unit, channel=channel, own_only=own_only, created_at=at
    )
    try:
        account.full_clean()
        system.full_clean(exclude=["account"])
    except ValidationError as error:
        raise Refused("invalid", message="".join(error.messages)) from error
    with transaction.atomic():
        account.save(force_insert=True)
        system.account = account
        system.save(force_insert=True)
        _record(actor, at, "api.system_registered", system, {"code": code, "account": account.username, "own_only": own_only})
    return system


def edit_system(
    *, actor: User, at: datetime, system: System, name: str, contact: str, channel: str, own_only: bool
) -> System:
    """Who answers for it, what its submissions count as, whether it sees only its own. Errors: forbidden, invalid."""
    _require_administrator(actor, "修改接入系统")
    before = {"name": system.name, "contact": system.contact, "channel": system.channel, "own_only": system.own_only}
    system.name, system.contact, system.channel, system.own_only = name.strip(), contact.strip(), channel, own_only
    try:
        system.full_clean()
    except ValidationError as error:
        raise Refused("invalid", message="".join(error.messages)) from error
    with transaction.atomic():
        system.save(update_fields=list(before))
        after = {name: getattr(system, name) for name in before}
        _record(actor, at, "api.system_edited", system, {"before": before, "after": after})
    return system


def issue_token(
    *, actor: User, at: datetime, system: System, scopes: Collection[str], expires_at: datetime
) -> tuple[Token, str]:
    """A new token and its clear text, which is kept nowhere. Errors: forbidden, invalid."""
    _require_administrator(actor, "签发令牌")
    return _issue(actor, at, system, scopes, expires_at, rotated_from=None, code="api.token_issued")


def rotate_token(
    *, actor: User, at: datetime, token: Token, overlap: timedelta, expires_at: datetime
) -> tuple[Token, str]:
    """A successor with the same scopes; the old one goes on for the overlap, and no longer than it would have.

    Errors: forbidden, invalid (revoked, expired, or rotated already).
    """
    _require_administrator(actor, "轮换令牌")
    with transaction.atomic():
        old = Token.objects.select_for_update(no_key=True, of=("self",)).select_related("system").get(pk=token.pk)
        if not old.is_valid(at) or Token.objects.filter(rotated_from=old).exists():
            raise Refused("invalid", message="这个令牌已经停用或已经轮换过，请直接签发新令牌。")
        made = _issue(actor, at, old.system, old.scopes, expires_at, rotated_from=old, code="api.token_rotated")
        old.expires_at = min(old.expires_at, at + max(overlap, timedelta()))
        old.save(update_fields=["expires_at"])
    token.expires_at = old.expires_at
    return made


def revoke_token(*, actor: User, at: datetime, token: Token, why: str) -> Token:
    """Void at once, in every process. Errors: forbidden, reason_required."""
    _require_administrator(actor, "吊销令牌")
    if not why.strip():
        raise Refused("reason_required")
    with transaction.atomic():
        if Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at):
            _record(actor, at, "api.token_revoked", token.system, {"token": token.prefix}, why=why.strip())
    token.refresh_from_db(fields=["revoked_at"])
    return token


def _issue(
    actor: User,
    at: datetime,
    system: System,
    scopes: Collection[str],
    expires_at: datetime,
    *,
    rotated_from: Token | None,
    code: str,
) -> tuple[Token, str]:
    chosen = [scope for scope in SCOPES if scope in scopes]
    if not chosen or set(scopes) - set(SCOPES):
        raise Refused("invalid", message="请至少选一项权限。")
    if not at < expires_at <= at + timedelta(days=_MOST_DAYS):
        raise Refused("invalid", message="有效期须在今天之后，最长一年。")
    clear = rules.new_token()
    token = Token(
        system=system,
        prefix=rules.shown_prefix(clear),
        digest=rules.digest_of(clear),
        scopes=chosen,
        created_at=at,
        created_by=actor,
        expires_at=expires_at,
        rotated_from=rotated_from,
    )
    with transaction.atomic():
        token.save(force_insert=True)
        detail: dict[str, Any] = {"token": token.prefix, "scopes": chosen, "expires_at": expires_at.isoformat()}
        if rotated_from is not None:
            detail["rotated_from"] = rotated_from.prefix
        _record(actor, at, code, system, detail)
    return token, clear


def _require_administrator(actor: User, action: str) -> None:
    if not actor.is_active or not actor.has_role(Role.SYSTEM_ADMIN):
        raise Refused("forbidden", action=action)


def _record(actor: User, at: datetime, code: str, system: System, detail: dict[str, Any], why: str = "") -> None:
    record(actor=actor, at=at, code=code, subject=system, subject_label=str(system), why=why, detail=detail)


# --- use -----------------------------------------------------------------------------------------------------------


def take_turn(*, token: Token, at: datetime) -> int:
    """Count one call against the token's minute: 0 when it fits, else in how many seconds one will.

    Generic cell rate over one row: a minute's calls may come at once, and no process needs to ask another.
    """
    per_minute: int = settings.API["calls_per_minute"]
    fits, following = _turns(at, per_minute)
    if Token.objects.filter(fits, pk=token.pk).update(turn_at=following, last_used_at=at):
        return 0
    turn = Token.objects.values_list("turn_at", flat=True).get(pk=token.pk)
    return rules.wait_seconds(turn, at, per_minute) if turn else 1


def take_open_turn(*, address: str, at: datetime) -> int:
    """The same for an address that shows no token."""
    per_minute: int = settings.API["open_calls_per_minute"]
    subject = rules.address_hash(settings.HASH_KEY, address)
    fits, following = _turns(at, per_minute)
    if OpenTurn.objects.filter(fits, subject=subject).update(turn_at=following):
        return 0
    first = {"turn_at": at + rules.interval(per_minute)}
    row, made = OpenTurn.objects.get_or_create(subject=subject, defaults=first)
    return 0 if made else rules.wait_seconds(row.turn_at, at, per_minute)


def _turns(at: datetime, per_minute: int) -> tuple[Q, Any]:
    """Condition of a row that has room for a call, and its turn after it."""
    step = rules.interval(per_minute)
    fits = Q(turn_at=None) | Q(turn_at__lte=at + timedelta(minutes=1) - step)
    return fits, Greatest(Coalesce(F("turn_at"), at), at) + step


def note_call(*, token: Token, at: datetime, failed: bool, address: str | None) -> None:
    """One call in the hour's row; the hour's first also says that the account is in use."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    more = {"calls": F("calls") + 1, "errors": F("errors") + int(failed), "last_address": address}
    if UsageHour.objects.filter(token=token, hour=hour).update(**more):
        return
    first = {"calls": 1, "errors": int(failed), "last_address": address}
    _, made = UsageHour.objects.get_or_create(token=token, hour=hour, defaults=first)
    if not made:
        UsageHour.objects.filter(token=token, hour=hour).update(**more)
    User.objects.filter(pk=token.system.account_id).update(last_login=at)


# --- files sent ahead ----------------------------------------------------------------------------------------------


def keep_upload(*, system: System, at: datetime, upload: UploadedFile) -> Upload:
    """Keep a file for a later call; its type is what its content says. Errors: file_empty, file_too_large, file_type."""
    media_type = refuse_wrong(upload)
    name = (upload.name or "附件").replace("/", "_").replace("\\", "_").replace("\x00", "")[-120:]
    kept = Upload(
        system=system, name=name, media_type=media_type, size=upload.size or 0, sha256=digest_of_file(upload), at=at
    )
    kept.file.save(str(kept.pk), upload, save=False)
    kept.save(force_insert=True)
    return kept


def digest_of_file(upload: UploadedFile) -> str:
    """SHA-256 of its content; it stands at its beginning afterwards."""
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    return digest.hexdigest()


def take_uploads(*, system: System, at: datetime, keys: Sequence[UUID], open_files: ExitStack) -> list[UploadedFile]:
    """The files of these keys for the action that attaches them, in their order; each serves once.

    Inside the action's transaction: when that fails they can be taken again. Errors: upload_gone.
    """
    if not keys:
        return []
    found = {
        row.pk: row
        for row in Upload.objects.select_for_update().filter(pk__in=keys, system=system, used_at=None).order_by("pk")
    }
    if len(found) < len(set(keys)) or len(set(keys)) < len(keys):
        raise Refused("upload_gone")
    Upload.objects.filter(pk__in=found).update(used_at=at)
    return [_opened(found[key], open_files) for key in keys]


def _opened(kept: Upload, open_files: ExitStack) -> UploadedFile:
    try:
        content = open_files.enter_context(kept.file.open("rb"))
    except FileNotFoundError:
        raise Refused("upload_gone") from None
    return UploadedFile(file=content, name=kept.name, content_type=kept.media_type, size=kept.size)


# --- upkeep --------------------------------------------------------------------------------------------------------


def forget_old(*, at: datetime) -> None:
    """Delete answers, files and counts that are older than settings.API keeps them; of addresses nothing stays a day."""
    kept = settings.API
    Answer.objects.filter(at__lt=at - timedelta(days=kept["answers_kept_days"])).delete()
    UsageHour.objects.filter(hour__lt=at - timedelta(days=kept["usage_kept_days"])).delete()
    OpenTurn.objects.filter(turn_at__lt=at - timedelta(days=1)).delete()
    old = Upload.objects.filter(at__lt=at - timedelta(hours=kept["uploads_kept_hours"]))
    _delete_uploads(old.iterator(chunk_size=500))


def _delete_uploads(uploads: Iterable[Upload]) -> None:
    for kept in uploads:
        kept.file.delete(save=False)
        kept.delete()

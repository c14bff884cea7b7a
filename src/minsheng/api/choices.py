"""What a token may be used for."""

from __future__ import annotations

from django.db import models


class Scope(models.TextChoices):
    """Scopes narrow what a system may do; they never widen what its account's roles allow."""

    CASES_CREATE = "cases:create", "提交诉求件"
    CASES_READ = "cases:read", "读诉求件"
    PERSONS_READ = "persons:read", "查看诉求人（写明理由，逐次留痕）"
    TASKS_READ = "tasks:read", "读承办任务"
    TASKS_ACT = "tasks:act", "办理承办任务"
    ATTACHMENTS_READ = "attachments:read", "下载附件"
    ATTACHMENTS_WRITE = "attachments:write", "上传附件"
    CHANGES_READ = "changes:read", "跟随变化"
    WEBHOOKS = "webhooks:manage", "管理自己的推送"


SCOPES: dict[str, str] = {scope.value: str(scope.label) for scope in Scope}

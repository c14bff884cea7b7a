"""Chinese for what is kept as a code: background tasks, and what stands on the audit log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minsheng.accounts.choices import Role

TASKS = {
    "audit.seal": "封存记录",
    "audit.export_seals": "导出封存",
    "audit.verify": "校验记录",
    "cases.read_overdue": "逾期自动查阅",
    "cases.archive_quiet": "办结归档",
    "cases.recount_nightly": "夜间重算时限",
    "cases.recount_provisional": "重算暂定时限",
    "cases.learn_streets": "统计地名在哪个街道",
    "portal.purge": "清理网站临时数据",
    "console.forget_jobs": "清理任务记录",
    "outbox.forget": "清理发送记录",
    "api.forget_old": "清理接口临时数据",
    "console.forget_drafts": "清理过期草稿",
    "console.export": "生成导出表格",
    "console.forget_exports": "删除过期表格",
}

ACTS = {
    "accounts.signed_in": "登录",
    "accounts.signed_out": "退出",
    "accounts.sign_in_failed": "登录失败",
    "accounts.locked_out": "账号锁定",
    "accounts.unlocked": "解除锁定",
    "accounts.user_created": "新建人员",
    "accounts.administrator_created": "新建管理员",
    "accounts.demo_user_created": "新建演示账号",
    "accounts.person_edited": "修改人员资料",
    "accounts.roles_granted": "授予角色",
    "accounts.unit_changed": "调整承办单位",
    "accounts.deactivated": "停用人员",
    "accounts.reactivated": "恢复人员",
    "accounts.password_changed": "修改密码",
    "accounts.password_reset": "重设他人密码",
    "accounts.second_factor_added": "启用两步验证",
    "accounts.second_factor_removed": "停用两步验证",
    "accounts.second_factor_reset": "解除他人两步验证",
    "accounts.recovery_codes_renewed": "更换恢复码",
    "case.uncover_applicant": "查看诉求人信息",
    "case.recall_caller": "沿用来电人姓名",
    "case.read_file": "打开保密件附件",
    "case.printed": "打印诉求件",
    "case.reissue_query_code": "补发查询码",
    "case.lift_confidentiality": "解除保密",
    "case.set_aside": "认定不合理诉求",
    "phrase.saved": "修改全中心常用语",
    "phrase.removed": "删除全中心常用语",
    "unit.template_saved": "保存答复模板",
    "unit.template_removed": "删除答复模板",
    "channels.messages_imported": "导入留言",
    "publishing.proposed": "公开件送复核",
    "publishing.published": "公开诉求件",
    "publishing.declined": "退回公开件",
    "publishing.withdrawn": "撤下公开件",
    "publishing.consent_withdrawn": "诉求人撤回公开同意",
    "publishing.consent_given": "诉求人同意公开",
    "reference.saved": "修改基础数据",
    "audit.note_erased": "依法清除文字",
    "audit.verified": "校验记录",
    "outbox.preference_saved": "修改通知设置",
    "outbox.resent": "重发一条消息",
    "outbox.resent_many": "批量重发消息",
    "outbox.endpoint_registered": "登记接收系统",
    "outbox.endpoint_changed": "修改接收系统",
    "outbox.endpoint_started": "启用接收系统",
    "outbox.endpoint_stopped": "停用接收系统",
    "outbox.endpoint_gave_up": "自动停用接收系统",
    "outbox.secret_rotated": "更换推送密钥",
    "api.system_registered": "登记接入系统",
    "api.system_edited": "修改接入系统",
    "api.token_issued": "签发令牌",
    "api.token_rotated": "轮换令牌",
    "api.token_revoked": "吊销令牌",
    "api.refused": "接口越权调用",
    "console.job_retried": "重新运行任务",
    "console.refused": "越权操作",
    "console.export_asked": "申请导出",
    "console.exported": "导出表格",
    "console.export_opened": "下载表格",
}
# Looks at what is otherwise covered: persons, and files of confidential cases.
UNCOVERINGS = ("case.uncover_applicant", "case.recall_caller", "case.read_file")
GROUPS = {
    "accounts.": "登录与人员",
    "case.": "诉求件",
    "publishing.": "公开",
    "reference.": "基础数据",
    "phrase.": "常用语",
    "unit.": "承办单位",
    "channels.": "导入",
    "audit.": "审计",
    "outbox.": "通知与推送",
    "api.": "接口",
    "console.": "系统",
}

# Names within an entry's detail.
DETAILS = {
    "before": "原来",
    "after": "现在",
    "username": "用户名",
    "display_name": "姓名",
    "staff_number": "工号",
    "roles": "角色",
    "unit": "承办单位",
    "is_active": "在用",
    "failures": "输错次数",
    "authenticators": "解除的设备",
    "type": "种类",
    "attachment": "附件",
    "refusal": "拒绝代码",
    "task": "任务",
    "list": "列表",
    "rows": "行数",
    "filters": "筛选",
    "whole": "含完整联系方式",
    "topic": "主题",
    "paper": "纸件",
    "uncovered": "含诉求人完整信息",
    "job": "任务号",
    "name": "名称",
    "short_name": "简称",
    "valid_from": "启用日期",
    "valid_to": "停用日期",
    "address_changed": "换了邮箱",
    "count": "条数",
    "channel": "方式",
    "endpoint": "接收系统",
    "number": "诉求编号",
    "day": "日期",
    "kind": "事项",
    "kinds": "事项",
    "source": "来源",
    "host": "接收主机",
    "account": "账号",
    "code": "代码",
    "contact": "联系人",
    "own_only": "只看自己提交的",
    "token": "令牌",
    "scopes": "权限",
    "expires_at": "有效期至",
    "rotated_from": "原令牌",
}


def task_words(name: str) -> str:
    """What a background task does; its own name where nobody has said."""
    return TASKS.get(name, name)


def act_words(code: str) -> str:
    """What an entry of the audit log says was done."""
    return ACTS.get(code, code)


def role_words(roles: Iterable[Any]) -> str:
    """Roles in Chinese, in the order of the enumeration; “无” for none."""
    held = {str(role) for role in roles}
    return "、".join(str(role.label) for role in Role if role in held) or "无"

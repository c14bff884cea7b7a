"""The one domain error, and the one table that turns its codes into a sentence and an HTTP status."""

from __future__ import annotations

from typing import Any

FORBIDDEN, NOT_FOUND, CONFLICT, UNPROCESSABLE, UNAVAILABLE = 403, 404, 409, 422, 503

# code: (HTTP status, sentence). Sentences say what happened, that nothing was lost, and the next step.
SENTENCES: dict[str, tuple[int, str]] = {
    # who and whether
    "forbidden": (FORBIDDEN, "您现在的角色不能做这一步（{action}）。如确有需要，请联系班长或系统管理员。"),
    "not_found": (NOT_FOUND, "没有找到，或您无权查看。"),
    "stale": (CONFLICT, "在您打开之后，这件诉求已有新的变化，您填写的内容都还在。请看过变化后再决定是否提交。"),
    "wrong_state": (CONFLICT, "诉求件现在是“{state}”，不能再{action}。您填写的内容没有丢失。"),
    "same_person": (FORBIDDEN, "这件诉求由您批转，须由另一位同事{action}。"),
    # cases and tasks (minsheng.cases.guards)
    "wrong_task_state": (CONFLICT, "承办任务现在是“{state}”，不能再{action}。您填写的内容没有丢失。"),
    "not_your_unit": (FORBIDDEN, "这项任务由别的单位承办，您不能代为{action}。"),
    "only_lead": (FORBIDDEN, "只有主办单位可以{action}。"),
    "lead_replies": (CONFLICT, "主办单位直接拟写回复，不需要{action}。"),
    "not_sub": (CONFLICT, "这项任务由热线直接批转，不能{action}；确不属本单位职责的，请申请退件。"),
    "ask_parent": (CONFLICT, "这项任务由上级单位转办，请向上级单位提出。"),
    "not_due_yet": (CONFLICT, "查阅时限还没有到。"),
    "return_too_late": (CONFLICT, "已过退件申请时限，请先行办理；确有争议的，请在回复中说明。"),
    "already_overdue": (CONFLICT, "任务已经逾期，不能再{action}。请尽快办理并回复。"),
    "assigned_by_ruling": (CONFLICT, "这件诉求经研判指定由贵单位承办，不能再申请退件。"),
    "returned_before": (CONFLICT, "贵单位已就这件诉求申请过退件，同一单位同一诉求件只能申请一次。"),
    "no_first_measures": (CONFLICT, "这项任务没有尚未登记的先行处置。"),
    "ask_pending": (CONFLICT, "还有一项申请在等待审核，审核之后再{action}。"),
    "no_such_ask": (CONFLICT, "没有等待审核的这项申请，可能已由同事处理。"),
    "nothing_to_sign": (CONFLICT, "没有等待签发的回复。"),
    "blanks_left": (UNPROCESSABLE, "还有没填的空：{blanks}。请填上或删去后再提交，您填写的内容都在。"),
    "template_names": (UNPROCESSABLE, "模板里不能有个人信息（{kinds}），请删去或改成〔〕空格后再保存。"),
    "template_changed": (CONFLICT, "在您打开之后，{who}改过这个模板。您写的还在，请看过再保存。"),
    "template_confidential": (CONFLICT, "保密件的回复不能存为模板。"),
    "template_too_many": (CONFLICT, "一个单位最多 {most} 个答复模板，请先删去不用的。"),
    "pdf_font_missing": (UNAVAILABLE, "这台服务器没有中文字体，生成不了 PDF。请系统管理员安装 fonts-noto-cjk；现在请用浏览器打印本页。"),
    "pdf_too_long": (UNPROCESSABLE, "内容太长，排不成一份 PDF。请用浏览器打印本页。"),
    "pdf_characters": (UNPROCESSABLE, "内容里有太多这台服务器的字体显示不了的字符，排不成 PDF。请用浏览器打印本页。"),
    "letter_not_passed": (CONFLICT, "这份回复还没有审核通过，不能出具答复函。"),
    "waits_for_signature": (CONFLICT, "回复已经拟好，正等待签发。"),
    "reports_missing": (CONFLICT, "{units}还没有报送协办结果。请等候报送，或写明理由后免报。"),
    "already_excused": (CONFLICT, "已经说明免报。"),
    "not_rated_unsatisfied": (CONFLICT, "诉求人没有给出不满意或未解决的评价。"),
    "nothing_to_judge": (CONFLICT, "这件诉求办结后没有等待研判的评价，可能已由同事处理。"),
    "not_handled_yet": (CONFLICT, "这件诉求是直接解答的，还没有单位办过。请选“重新办理”，由批转岗派给承办单位。"),
    "judgement_owed": (CONFLICT, "办结后的不满意评价还没有研判，不能{action}。"),
    "second_handling_used": (CONFLICT, "这件诉求已经二次办理过，不能再次启动。"),
    "already_set_aside": (CONFLICT, "已经认定为不合理诉求。"),
    "earlier_round": (CONFLICT, "这件诉求已由新一轮承办单位办理，不能再{action}。"),
    "already_rated": (CONFLICT, "您已经评价过，谢谢。"),
    "not_rateable": (CONFLICT, "这件诉求现在不能评价。"),
    "not_reopenable": (CONFLICT, "这件诉求已并入另一件，请在那一件上办理。"),
    "closed_too_long": (CONFLICT, "办结已超过 30 天，请提交新的诉求。"),
    "not_confidential": (CONFLICT, "这件诉求没有设为保密。"),
    "already_confidential": (CONFLICT, "这件诉求已经设为保密。"),
    # working time
    "no_policy": (UNPROCESSABLE, "没有适用的{clock}时限规则。您填写的内容都还在，请联系系统管理员补上规则。"),
    "policy_dates": (UNPROCESSABLE, "新的一版只能从 {day} 之后施行，已经受理的诉求件时限不变。请改施行日期。"),
    "policy_twin": (CONFLICT, "“{name}”（{twin}）在同一时间管着同样的诉求件。请改那一条，或先停用它。"),
    "calendar_unknown": (UNPROCESSABLE, "系统自带的资料里没有 {year} 年放假安排。请等国务院办公厅通知公布后手工录入。"),
    "calendar_mismatch": (CONFLICT, "{year} 年放假安排两份资料不一致（{days}），没有录入，请对照通知核对。"),
    "topic_required": (UNPROCESSABLE, "请先选定主题，再{action}。"),
    "outside_city": (UNPROCESSABLE, "选的位置不在福州市范围内，请在地图上重新选，或清除位置后再提交。您填写的内容都还在。"),
    "place_required": (UNPROCESSABLE, "请先选定事发地，再{action}。"),
    "leader_review": (FORBIDDEN, "“{ground}”须由班长或批转员复核后不予受理，请转请班长处理。"),
    "accused_unit": (CONFLICT, "{unit}是被反映单位或其上下级，不能承办这件诉求。请改派其他单位，或转纪检、督查。"),
    "unit_not_dispatchable": (UNPROCESSABLE, "{unit}不能作为承办单位{why}。"),
    "unit_text_required": (UNPROCESSABLE, "保密件须先核对给承办单位看的内容，隐去能认出诉求人的字句。"),
    "unit_text_names": (UNPROCESSABLE, "写给承办单位的话里有诉求人的姓名、电话、证件号或住址，请隐去后再提交。"),
    "not_below": (UNPROCESSABLE, "{unit}不是贵单位的下级单位，也不是事发地的乡镇街道，不能转办。"),
    "unit_twice": (UNPROCESSABLE, "{unit}已经是这件诉求的承办单位。"),
    "extension_too_often": (CONFLICT, "已延期 {times} 次，不能再申请。"),
    "extension_too_late": (CONFLICT, "延期须在到期前至少 {days} 个工作日提出。"),
    "extension_too_long": (UNPROCESSABLE, "一次延期不能超过原时限，最多 {days} 个工作日。"),
    "extension_date": (UNPROCESSABLE, "延至日期须是原到期日之后的工作日。"),
    "proof_required": (UNPROCESSABLE, "请附上凭证，或写明依据。"),
    "cannot_merge": (CONFLICT, "{number}不能作为并入的诉求件：{why}。"),
    "not_higher": (UNPROCESSABLE, "{unit}的层级不高于原承办单位。二次办理请提级，如由{higher}承办。"),
    "try_too_soon": (CONFLICT, "上次没有接通，{at} 之后再拨才算一次。现在接通了的，请登记为“接通”。"),
    "rated_waiting": (CONFLICT, "诉求人已有评价，不能按未接通办结。请启动二次办理或按评价办结。"),
    "link_over": (CONFLICT, "这个评价链接已经过期，或诉求已重新办理。请凭编号和查询码查看进度并评价。"),
    "tries_left": (CONFLICT, "未接通 {tries} 次，满 {needed} 次才能不再回访。"),
    "file_empty": (UNPROCESSABLE, "“{name}”是空文件，请重新选择。"),
    "file_too_large": (UNPROCESSABLE, "“{name}”超过 {limit} MB，请压缩后再传。您填写的内容没有丢失。"),
    "file_type": (UNPROCESSABLE, "“{name}”不是能接收的类型。可以上传图片、录音、视频、PDF、Word、Excel 或文本。"),
    "too_many_files": (UNPROCESSABLE, "一次最多上传 {limit} 个文件。"),
    "others_joined": (CONFLICT, "已有别的诉求并入这一件，那些诉求人还在等结果，不能{action}。请继续办理，或直接解答。"),
    "not_dead": (CONFLICT, "这一条现在是“{state}”，不用重发。"),
    "phrase_personal": (UNPROCESSABLE, "常用语里不能有姓名、手机号、门牌等个人信息，请改成〔姓名〕这样的空。您填写的内容都还在。"),
    "phrase_taken": (CONFLICT, "缩写“{abbreviation}”已经用了，请换一个，或去修改那一条。您填写的内容都还在。"),
    # publishing
    "not_publishable": (CONFLICT, "这件诉求不能公开：{why}。"),
    "still_personal": (UNPROCESSABLE, "公开的内容里还有{found}，请隐去后再送。您填写的内容都还在。"),
    "own_publication": (FORBIDDEN, "这一件由您编辑，须由另一位同事复核。"),
    "publication_state": (CONFLICT, "这一件现在是“{state}”，不能再做这一步。"),
    # what was written
    "submission_used": (CONFLICT, "这张表已经用来做过另一件事，这次没有提交。请刷新页面后再提交，您填写的内容没有丢失。"),
    "invalid": (UNPROCESSABLE, "{message}"),
    "reason_required": (UNPROCESSABLE, "请写明理由。"),
    # other systems (minsheng.api)
    "scope_missing": (FORBIDDEN, "这个令牌没有“{scope}”的权限。如确有需要，请联系热线系统管理员换发。"),
    "key_reused": (UNPROCESSABLE, "这个 Idempotency-Key 已经用来做过另一件事，这次没有提交。请换一个新的。"),
    "external_number_used": (CONFLICT, "来件编号 {external_number} 已经提交过，诉求件编号是 {number}。"),
    "upload_gone": (UNPROCESSABLE, "附件没有找到、已经用过或已经过期，请重新上传。"),
}


class Refused(Exception):
    """A domain rule said no. `code` is a key of SENTENCES; `details` fill the sentence and travel with the answer."""

    def __init__(self, code: str, **details: Any) -> None:
        if code not in SENTENCES:
            raise KeyError(f"unknown refusal code {code!r}")
        self.code = code
        self.details = details
        super().__init__(code)

    @property
    def status(self) -> int:
        """HTTP status of this refusal."""
        return SENTENCES[self.code][0]

    @property
    def sentence(self) -> str:
        """The Chinese sentence shown to the person; a detail that is missing shows as nothing."""
        return SENTENCES[self.code][1].format_map(_Blank(self.details))

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""

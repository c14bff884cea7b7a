"""What each operation is called and what it does, in the words of who calls it: for the OpenAPI document and its page."""

from __future__ import annotations

# operation: (summary, description)
WORDS: dict[str, tuple[str, str]] = {
    "create_case": ("提交诉求件", "提交一件诉求，得到编号和诉求人的查询码，等待受理。"),
    "list_cases": ("列出诉求件", "看得到的诉求件，新的在前。用 next 翻页，直到它为空。"),
    "read_case": (
        "读诉求件",
        "状态、时限、承办任务、可以看的回复和附件。"
        "诉求人只显示遮掩后的信息；"
        "保密件对承办单位不显示诉求人和原话。",
    ),
    "uncover_applicant": ("查看诉求人", "完整的姓名和联系方式，只给正在办理、确需联系的；每看一次都写入审计记录。"),
    "supplement_case": ("补充情况", "诉求人补充的话和附件，加到这件诉求上；承办单位会收到通知。"),
    "withdraw_case": ("撤回", "按诉求人的意思撤回，写明原因；已并入别人诉求的不能撤回。"),
    "list_tasks": ("列出承办任务", "本单位的承办任务，新的在前；active=true 为还要办的。"),
    "get_task": ("看承办任务", "一项任务，连同它的回复、申请和联系记录。看不算查阅。"),
    "read_task": ("查阅", "查阅任务，退件时限从此开始。"),
    "reach_out": ("记联系", "登记一次联系诉求人，联系上没有都记。"),
    "take_first_measures": ("先行处置", "紧急件的先行处置，24 小时内。"),
    "draft_reply": ("拟写回复", "主办单位拟写回复，等待本单位领导签发。"),
    "sign_reply": ("签发回复", "本单位领导签发，送热线审核；账号须有承办领导角色。"),
    "decline_to_sign": ("不签发", "本单位领导把回复退给联络员，写明理由；账号须有承办领导角色。"),
    "report_result": ("报送结果", "协办或下级单位向主办、上级报送结果。"),
    "request_return": ("申请退件", "在退件时限内，写明依据和建议单位；同一单位同一诉求件一次。"),
    "request_extension": ("申请延期", "到期前提出；告知过诉求人的，诉求人的时限才跟着延。"),
    "request_pause": ("申请挂起", "附凭证，或写明依据。"),
    "resume_task": ("恢复办理", "挂起的任务重新走表，挂起的工作日顺延。"),
    "request_termination": ("申请终止办理", "不属办理范围或诉求人拒不配合的，写明依据；由热线审核。"),
    "request_set_aside": ("申请认定不合理诉求", "评价不满意而诉求不合理的；评价照常显示，只在考核中不计。"),
    "sub_dispatch": ("转办下级", "交给下级单位办理并报送；本单位的时限不变。"),
    "return_to_parent": ("退回上级", "下级单位把任务退给上级，本单位再转下去的一并收回。"),
    "send_report_back": ("退回报送", "主办或上级单位退回协办、下级的报送，写明理由。"),
    "excuse_report": ("免报说明", "主办或上级单位不再等某单位报送，写明理由。"),
    "list_changes": (
        "跟随变化",
        "看得到的诉求件的办理历程，按提交的先后，不漏、不重。"
        "不带 cursor 时不给条目，只给从现在开始的 cursor；"
        "more 为真就接着再取。",
    ),
    "upload_file": ("上传附件", "先传文件，再在之后的提交里用 uploads 写上它的 id；一天内没有用到会删除。类型按内容判断，最多 30 MB。"),
    "download_attachment": ("下载附件", "附件内容，规则与网页上相同；保密件每下载一次都写入审计记录。"),
    "list_events": ("事项代码", "推送可以选的事项：办理历程的每一步，和任务时限的黄灯、橙灯、红灯。"),
    "list_webhooks": ("列出推送", "本系统登记的接收地址和它们现在通不通。"),
    "create_webhook": (
        "登记推送",
        "登记一个接收地址。答复里的 secret 只给这一次，用它验签（Standard Webhooks）；"
        "每次推送只有编号、事项、版本、状态和时间，详情凭权限用接口读取。",
    ),
    "change_webhook": ("修改推送", "整个换成提交的内容；active 为 false 是停用，停用期间的变化不补发。"),
    "rotate_webhook_secret": ("更换推送密钥", "给出新密钥；到 old_secret_until 为止，每次推送带新旧两个签名。"),
    "test_webhook": ("测试推送", "排入一条不含内容的推送（event 为 test），结果在推送记录里。"),
    "list_deliveries": ("推送记录", "每条推送发了没有，没发的写明原因；新的在前。"),
    "resend_deliveries": ("重发推送", "把停止重试的再试一次，每条的 webhook-id 不变。"),
    "list_topics": ("主题", "诉求件可以选的三级主题，和各自另须填写的要素。"),
    "list_places": ("地点", "县区和乡镇街道。"),
    "list_units": ("承办单位", "可以承办的单位。"),
    "list_reasons": ("理由代码", "理由代码：return 退件、extension 延期、pause 挂起、termination 终止办理、reply_refusal 审核不通过等。"),
}

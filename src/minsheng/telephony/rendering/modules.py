"""modules.conf: each module by name, nothing by itself. What is not loaded cannot be misused: no System(), no AGI, no CDR."""

from __future__ import annotations

# In an order in which each finds what it needs. Both versions have them all.
_GROUPS = (
    "res_timing_timerfd res_sorcery_astdb res_sorcery_config res_sorcery_memory",
    "res_http_websocket res_crypto res_srtp res_rtp_asterisk",
    "res_pjproject res_pjsip res_pjsip_session res_pjsip_pubsub res_pjsip_sdp_rtp",
    "res_pjsip_authenticator_digest res_pjsip_outbound_authenticator_digest",
    "res_pjsip_endpoint_identifier_user res_pjsip_endpoint_identifier_ip",
    "res_pjsip_registrar res_pjsip_transport_websocket res_pjsip_nat res_pjsip_path res_pjsip_rfc3326",
    "res_pjsip_caller_id res_pjsip_dtmf_info res_pjsip_empty_info res_pjsip_dlg_options res_pjsip_acl",
    "chan_pjsip",
    "codec_alaw codec_ulaw codec_a_mu codec_resample format_pcm format_wav format_gsm",
    "bridge_simple bridge_native_rtp bridge_softmix bridge_holding bridge_builtin_features",
    "pbx_config res_musiconhold",
    "app_queue app_playback app_stack app_exec",
    "func_callerid func_channel func_strings func_logic func_groupcount",
)


def modules() -> str:
    """The file."""
    names = [name for group in _GROUPS for name in group.split()]
    return "\n".join(["[modules]", "autoload=no", *(f"load = {name}.so" for name in names), ""])

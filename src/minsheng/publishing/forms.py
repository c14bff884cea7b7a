"""The editor's version, and the reviewer's reason."""

from __future__ import annotations

from django import forms

from minsheng.publishing.models import TEXT_LENGTH, TITLE_LENGTH
from minsheng.ui.forms import Form, words


class VersionForm(Form):
    """What the public will read."""

    title = forms.CharField(label="标题", max_length=TITLE_LENGTH, help_text="说清是什么事，不写人名、门牌、店名。")
    text = forms.CharField(label="群众反映", max_length=TEXT_LENGTH, widget=words(8))
    reply = forms.CharField(label="答复", max_length=TEXT_LENGTH, widget=words(8))


class ReasonForm(Form):
    """Why it is sent back or taken down."""

    why = forms.CharField(label="理由", max_length=200, required=False)

"""What may be published at all, and by whom (domain.md §2.10, §8.1: only with consent, de-identified). Pure."""

from __future__ import annotations

import re

from minsheng.accounts.choices import Role
from minsheng.cases.search_rules import fold, pieces
from minsheng.publishing.choices import PublicationState

# Editing needs eyes that read the words whole: who sees them redacted cannot judge what was left in. Reviewing is a second
# person's, who answers for the hotline. Unsourced division.
EDITORS = frozenset({Role.QUALITY, Role.TEAM_LEADER})
REVIEWERS = frozenset({Role.TEAM_LEADER, Role.HOTLINE_LEADER})

# What an editor may write anew: sent back, or taken down (for a slip, or because its case was handled again) with consent standing.
WRITABLE = frozenset({PublicationState.DECLINED, PublicationState.WITHDRAWN})
MOST_PHRASES = 8
# Acts on the timeline, and with them on the screens that follow it.
ACTS = {
    "propose_publication": "公开件送复核",
    "publish": "复核通过，公开诉求件",
    "decline_publication": "退回公开件修改",
    "take_down": "撤下公开件",
    "give_consent": "诉求人同意公开",
    "withdraw_consent": "诉求人撤回公开同意",
}

# Violence, abuse, a life at stake: never, with whatever consent.
_NEVER = re.compile(
    "家暴|家庭暴力|殴打|毒打|打伤|砍伤|刺伤|杀人|虐待|猥亵|强奸|性侵|性骚扰|强暴|拐卖|绑架|囚禁|自杀|轻生|不想活|跳楼|割腕|同归于尽|遗书|艾滋|精神病"
)


def is_never_public(text: str) -> bool:
    """Whether the words speak of what is published in no case."""
    return bool(_NEVER.search(text))


def phrases(typed: str) -> list[str]:
    """What was typed into the public's search, each piece folded as the published words are: all of them must be said.

    One character is enough: what is public is little. A piece without a letter, digit or Chinese character says nothing.
    """
    folded = dict.fromkeys(map(fold, pieces(typed)))
    return [piece for piece in folded if any(character.isalnum() for character in piece)][:MOST_PHRASES]

"""Triggers that hold in the database what the code promises."""

from __future__ import annotations

from typing import Any

import pgtrigger

# to_jsonb compares all other columns, whatever the concrete table has.
_ONLY_THE_NOTE_EMPTIED = """
IF NEW.note = '' AND NEW.note_salt = ''
   AND (to_jsonb(NEW) - 'note' - 'note_salt') = (to_jsonb(OLD) - 'note' - 'note_salt')
THEN
    RETURN NEW;
END IF;
RAISE EXCEPTION 'chained entries are append-only: only a note may be erased (table %)', TG_TABLE_NAME;
"""


class OnlyErasure(pgtrigger.Trigger):
    """An update may do one thing: empty `note` and `note_salt` together (`domain.md` §8.1, right of erasure)."""

    when = pgtrigger.Before

    def get_func(self, model: Any) -> str:
        return _ONLY_THE_NOTE_EMPTIED

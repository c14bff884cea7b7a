"""Personal data: encrypted columns, search hashes, masks, commitments, and finding it in free text.

Rules: names, phones and identity numbers are stored encrypted, found by a keyed hash, shown masked (`domain.md` §8.1,
§8.2); free text is redacted before it leaves the people who need it (`domain.md` §2.10).
"""

from minsheng.secrecy.columns import EncryptedTextField, SearchHashField, Undecipherable
from minsheng.secrecy.hashes import (
    commitment,
    new_salt,
    normalise_id_number,
    normalise_name,
    normalise_phone,
    search_hash,
)
from minsheng.secrecy.keys import derive, secrets_of
from minsheng.secrecy.masks import mask_address, mask_id_number, mask_name, mask_phone
from minsheng.secrecy.personal import PersonalSpan, find_personal, redact
from minsheng.secrecy.tokens import watch_token

__all__ = [
    "EncryptedTextField",
    "PersonalSpan",
    "SearchHashField",
    "Undecipherable",
    "commitment",
    "derive",
    "find_personal",
    "mask_address",
    "mask_id_number",
    "mask_name",
    "mask_phone",
    "new_salt",
    "normalise_id_number",
    "normalise_name",
    "normalise_phone",
    "redact",
    "search_hash",
    "secrets_of",
    "watch_token",
]

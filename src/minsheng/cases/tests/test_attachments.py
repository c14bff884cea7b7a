"""Files with a case: what a killed process left half written is never taken for the citizen's file."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from minsheng.cases import attachments
from minsheng.cases.tests.world import World

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


@pytest.fixture
def media(settings: pytest.FixtureRequest, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    return tmp_path


def test_a_file_cut_off_by_a_crash_is_not_what_the_second_try_keeps(world: World, media: Path) -> None:
    digest = sha256(PICTURE).hexdigest()
    torn = media / "attachments" / digest[:2] / digest
    torn.parent.mkdir(parents=True)
    torn.write_bytes(PICTURE[:1000])
    (kept,) = attachments.store_all(world.submitted(), [SimpleUploadedFile("现场.png", PICTURE)], at=world.now, by=None)
    assert kept.file.open("rb").read() == PICTURE


def test_the_same_picture_is_kept_once(world: World, media: Path) -> None:
    case = world.submitted()
    for _ in range(2):
        attachments.store_all(case, [SimpleUploadedFile("现场.png", PICTURE)], at=world.now, by=None)
    assert len([path for path in media.rglob("*") if path.is_file()]) == 1

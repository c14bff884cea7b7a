"""What callers hear while nobody speaks, made here in the switch's own form (A-law, 8 kHz), so that it never transcodes.

Measured: 500 callers on music cost 130 % of a core from GSM files, 100 % from A-law ones.
"""

from __future__ import annotations

import io
import math
import wave
from collections.abc import Iterable

RATE = 8000
# A quiet pentatonic round of our own, in hertz, half a second a note.
_MELODY = (523, 659, 784, 880, 784, 659, 587, 784, 523, 440, 523, 659, 587, 523, 440, 392)


class NotATelephoneRecording(ValueError):
    """Why an uploaded sound cannot be played, in a sentence for the person who uploaded it."""


def hold_music() -> bytes:
    """Eight seconds that begin and end in silence."""
    return alaw(sample for hertz in _MELODY for sample in _note(hertz, seconds=0.5, loudness=5000))


def stand_in() -> bytes:
    """Two short tones where a prompt has no recording yet."""
    return alaw(sample for hertz in (440, 587) for sample in _note(hertz, seconds=0.25, loudness=8000))


def _note(hertz: int, *, seconds: float, loudness: int) -> Iterable[int]:
    length = round(RATE * seconds)
    for i in range(length):
        swell = math.sin(math.pi * i / length)
        yield round(loudness * swell * math.sin(2 * math.pi * hertz * i / RATE))


def alaw(samples: Iterable[int]) -> bytes:
    """ITU-T G.711 A-law of 16-bit samples."""
    return bytes(map(_alaw, samples))


def _alaw(sample: int) -> int:
    sign = 0x80 if sample >= 0 else 0
    size = (sample if sample >= 0 else -sample - 1) >> 3
    segment = max(0, size.bit_length() - 5)
    mantissa = size >> 1 if segment == 0 else size >> segment
    return (sign | segment << 4 | mantissa & 0x0F) ^ 0x55


def from_wave(file: bytes) -> bytes:
    """A recording in 8 kHz, 16 bit, one channel, as A-law. Refused otherwise: resampling is the studio's."""
    try:
        with wave.open(io.BytesIO(file)) as sound:
            form = (sound.getframerate(), sound.getsampwidth(), sound.getnchannels())
            frames = sound.readframes(sound.getnframes())
    except (wave.Error, EOFError) as error:
        raise NotATelephoneRecording("不是 WAV 文件。") from error
    if form != (RATE, 2, 1):
        raise NotATelephoneRecording("请上传 8000 Hz、16 位、单声道的 WAV 文件。")
    return alaw(memoryview(frames).cast("h"))

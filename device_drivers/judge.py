"""From a number that a device said to a sample with a quality.

    in range              good
    out of range          bad, ``implausible``, and the value is kept
    not a number for us   bad, ``malformed``, no value: another type, NaN, an infinity, or an
                          integer that no double and no database column can hold

The rules for the four figures of a blood pressure are here too, since every monitor shares them.
"""

from __future__ import annotations

import math

from device_drivers.channels import CHANNELS, Channel
from device_drivers.contract import Quality, Sample

EXACT = 2**53  # beyond it a double no longer tells neighbouring integers apart

MALFORMED = "malformed"
IMPLAUSIBLE = "implausible"
NO_VALUE = "weak_signal"  # the monitor finished well and still could not tell this figure


def measured(channel: Channel, value: object, part: str = "") -> Sample:
    """Judge what a device gave for a channel that is a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return malformed(channel, part)
    is_exact = -EXACT <= value <= EXACT  # False for NaN and the infinities
    if isinstance(value, int) or channel.whole:
        if not is_exact or value != int(value):
            return malformed(channel, part)
        value = int(value)
    elif not math.isfinite(value):
        return malformed(channel, part)
    if (channel.low is not None and value < channel.low) or (
        channel.high is not None and value > channel.high
    ):
        return Sample(channel.name, value, channel.unit, Quality.BAD, IMPLAUSIBLE, part)
    return Sample(channel.name, value, channel.unit, part=part)


def malformed(channel: Channel, part: str = "") -> Sample:
    """The device said something, and it was no value of this channel."""
    return Sample(channel.name, None, channel.unit, Quality.BAD, MALFORMED, part)


def flagged(channel: str, is_on: bool, part: str = "") -> Sample:
    """A plain yes or no."""
    return Sample(channel, int(is_on), CHANNELS[channel].unit, part=part)


def pressures(
    values: dict[str, int | None], error: str = "", disturbed: str = ""
) -> tuple[Sample, ...]:
    """The figures of one blood pressure measurement.

    Args:
        values: What the monitor gave for each channel; None where it left the field blank.
        error: The reason, if the monitor itself rejects the measurement: then nothing is good.
        disturbed: What it remarked beside a valid result; such a result is uncertain.
    """
    samples = tuple(_figure(name, value, error, disturbed) for name, value in values.items())
    systolic, diastolic = values.get("bp.systolic"), values.get("bp.diastolic")
    if error or systolic is None or diastolic is None or systolic > diastolic:
        return samples
    return tuple(_crossed(sample) for sample in samples)


def _figure(name: str, value: int | None, error: str, disturbed: str) -> Sample:
    channel = CHANNELS[name]
    if value is None or error:
        return Sample(name, value, channel.unit, Quality.BAD, error or NO_VALUE)
    sample = measured(channel, value)
    if disturbed and sample.quality is Quality.GOOD:
        return Sample(name, value, channel.unit, Quality.UNCERTAIN, disturbed)
    return sample


def _crossed(sample: Sample) -> Sample:
    """Systolic must exceed diastolic; if not, neither of them nor their mean means anything."""
    if sample.channel == "pulse.rate" or sample.quality is Quality.BAD:
        return sample
    return Sample(sample.channel, sample.value, sample.unit, Quality.BAD, IMPLAUSIBLE)

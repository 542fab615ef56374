"""What a file may say about who is told, over which channel, and when.

No address that opens a door stands here: what a channel needs to send (a password, the key of a
chat robot) is in a file of its own that only the hub may read.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from edge.settings import Duration, Identifier, Section
from hub.configuration.keeping import WebAddress
from hub.configuration.small_types import AccountName, Language, LeftOpen
from hub.configuration.timetable import HoursLine, Week

Urgency = Literal["low", "medium", "high", "urgent"]
PersonName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class ChannelSettings(Section):
    """A way to reach people."""

    id: Identifier
    """A short name, unique among channels."""
    kind: Literal["email", "wecom", "dingtalk", "feishu", "sms", "ntfy", "webhook", "other"]
    """What it is; it decides how an answer is read, and what is done when none comes."""
    url_file: str = Field(min_length=1)
    """A file with one line, the address in Apprise's form; docs/notify.md has each kind's. `{to}`
    in it becomes what the person has under `to`. Its path starts at the folder of this file."""


class PersonSettings(Section):
    """Somebody who can be told."""

    id: AccountName
    """The name of this person's account, or a name that no account has; it stands where an alert
    says who took it, and whoever is given an order under it is told."""
    name: PersonName
    """How pages call this person."""
    language: Language = "zh-CN"
    """What messages are written in."""
    channels: list[Identifier] = Field(min_length=1)
    """Ways to this person, the best first; the next one is taken where one fails."""
    to: dict[str, Address] = Field(default_factory=dict)
    """By channel id: a mail address or a number, for channels with `{to}`."""
    quiet: HoursLine | None = None
    """Hours in which only what is grave enough is told: `22:00-31:00` is until seven."""
    wakes: Urgency = "urgent"
    """From which urgency on quiet hours do not count; what is urgent always comes through."""


class ShiftSettings(Section):
    """Who is on duty at some hours."""

    when: Week
    """Days and hours, as under `timetable`."""
    people: list[AccountName] = Field(min_length=1)
    """Who is told first, then who is told when nobody answers, and so on."""


class EscalationSettings(Section):
    """What happens while nobody takes care of an alert."""

    after: Duration = timedelta(minutes=15)
    """After so long without an answer the next one on duty is told, and the manager last."""
    remind: Duration = timedelta(minutes=30)
    """After so long everybody told is reminded; each further reminder waits twice as long, at
    most a day."""
    least: Urgency = "medium"
    """What is less urgent is told once, without reminders and without the next one."""


class HeartbeatSettings(Section):
    """A sign of life to a watcher outside the house, who calls people when it stays away."""

    url_file: str = Field(min_length=1)
    """A file with one line: the address to fetch. Its path starts at the folder of this file."""
    every: Duration = timedelta(minutes=5)
    """How often, while event loop, store and broker are well; the watcher should wait twice as
    long before it calls."""


class DrillSettings(Section):
    """A marked fault that is none, sent all the way to people, so that they know it arrives."""

    every: Duration = timedelta(days=30)
    """How often."""
    when: Week | None = None
    """Only in these hours; without it from Monday to Friday, ten to eleven."""


class WebhookSettings(Section):
    """A program that is told of each change of an alert or a work order, signed."""

    id: Identifier
    """A short name, unique among webhooks and channels."""
    url: WebAddress
    """Where each event is posted as JSON."""
    secret_file: str = Field(min_length=1)
    """A file with the key of the signature. Its path starts at the folder of this file."""
    events: Annotated[list[Literal["alert", "order"]], LeftOpen] = Field(default_factory=list)
    """What it is told of; of both where this is left out."""


class NotifySection(Section):
    """Who is told of alerts, over which channel, and when. Without it nobody is."""

    public_url: WebAddress | None = None
    """How people reach this hub from their phones; without it messages have no links."""
    channels: Annotated[list[ChannelSettings], LeftOpen] = Field(default_factory=list)
    """Ways to reach people."""
    people: Annotated[list[PersonSettings], LeftOpen] = Field(default_factory=list)
    """Who can be told."""
    roster: Annotated[list[ShiftSettings], LeftOpen] = Field(default_factory=list)
    """Who is on duty when; the first line that covers the moment counts."""
    manager: AccountName | None = None
    """Who is told last, and first when nobody is on duty; required where there are people."""
    escalation: EscalationSettings = EscalationSettings()
    """What happens while nobody takes care of an alert."""
    heartbeat: HeartbeatSettings | None = None
    """A sign of life to the outside; none without it."""
    drill: DrillSettings | None = None
    """When the way to people is tried out; without it only by the button of the roster's page."""
    webhooks: Annotated[list[WebhookSettings], LeftOpen] = Field(default_factory=list)
    """Programs that are told."""

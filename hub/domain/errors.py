"""Errors a caller of the hub can cause; one handler turns each into problem+json."""

from __future__ import annotations

from hub.domain.room import Text


class NotFoundError(LookupError):
    """Something was asked for that this centre does not have."""

    code = "not_found"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class UnknownRoomError(NotFoundError):
    code = "unknown_room"


class UnknownDeviceError(NotFoundError):
    code = "unknown_device"


class UnknownChannelError(NotFoundError):
    """Also for personal channels: nobody learns from the answer that they exist."""

    code = "unknown_channel"


class UnknownAlertError(NotFoundError):
    code = "unknown_alert"


class UnknownFaultError(NotFoundError):
    code = "unknown_fault"


class UnknownOrderError(NotFoundError):
    code = "unknown_order"


class UnknownReportError(NotFoundError):
    code = "unknown_report"


class BadQueryError(ValueError):
    """A parameter that cannot be understood; the text says how it should look."""

    def __init__(self, parameter: str, code: str, **params: str) -> None:
        super().__init__(code)
        self.text = Text(f"query.{code}", {"parameter": parameter, **params})


class BadFormError(ValueError):
    """A form that cannot be used; ``status`` is the one of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class RefusedDecisionError(ValueError):
    """What somebody decided cannot be, or cannot be kept; nothing was changed.

    The text says why and what to do; ``status`` is the one of HTTP.
    """

    def __init__(self, text: Text, status: int = 422) -> None:
        super().__init__(text.code)
        self.text = text
        self.status = status

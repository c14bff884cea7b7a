"""Asterisk's Manager Interface (AMI): actions, their answers, and the stream of events. Plain text over TCP on loopback.

A value with a line break would be another header, so it is refused. Answers are matched by ActionID; what an action lists (EventList)
is gathered until it is complete, and never mixed with the stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import Any

Message = dict[str, str]
_END = b"\r\n\r\n"
_LONGEST = 1 << 20
ANSWER_SECONDS = 10.0


class AmiError(Exception):
    """The switch refused an action, or its answer never came."""


class AmiLost(AmiError):
    """The connection is gone; whoever follows it has a gap from here on."""


class Ami:
    """One connection, signed in. Events wait in memory until they are taken."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Message]] = {}
        self._lists: dict[str, tuple[list[Message], asyncio.Future[list[Message]]]] = {}
        self._events: list[Message] = []
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, *, port: int, user: str, secret: str, events: bool = True) -> Ami:
        """Open and sign in. OSError where nobody listens; AmiError where the switch refuses."""
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection("127.0.0.1", port, limit=_LONGEST), timeout=ANSWER_SECONDS
        )
        made = cls(reader, writer)
        try:
            await asyncio.wait_for(reader.readline(), timeout=ANSWER_SECONDS)  # its greeting
            made._reading = asyncio.create_task(made._read())
            await made.action("Login", Username=user, Secret=secret, Events="on" if events else "off")
        except BaseException:
            await made.close()
            raise
        return made

    async def close(self) -> None:
        """End the connection; who waits for an answer gets AmiLost."""
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def action(self, name: str, **values: Any) -> Message:
        """The answer to one action. AmiError where it is refused or late, AmiLost where the connection is gone."""
        identity = str(next(self._numbers))
        return await self._ask(identity, name, values)

    async def listing(self, name: str, **values: Any) -> list[Message]:
        """All events that an action lists. Errors as `action`."""
        identity = str(next(self._numbers))
        complete: asyncio.Future[list[Message]] = asyncio.get_running_loop().create_future()
        self._lists[identity] = ([], complete)
        try:
            await self._ask(identity, name, values)
            return await asyncio.wait_for(complete, timeout=ANSWER_SECONDS)
        except TimeoutError as error:
            raise AmiError(f"{name}: its list did not end") from error
        finally:
            self._lists.pop(identity, None)

    def taken(self) -> list[Message]:
        """The events that have come since the last time, in order; AmiLost once there are none and the connection is gone."""
        events, self._events = self._events, []
        if not events and self._reading is not None and self._reading.done():
            raise AmiLost("the connection to the switch ended")
        return events

    # --- the wire -----------------------------------------------------------------------------------------------------

    async def _ask(self, identity: str, name: str, values: dict[str, Any]) -> Message:
        if self._reading is not None and self._reading.done():
            raise AmiLost("the connection to the switch ended")
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[identity] = answer
        try:
            self._writer.write(compose({"Action": name, "ActionID": identity, **values}))
            await self._writer.drain()
            told = await asyncio.wait_for(answer, timeout=ANSWER_SECONDS)
        except TimeoutError as error:
            raise AmiError(f"{name}: no answer within {ANSWER_SECONDS:.0f} seconds") from error
        except OSError as error:
            raise AmiLost(str(error)) from error
        finally:
            self._waiting.pop(identity, None)
        if told.get("Response") == "Error":
            raise AmiError(f"{name}: {told.get('Message', '')}")
        return told

    async def _read(self) -> None:
        try:
            while True:
                self._sort(parse(await self._reader.readuntil(_END)))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass
        finally:
            waiting: list[asyncio.Future[Any]] = [*self._waiting.values(), *(complete for _, complete in self._lists.values())]
            for future in waiting:
                if not future.done():
                    future.set_exception(AmiLost("the connection to the switch ended"))

    def _sort(self, message: Message) -> None:
        """To whom it belongs: an answer, a list, or the stream."""
        identity = message.get("ActionID", "")
        if "Response" in message:
            answer = self._waiting.get(identity)
            if answer is not None and not answer.done():
                answer.set_result(message)
        elif identity in self._lists:
            items, complete = self._lists[identity]
            if message.get("EventList") == "Complete":
                if not complete.done():
                    complete.set_result(items)
            else:
                items.append(message)
        else:
            self._events.append(message)


def compose(values: dict[str, Any]) -> bytes:
    """One message; ValueError for a name or value that would be more than one line."""
    lines = []
    for name, value in values.items():
        line = f"{name}: {value}"
        if "\r" in line or "\n" in line or "\0" in line:
            raise ValueError(f"{name}: a value for the switch is one line")
        lines.append(line)
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def parse(raw: bytes) -> Message:
    """Headers of one message; of a repeated one the first stands."""
    message: Message = {}
    for line in raw.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            message.setdefault(name, value.lstrip())
    return message

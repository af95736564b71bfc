"""A client that costs little: what a benchmark measures is the server, on the same cores.

Keep-alive connections, requests as bytes, answers with a length. For our own server only.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"


@dataclass(slots=True)
class Connection:
    """One connection. One request at a time."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body. Raises OSError, ValueError or IncompleteReadError."""
        self.writer.write(request)
        head = await self.reader.readuntil(_END)
        at = head.lower().index(_LENGTH) + len(_LENGTH)
        length = int(head[at : head.index(b"\r\n", at)])
        return int(head[9:12]), await self.reader.readexactly(length)


class LeanClient:
    """Asks over as many connections as it takes; those that are free are used again."""

    def __init__(self, url: str, key: str = "") -> None:
        self.key = key
        self.host, _, port = url.removeprefix("http://").partition(":")
        self.port = int(port)
        self._free: list[Connection] = []

    async def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Status and body. Raises OSError, ValueError or EOFError when there is no answer."""
        request = self._request(method, path, body)
        while self._free:
            connection = self._free.pop()
            try:
                return await self._asked(connection, request)
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                if getattr(error, "partial", b""):
                    raise
                # The server closed it, for nobody had asked for a while: that is no answer.
        return await self._asked(await self._open(), request)

    async def _asked(self, connection: Connection, request: bytes) -> tuple[int, bytes]:
        answer = await connection.ask(request)
        self._free.append(connection)  # one that failed is not used again
        return answer

    def close(self) -> None:
        """Leave every connection."""
        for connection in self._free:
            connection.writer.close()

    async def _open(self) -> Connection:
        return Connection(*await asyncio.open_connection(self.host, self.port, limit=1 << 22))

    def _request(self, method: str, path: str, body: bytes | None) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        if self.key:
            lines.append(f"Authorization: Bearer {self.key}")
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join(lines).encode() + _END + (body or b"")

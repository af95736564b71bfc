"""Types of columns that both databases lack."""

from __future__ import annotations

from sqlalchemy import Dialect, LargeBinary, TypeDecorator


class AnyText(TypeDecorator[str]):
    """Text that strangers chose, kept as bytes: lone surrogates and NUL are allowed in it."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Text to bytes."""
        return None if value is None else value.encode("utf-8", "surrogatepass")

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Bytes to text."""
        return None if value is None else bytes(value).decode("utf-8", "surrogatepass")

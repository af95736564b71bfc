"""Pages out of templates, and the headers that each of them carries.

Whatever comes from people is text: autoescape is on for every template, and the policy lets no
script run that is not a file of ours.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from textwrap import dedent
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from daemon.api.callers import ANYBODY, CALLER, Scope
from daemon.api.context import CONTEXT
from daemon.api.problems import plain_text

FOLDER = Path(__file__).parent
NAV: web.AppKey[tuple[tuple[str, str], ...]] = web.AppKey("reelkiln_nav", tuple)
"""What the bar at the top leads to: label and path."""
_UNITS = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3))
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    # Browsers call the origin of a form "null" where no referrer is allowed at all.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def page(request: web.Request, template: str, *, status: int = 200, **values: Any) -> web.Response:
    """A page, or a piece of one."""
    return web.Response(
        body=drawn(request, template, **values).encode(),
        status=status,
        content_type="text/html",
        charset="utf-8",
        headers=HEADERS,
    )


def drawn(request: web.Request, template: str, **values: Any) -> str:
    """A template with its values in place; what is no text is replaced."""
    caller = request.get(CALLER)
    about = {
        "caller": caller,
        "csrf_token": caller.csrf_token if caller else "",
        "is_open": caller is ANYBODY,
        "is_admin": bool(caller and caller.may(Scope.ADMIN)),
        "nav": request.app[NAV],
        "path": request.path,
        "version": request.app[CONTEXT].version,
    }
    html: str = plain_text(templates().get_template(template).render(**about, **values))
    return html


def see(request: web.Request, path: str) -> web.Response:
    """Go on to another page: by a redirect, or as htmx does it."""
    if "HX-Request" in request.headers:
        return web.Response(headers={**HEADERS, "HX-Redirect": path})
    return web.Response(status=303, headers={**HEADERS, "Location": path})


@cache
def templates() -> Environment:
    """The templates. Undefined names are errors, not holes."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(clock=_clock, size=_size, short=_short, dedent=dedent)
    made.globals.update(file_url=file_url)
    return made


@cache
def file_bytes(name: str) -> bytes:
    """A script or a style of ours."""
    return (FOLDER / "static" / name).read_bytes()


def file_url(name: str) -> str:
    """Where a script or a style is; its address changes with its bytes."""
    return f"/ui/static/{name}?v={sha256(file_bytes(name)).hexdigest()[:12]}"


def _clock(moment: datetime | float | None) -> str:
    """`2026-11-21 14:03:09`, UTC; empty for None."""
    if moment is None:
        return ""
    known = moment if isinstance(moment, datetime) else datetime.fromtimestamp(moment, UTC)
    return known.strftime("%Y-%m-%d %H:%M:%S")


def _size(count: int) -> str:
    """Bytes for people: `930 B`, `1.2 MB`."""
    for unit, whole in _UNITS:
        if count >= whole:
            return f"{count / whole:.1f} {unit}"
    return f"{count} B"


def _short(digest: str) -> str:
    """The beginning of a digest or an id."""
    return f"{digest[:12]}…" if len(digest) > 13 else digest

"""One render in a process of its own: `python -m daemon.child.render_job`.

Reads one request from standard input and says on standard output, a JSON object a line, how
far it is and what became of it. Before it publishes it says what, and waits for the leave to do
so on standard input. The last line is the result; the exit status is that of the error tree. It
dies with the process that started it, and stops on SIGTERM.
"""

from __future__ import annotations

import ctypes
import errno
import math
import os
import resource
import signal
import sys
import traceback
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING, Any

from daemon.child.gate import load_through_gate
from daemon.child.job_request import Bounds, JobRequest, request_from_bytes
from daemon.child.telling import Lacks, Teller, ask_keys, ask_kit, ask_leave, ask_needs
from daemon.lasting import end_at_once, lasting
from daemon.niceness import come_last

if TYPE_CHECKING:  # slow to import; the child is tied to its parent before
    from daemon.promises.contract import Promised
    from renderer.bundle import Bundle
    from renderer.errors import ReelkilnError
    from renderer.pipeline import Renderer
    from renderer.spec.asset import AssetSpec
    from renderer.spec.loading import Loaded
    from renderer.spec.model import ModuleSpec

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_INTERRUPTED = 130
_NEEDED = (
    "daemon.child.needs", "daemon.child.module_job", "daemon.child.generating", "renderer.pipeline",
)  # fmt: skip


def main() -> int:
    """Render what standard input asks for. The exit status."""
    voice = os.dup(1)
    os.dup2(2, 1)  # whatever libraries print is no result
    signal.signal(signal.SIGTERM, _stop)
    end_at_once()
    try:
        request, parent = request_from_bytes(sys.stdin.buffer.readline())
        _tie_to(parent)
        come_last(parent)
        _import_all()
        teller = Teller(voice)
        teller.say("began")
        _bound(request.bounds)
        return _attempt(request, teller)
    except KeyboardInterrupt:  # before there was anything to stop
        return _INTERRUPTED


def _import_all() -> None:
    """What the functions below import. Where it fails, no job is to blame: nothing was said yet."""
    with lasting():
        for name in _NEEDED:
            import_module(name)


def _attempt(request: JobRequest, teller: Teller) -> int:
    """The render, told: what it gave, what it waits for, or what is wrong."""
    from daemon.child.needs import Blocked

    try:
        bundle, lacks = _bundle(request, teller)
    except Blocked as blocked:
        teller.say("blocked", waits_for=blocked.waits_for)
        return 0
    except KeyboardInterrupt:
        from renderer.errors import Interrupted

        return _failed(Interrupted("stopped on request"), {}, teller)
    except MemoryError:
        traceback.print_exc()
        return _failed(_out_of_memory(), {}, teller)
    except Exception as error:
        return _failed(*_explained(error), teller)
    teller.say(
        "result", bundle=str(bundle.path), bundle_digest=bundle.digest, reused=bundle.reused,
        partial=lacks,
    )  # fmt: skip
    return 0


def _bundle(request: JobRequest, teller: Teller) -> tuple[Bundle, Lacks]:
    """The bundle that was published, and what is missing in it."""
    from daemon.settings import template_folders
    from renderer.events import StageStarted
    from renderer.expanding import expanded
    from renderer.spec.asset import AssetSpec
    from renderer.spec.model import ModuleSpec

    teller.hear(StageStarted(stage="load"))
    loaded = load_through_gate(request, partial(ask_kit, teller, sys.stdin.buffer, request.limits))
    teller.say("loaded", id=loaded.id, kind=str(loaded.spec.kind))
    loaded = expanded(loaded, template_folders(request.providers))
    found = ask_needs(teller, sys.stdin.buffer, loaded)
    if isinstance(loaded.spec, ModuleSpec):
        teller.hear(StageStarted(stage="run"))
        return _run_module(request, loaded, loaded.spec, found, teller), None
    renderer = _renderer(request, loaded, found, teller)
    with renderer.store.workdir():  # what was acquired is not pruned before it is rendered
        if isinstance(loaded.spec, AssetSpec):
            return _draw(request, loaded, loaded.spec, renderer, teller)
        return _render(request, loaded, renderer, teller), None


def _run_module(
    request: JobRequest, loaded: Loaded, spec: ModuleSpec, found: Mapping[str, Promised],
    teller: Teller,
) -> Bundle:  # fmt: skip
    from daemon.child.module_job import ModuleJob
    from renderer.store import LocalStore

    return ModuleJob(
        loaded=loaded,
        spec=spec,
        request=request,
        found=found,
        store=LocalStore(request.store),
        alive=partial(teller.say, "alive"),
        before_publish=partial(ask_leave, teller, sys.stdin.buffer),
    ).run()


def _draw(
    request: JobRequest, loaded: Loaded, spec: AssetSpec, renderer: Renderer, teller: Teller
) -> tuple[Bundle, Lacks]:
    from renderer.picturing import draw, seal_album

    album = draw(loaded, spec, renderer)
    lacks = album.partial.as_json() if album.partial else None
    leave = partial(ask_leave, teller, sys.stdin.buffer, partial=lacks)
    return seal_album(album, renderer, request.outbox, before_publish=leave), lacks


def _render(request: JobRequest, loaded: Loaded, renderer: Renderer, teller: Teller) -> Bundle:
    from daemon.child.job_view import remember_view

    prepared = renderer.prepare(loaded)
    if request.job_id:
        remember_view(renderer.store, request.job_id, renderer.inspect(prepared))
    teller.say("prepared", length_s=math.ceil(prepared.seconds))
    return renderer.render(prepared, request.outbox)


def _renderer(
    request: JobRequest, loaded: Loaded, found: Mapping[str, Promised], teller: Teller
) -> Renderer:
    from daemon.child.generating import Generating
    from daemon.child.needs import suppliers
    from daemon.promises.kits import HOME
    from renderer.fonts import text_engine_fingerprint
    from renderer.http_policy import http_policy
    from renderer.pipeline import Renderer
    from renderer.sources import SourcePolicy
    from renderer.spec.generated import GENERATE
    from renderer.store import LocalStore
    from renderer.toolchain import find_toolchain

    base, *others = request.media
    policy = SourcePolicy(
        base=base,
        roots=tuple(others),
        max_source_bytes=request.limits.max_source_bytes,
        max_image_pixels=request.limits.max_image_pixels,
        http=http_policy(request.limits, request.networks),
        home=HOME,
        suppliers={
            **suppliers(found),
            GENERATE: Generating(
                settings=ask_keys(teller, sys.stdin.buffer, loaded, request.providers),
                listen=teller.hear,
                pause=teller.wait,
            ),
        },
    )
    return Renderer(
        store=LocalStore(request.store),
        toolchain=find_toolchain(os.environ, text_engine=text_engine_fingerprint()),
        policy=policy,
        jobs=request.jobs,
        listen=teller.hear,
        before_publish=partial(ask_leave, teller, sys.stdin.buffer),
    )


def _failed(error: ReelkilnError, more: Mapping[str, Any], teller: Teller) -> int:
    teller.say("result", error={**error.as_json(), **more})
    return error.exit_status


def _explained(error: Exception) -> tuple[ReelkilnError, Mapping[str, Any]]:
    """The error to tell. What nobody expected leaves its traceback among the last words."""
    from daemon.outcomes import UNUSABLE, FolderUnusable
    from renderer.disk import FULL
    from renderer.errors import (
        ReelkilnError,
        Rejected,
        RenderFailed,
        SourceUnavailable,
        StorageFull,
    )

    if isinstance(error, (Rejected, SourceUnavailable)):  # their errno is that of a source
        return error, {}
    number = _errno_behind(error)
    if number in UNUSABLE:
        words = error.message if isinstance(error, ReelkilnError) else str(error)
        hint = "check that the folder is mounted, writable and owned by the daemon's user"
        return FolderUnusable(words, hint=hint), {"errno": errno.errorcode[number]}
    if isinstance(error, ReelkilnError):
        return error, {}
    traceback.print_exc()
    if number in FULL:
        return StorageFull(f"no room left: {error}", hint="free some space"), {}
    if number in (errno.ENOMEM, errno.EAGAIN) or "start new thread" in str(error):
        return _out_of_memory(), {}
    words = f"this should not have happened: {type(error).__name__}: {error}"
    return RenderFailed(words, hint="please report it with the last lines of stderr"), {}


def _errno_behind(error: BaseException | None) -> int:
    """The error number of the system behind an error; 0 when there is none."""
    while error is not None:
        if isinstance(error, OSError) and error.errno:
            return error.errno
        error = error.__cause__
    return 0


def _out_of_memory() -> ReelkilnError:
    from daemon.outcomes import OutOfMemory

    return OutOfMemory(
        "the render needs more memory than it may have",
        hint="make the video smaller, or let jobs have more memory",
    )


def _stop(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what is being cleaned up is not disturbed
    raise KeyboardInterrupt


def _tie_to(parent: int) -> None:
    """Die with the thread that started us, also if it died before we could ask for that."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(_INTERRUPTED)


def _bound(bounds: Bounds) -> None:
    """Bounds of the system, for us and every FFmpeg below us."""
    wanted = {
        resource.RLIMIT_AS: bounds.memory_bytes,
        resource.RLIMIT_FSIZE: bounds.file_bytes,
        resource.RLIMIT_NOFILE: bounds.open_files,
    }
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for which, most in wanted.items():
        _, hard = resource.getrlimit(which)
        if most:
            least = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(which, (least, least))
    # A file over its bound ends the process: as an error it would look like a full disk.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main())

"""One render in a process of its own: `python -m daemon.render_job`.

Reads one request from standard input and says on standard output, a JSON object a line, how
far it is and what became of it. Before it publishes it says what, and waits for the leave to do
so on standard input. The last line is the result; the exit status is that of the error tree. It
dies with the process that started it, and stops on SIGTERM.
"""

from __future__ import annotations

import ctypes
import errno
import json
import math
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from importlib import import_module
from types import FrameType
from typing import IO, TYPE_CHECKING, Any

from daemon.job_request import (
    LEAVE,
    Bounds,
    JobRequest,
    request_from_bytes,
    supply_from_bytes,
)
from daemon.niceness import give_way

if TYPE_CHECKING:  # slow to import; the child is tied to its parent before
    from daemon.promises import Needs, Promised, Supply
    from renderer.branding import Supplied
    from renderer.bundle import Bundle
    from renderer.errors import ReelkilnError
    from renderer.events import Event
    from renderer.limits import Limits
    from renderer.pipeline import Renderer
    from renderer.spec.asset import AssetSpec
    from renderer.spec.loading import Loaded
    from renderer.spec.model import ModuleSpec

Lacks = Mapping[str, Any] | None
"""What is missing in a bundle that holds some of what was asked."""
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_TELL_EVERY_S = 0.2
_WAIT_S = 10.0
_INTERRUPTED = 130
_FAULTS_OF_THE_DROP = frozenset({
    errno.EACCES, errno.EPERM, errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EINVAL,
})  # fmt: skip


def main() -> int:
    """Render what standard input asks for. The exit status."""
    voice = os.dup(1)
    os.dup2(2, 1)  # whatever libraries print is no result
    signal.signal(signal.SIGTERM, _stop)
    try:
        request, parent = request_from_bytes(sys.stdin.buffer.readline())
        _tie_to(parent)
        give_way()
        _import_all()
        teller = Teller(voice)
        teller.say("began")
        _bound(request.bounds)
        return _attempt(request, teller)
    except KeyboardInterrupt:  # before there was anything to stop
        return _INTERRUPTED


def _import_all() -> None:
    """What the functions below import. Where it fails, no job is to blame: nothing was said yet."""
    for name in ("daemon.needs", "daemon.module_job", "daemon.generating", "renderer.pipeline"):
        import_module(name)


class Teller:
    """Says things on a pipe, one JSON object a line."""

    def __init__(self, pipe: int) -> None:
        from daemon.status import Meter

        self._pipe = open(pipe, "wb", buffering=0)  # noqa: SIM115 - as long as the process
        self._meter = Meter(clock=time.monotonic)
        self._stage = ""
        self._told_at = float("-inf")
        self._lock = threading.Lock()

    def say(self, event: str, **facts: Any) -> None:
        """One line."""
        line = json.dumps({"event": event, **facts}).encode("ascii") + b"\n"
        with self._lock:
            while line:
                line = line[self._pipe.write(line) or 0 :]

    def wait(self, seconds: float) -> None:
        """Wait, and now and then say that we do: whoever is silent for long is ended."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _WAIT_S))
            self.say("alive")

    def hear(self, event: Event) -> None:
        """As a listener of the renderer: warnings and stages at once, progress now and then."""
        from renderer.events import Warned

        if isinstance(event, Warned):
            self.say("warning", code=event.code, message=event.message)
            return
        self._meter.hear(event)
        progress, now = self._meter.progress, time.monotonic()
        if progress.stage != self._stage or now - self._told_at >= _TELL_EVERY_S:
            self._stage, self._told_at = progress.stage, now
            self.say("progress", progress=asdict(progress))


def _attempt(request: JobRequest, teller: Teller) -> int:
    """The render, told: what it gave, what it waits for, or what is wrong."""
    from daemon.needs import Blocked

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
    from daemon.module_job import ModuleJob
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
    from daemon.job_view import remember_view

    prepared = renderer.prepare(loaded)
    if request.job_id:
        remember_view(renderer.store, request.job_id, renderer.inspect(prepared))
    teller.say("prepared", length_s=math.ceil(prepared.seconds))
    return renderer.render(prepared, request.outbox)


def _renderer(
    request: JobRequest, loaded: Loaded, found: Mapping[str, Promised], teller: Teller
) -> Renderer:
    from daemon.generating import Generating
    from daemon.kits import HOME
    from daemon.needs import suppliers
    from renderer.fonts import text_engine_fingerprint
    from renderer.http import http_policy
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


def ask_keys(
    teller: Teller, answers: IO[bytes], loaded: Loaded, settings: Mapping[str, str]
) -> Mapping[str, str]:
    """The settings of providers; with keys, which are asked for, when the document needs one."""
    from daemon.generating import needs_provider
    from renderer.errors import Interrupted

    if not needs_provider(loaded.spec, settings):
        return settings
    teller.say("keys")
    line = answers.readline()
    if not line.strip():
        raise Interrupted("nobody can tell now how the provider is reached")
    return {**settings, **json.loads(line)}


def ask_needs(teller: Teller, answers: IO[bytes], loaded: Loaded) -> Mapping[str, Promised]:
    """Say which assets and jobs the document names; where they lie.

    Raises Blocked while one of them is promised only, PromiseFailed when it will not be there,
    Interrupted when nobody is left to answer.
    """
    from daemon.needs import checked, needs_of

    needs = needs_of(loaded)
    return checked(loaded, _ask(teller, answers, needs)) if needs else {}


def _ask(teller: Teller, answers: IO[bytes], needs: Needs) -> Supply:
    from renderer.errors import Interrupted

    teller.say("needs", needs=asdict(needs))
    line = answers.readline()
    if not line.strip():
        raise Interrupted("nobody can say now where the assets lie")
    return supply_from_bytes(line)


def ask_leave(
    teller: Teller, answers: IO[bytes], name: str, digest: str, *, partial: Lacks = None
) -> None:
    """Say which bundle is about to be published, return when that may be done.

    Raises Interrupted when the answer is anything else, or nobody is left to give one.
    """
    from renderer.errors import Interrupted

    teller.say("publishing", bundle=name, bundle_digest=digest, partial=partial)
    if answers.readline() != LEAVE:
        raise Interrupted(
            f"{name} was not published: the job was cancelled or is not ours any more"
        )


def ask_kit(teller: Teller, answers: IO[bytes], limits: Limits, reference: str) -> bytes | None:
    """The brand kit that an asset or a job's file is; None when it is not there.

    Raises SourceRefused; Interrupted when nobody is left to answer.
    """
    from daemon.kits import kit_in
    from daemon.promises import Needs

    supply = _ask(teller, answers, Needs(references=(reference,)))
    return kit_in(supply.found[reference], reference, limits)


def load_through_gate(request: JobRequest, supplied: Supplied | None = None) -> Loaded:
    """The spec, once the models and the published JSON Schema both take it.

    `supplied` gives out brand kits that are no files. Raises SpecInvalid, SourceRefused for a
    brand kit that is not there; OSError when the disk fails or the claim is no longer there.
    """
    from daemon.kits import HOME
    from renderer.branding import brand_applied, nobody
    from renderer.spec.loading import load

    base, *others = request.media
    prepare = brand_applied(
        base, tuple(others), request.limits, home=HOME, supplied=supplied or nobody
    )
    loaded = load(_read(request), name=request.name, limits=request.limits, prepare=prepare)
    check_schema(loaded)
    return loaded


def _read(request: JobRequest) -> bytes:
    """The bytes of the claimed file. That they may not be read is a fault of the drop."""
    from daemon.fs import RealFs
    from renderer.errors import Fault, SpecInvalid

    try:
        return RealFs().read(request.spec, request.limits.max_document_bytes + 1)
    except OSError as error:
        if error.errno not in _FAULTS_OF_THE_DROP:
            raise
        words = f"the file cannot be read ({error.strerror})"
        hint = "drop a plain file that the daemon's user may read"
        fault = Fault(code="spec-unreadable", message=words, hint=hint)
        raise SpecInvalid([fault], document=request.name) from error


def check_schema(loaded: Loaded) -> None:
    """Raises SpecInvalid for what the published schema refuses, whatever the models say."""
    from jsonschema import Draft202012Validator

    from renderer.errors import Fault, SpecInvalid
    from renderer.schemas import schema_file
    from renderer.spec.schema import filled_in
    from renderer.spec.variables import substitute

    schema = json.loads(schema_file("spec").read_text(encoding="utf-8"))
    value, _ = substitute(loaded.document.value, {}, loaded.limits)
    faults = [
        Fault(code="schema-refused", path=tuple(found.absolute_path), message=found.message[:300])
        for found in Draft202012Validator(filled_in(schema)).iter_errors(value)
    ]
    if faults:
        raise loaded.located(SpecInvalid(faults))


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

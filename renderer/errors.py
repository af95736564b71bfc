"""Everything that can go wrong, as one tree.

    ReelkilnError                     code              exit  http  retry
    ├── UsageError                    usage               2    400
    ├── Rejected                      (carries faults with positions)
    │   ├── SpecInvalid               spec-invalid        3    422
    │   ├── SourceRefused             source-refused      4    422
    │   ├── SourceChanged             source-changed      4    409
    │   └── Partial                   partial             5    502
    ├── SourceUnavailable             source-unavailable  4    502   yes
    ├── ProviderRefused               provider-refused    5    502
    │   ├── ContentPolicy             content-policy      5    422
    │   ├── NoImage                   no-image            5    502
    │   ├── ProviderAuth              provider-auth       5    502
    │   ├── ModelGone                 model-gone          5    502
    │   ├── BadProviderRequest        provider-request    5    502
    │   ├── RateLimited               rate-limited        5    503   yes
    │   ├── DailyQuota                daily-quota         5    503
    │   └── ProviderUnavailable       provider-unavailable 5   502   yes
    ├── RenderFailed                  render-failed       1    500
    │   ├── CommandFailed             command-failed      1    500
    │   ├── CommandTimedOut           command-timed-out   1    500   yes
    │   ├── JoinMismatch              join-mismatch       1    500
    │   ├── OutputRejected            output-rejected     1    500
    │   └── StorageFull               storage-full        1    507   yes
    ├── ToolchainUnfit                toolchain-unfit     1    500
    ├── StoreCorrupt                  store-corrupt       1    500   yes
    ├── VerifyMismatch                verify-mismatch     6    409
    └── Interrupted                   interrupted       130    499

A `Fault` is one thing wrong with a document, as a value: checks collect faults and
report them all at once; an exception is raised at the end, never at the first one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

Path = tuple[str | int, ...]
"""Where in a document: keys and list indexes from the root, `("clips", 1, "text")`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place in a text file. `line` and `column` count from 1, columns in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with a document: what, where, and what to do about it.

    `code` is stable and documented in docs/errors.md. `position` is filled in by the
    document that knows its own text; a fault without one concerns the whole file.
    """

    code: str
    message: str
    path: Path = ()
    hint: str = ""
    position: Position | None = None
    excerpt: str = ""
    at_key: bool = field(default=False, compare=False)

    @property
    def pointer(self) -> str:
        """The path as an RFC 6901 JSON pointer, `/clips/1/text`."""
        return "".join("/" + str(p).replace("~", "~0").replace("/", "~1") for p in self.path)

    @property
    def where(self) -> str:
        """The path as people write it, `clips[1].text`; empty for the whole document."""
        parts = [f"[{p}]" if isinstance(p, int) else f".{p}" for p in self.path]
        return "".join(parts).lstrip(".")

    def as_json(self) -> dict[str, object]:
        """The fault as the `errors[]` entry of problem+json and `.error.json` files."""
        return {
            "pointer": self.pointer,
            "line": self.position.line if self.position else None,
            "column": self.position.column if self.position else None,
            "code": self.code,
            "message": self.message,
            "hint": self.hint or None,
            "excerpt": self.excerpt or None,
        }


def sorted_faults(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Faults in reading order, each one once."""

    def order(fault: Fault) -> tuple[int, int, str, str]:
        position = fault.position or Position(line=0, column=0)
        return (position.line, position.column, fault.where, fault.message)

    return tuple(sorted(dict.fromkeys(faults), key=order))


class ReelkilnError(Exception):
    """The root: a message for people, a stable `code` for programs."""

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 1
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def as_json(self) -> dict[str, object]:
        """The error as data: `code`, `message`, `hint`, `errors[]`."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint or None,
            "retryable": self.retryable,
            "errors": [],
        }


class UsageError(ReelkilnError):
    """The command line or a call was wrong, before any document was read."""

    code = "usage"
    exit_status = 2
    http_status = 400


class Rejected(ReelkilnError):
    """A document was refused. `faults` says everything that is wrong with it."""

    code = "rejected"
    http_status = 422

    def __init__(self, faults: Iterable[Fault], *, document: str = "") -> None:
        self.faults = sorted_faults(faults)
        self.document = document
        count = len(self.faults)
        first = self.faults[0] if self.faults else Fault(code=self.code, message="refused")
        words = first.message if count == 1 else f"{count} faults, first: {first.message}"
        super().__init__(words, hint=first.hint)

    def with_faults(self, faults: Iterable[Fault], document: str) -> Rejected:
        """The same refusal, with positions filled in."""
        return type(self)(faults, document=document)

    def as_json(self) -> dict[str, object]:
        """The refusal as data, with every fault."""
        errors = [fault.as_json() for fault in self.faults]
        return {**super().as_json(), "document": self.document or None, "errors": errors}


class SpecInvalid(Rejected):
    """The document breaks the language, a limit, or its own references."""

    code = "spec-invalid"
    exit_status = 3


class SourceRefused(Rejected):
    """A source is missing, outside the allowed roots, too large, or not media."""

    code = "source-refused"
    exit_status = 4


class SourceChanged(Rejected):
    """A source is not what `--locked` says, or not what it was when the render began."""

    code = "source-changed"
    exit_status = 4
    http_status = 409


class Partial(Rejected):
    """Some of what was asked was made and is kept; each fault is one that was not."""

    code = "partial"
    exit_status = 5
    http_status = 502


class SourceUnavailable(ReelkilnError):
    """A remote source did not answer; trying again may help."""

    code = "source-unavailable"
    exit_status = 4
    http_status = 502
    retryable = True


class ProviderRefused(ReelkilnError):
    """A generator declined to make what was asked. `reason` is its own word for it."""

    code = "provider-refused"
    exit_status = 5
    http_status = 502

    def __init__(
        self, message: str, *, hint: str = "", reason: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        self.retry_after = retry_after
        """Seconds that the provider asked to wait, where it did."""

    def as_json(self) -> dict[str, object]:
        """The refusal as data, with the provider's own word and the wait it asked for."""
        told = {"reason": self.reason or None, "retry_after": self.retry_after}
        return {**super().as_json(), **told}


class ContentPolicy(ProviderRefused):
    """The provider's rules forbid the prompt or the picture; asking again does not help."""

    code = "content-policy"
    http_status = 422


class NoImage(ProviderRefused):
    """The provider answered without a picture that can be used."""

    code = "no-image"


class ProviderAuth(ProviderRefused):
    """The key is missing, wrong, or may not use the model."""

    code = "provider-auth"


class ModelGone(ProviderRefused):
    """The provider has no such model, or no longer."""

    code = "model-gone"


class BadProviderRequest(ProviderRefused):
    """The provider does not take the request as it is."""

    code = "provider-request"


class RateLimited(ProviderRefused):
    """Too many requests for now."""

    code = "rate-limited"
    http_status = 503
    retryable = True


class DailyQuota(ProviderRefused):
    """The quota of the day is used up; waiting a moment does not help."""

    code = "daily-quota"
    http_status = 503


class ProviderUnavailable(ProviderRefused):
    """The provider did not answer, or with an error of its own."""

    code = "provider-unavailable"
    retryable = True


class RenderFailed(ReelkilnError):
    """The render was attempted and did not succeed."""

    code = "render-failed"


class CommandFailed(RenderFailed):
    """A child process ended badly. `status` is its exit code, `tail` its last words."""

    code = "command-failed"

    def __init__(self, message: str, *, status: int = 1, tail: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.tail = tail

    def as_json(self) -> dict[str, object]:
        """The failure as data, with the child's status and last words."""
        return {**super().as_json(), "status": self.status, "tail": self.tail}


class CommandTimedOut(RenderFailed):
    """A child process passed its deadline or stopped making progress."""

    code = "command-timed-out"
    retryable = True


class JoinMismatch(RenderFailed):
    """Segments of one output disagree on their parameter sets: a fault of the plan."""

    code = "join-mismatch"


class OutputRejected(RenderFailed):
    """A made file failed its checks. Finished ones lie in quarantine, in `folder`."""

    code = "output-rejected"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        folder: str = "",
        findings: Iterable[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.folder = folder
        self.findings = tuple(findings)

    def as_json(self) -> dict[str, object]:
        """The refusal as data: the folder of the quarantine, and what was found."""
        findings = [dict(finding) for finding in self.findings]
        return {**super().as_json(), "folder": self.folder or None, "findings": findings}


class StorageFull(RenderFailed):
    """The disk is full; nothing was published."""

    code = "storage-full"
    http_status = 507
    retryable = True


class ToolchainUnfit(ReelkilnError):
    """FFmpeg or the text engine is missing or lacks something the render needs."""

    code = "toolchain-unfit"


class StoreCorrupt(ReelkilnError):
    """A stored object no longer has the digest of its name; it was set aside."""

    code = "store-corrupt"
    retryable = True


_UNSEALED = "do not use it; fetch it anew from where it was published, or render the spec again"


class VerifyMismatch(ReelkilnError):
    """A bundle is not what its manifest says. `mismatches` names every difference."""

    code = "verify-mismatch"
    exit_status = 6
    http_status = 409

    def __init__(self, mismatches: Iterable[str]) -> None:
        self.mismatches = tuple(mismatches)
        super().__init__("; ".join(self.mismatches), hint=_UNSEALED)

    def as_json(self) -> dict[str, object]:
        """The mismatch as data, with every difference."""
        return {**super().as_json(), "mismatches": list(self.mismatches)}


class Interrupted(ReelkilnError):
    """Someone asked us to stop (Ctrl-C, SIGTERM); finished steps are kept."""

    code = "interrupted"
    exit_status = 130
    http_status = 499


def located(fault: Fault, position: Position | None, excerpt: str) -> Fault:
    """The fault with its place in the text."""
    return replace(fault, position=position, excerpt=excerpt)

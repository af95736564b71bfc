"""A `module` document run in the child: its manifest, its command, its bundle."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.assets.input_manifest import InputManifest
from daemon.child.job_request import JobRequest, Module
from daemon.child.module_run import run_module
from daemon.promises.contract import Promised
from renderer.bundle import Bundle, BundleContents, seal
from renderer.bundle.publish import BeforePublish
from renderer.errors import Fault, OutputRejected, SpecInvalid
from renderer.inputs import LOCK_VERSION
from renderer.spec.loading import Loaded
from renderer.spec.model import ModuleSpec
from renderer.spec.module import ModuleInput, ModuleOutput, ValueInput
from renderer.spec.origins import source_key
from renderer.spec.suggest import did_you_mean
from renderer.steps import Output
from renderer.store import Store

_BYTES = "application/octet-stream"
_TYPES = {".json": "application/json", ".txt": "text/plain"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleJob:
    """One attempt at a module document. `found` is where the assets and jobs it names lie."""

    loaded: Loaded
    spec: ModuleSpec
    request: JobRequest
    found: Mapping[str, Promised]
    store: Store
    alive: Callable[[], None]
    before_publish: BeforePublish

    def run(self) -> Bundle:
        """Run the command, publish what it made. Raises SpecInvalid, CommandFailed and its kin,
        OutputRejected when an output is missing."""
        module = self._registered()
        with self.store.workdir() as folder:
            outputs = folder / "outputs"
            outputs.mkdir()
            with self._manifest(folder) as manifest:
                sources = self._sources(json.loads(manifest.path.read_text(encoding="utf-8")))
                run_module(
                    module, (str(manifest.path), str(outputs)),
                    name=self.spec.module, cwd=folder, alive=self.alive,
                )  # fmt: skip
            made = {one.label: self._made(outputs, one) for one in self.spec.outputs.values()}
            return self._seal(made, sources)

    def _registered(self) -> Module:
        module = self.request.modules.get(self.spec.module)
        if module is not None:
            return module
        words = f"no module is called {self.spec.module}"
        hint = did_you_mean(self.spec.module, self.request.modules) or (
            "the operator registers modules in reelkiln.toml"
        )
        fault = Fault(code="module-unknown", path=("module",), message=words, hint=hint)
        raise self.loaded.located(SpecInvalid([fault]))

    def _manifest(self, folder: Path) -> InputManifest:
        """What the command reads: files where they lie, values in files of their own."""
        files: dict[str, Path] = {}
        values: dict[str, Any] = {}
        for name, given in self.spec.inputs.items():
            if isinstance(given, ValueInput):
                values[name] = given.value
                continue
            known = self.found[source_key(given)]
            if known.path is None:
                values[name] = known.value
            else:
                files[name] = known.path
        return InputManifest(folder, files=files, values=values, params=self.spec.params)

    def _sources(self, told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The pins of the inputs, whose paths stand in the manifest."""
        return [
            self._pin(name, given, Path(told[name]))
            for name, given in sorted(self.spec.inputs.items())
        ]

    def _pin(self, name: str, given: ModuleInput, path: Path) -> Mapping[str, Any]:
        is_value = isinstance(given, ValueInput)
        output = self.store.put_file(path) if is_value else self.store.borrow(path)
        return {
            "source": f"value:{name}" if isinstance(given, ValueInput) else source_key(given),
            "sha256": output.sha256,
            "size_bytes": output.size_bytes,
            "media": {"media_type": _TYPES.get(path.suffix, _BYTES) if is_value else _BYTES},
            "provenance": {"input": name},
        }

    def _made(self, folder: Path, wanted: ModuleOutput) -> Output:
        path = folder / wanted.label
        try:
            found = path.lstat()
        except OSError as error:
            raise self._refused(f"did not write {wanted.label}") from error
        if not stat.S_ISREG(found.st_mode):
            raise self._refused(f"made {wanted.label}, which is no plain file")
        os.chmod(path, 0o644)
        return self.store.put_file(path)

    def _refused(self, what: str) -> OutputRejected:
        return OutputRejected(
            f"the module {self.spec.module} {what}",
            hint="it must write each output into the folder that is its second argument",
        )

    def _seal(self, made: Mapping[str, Output], sources: list[Mapping[str, Any]]) -> Bundle:
        """What a command makes may differ each time, so its files are pinned as inputs are."""
        pins = [
            {
                "source": f"module:{self.spec.module}#{label}",
                "sha256": output.sha256,
                "size_bytes": output.size_bytes,
                "media": {"media_type": self._media_type(label)},
                "provenance": {"output": label},
            }
            for label, output in sorted(made.items())
        ]
        contents = BundleContents(
            id=self.loaded.id,
            spec=self.loaded.canonical(),
            lock={"reelkiln_lock": LOCK_VERSION, "sources": [*sources, *pins]},
            toolchain={"module": self.spec.module},
            files=made,
            media={},
        )
        return seal(contents, self.store, self.request.outbox, before_publish=self.before_publish)

    def _media_type(self, label: str) -> str:
        return next(o.media_type for o in self.spec.outputs.values() if o.label == label)

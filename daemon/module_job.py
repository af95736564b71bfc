"""A `module` document run in the child: its manifest, its command, its bundle."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.job_request import JobRequest, Module
from daemon.module_run import run_module
from daemon.promises import Promised
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

MANIFEST = "input_data.json"
PARAMS = "config_params"
"""The key of the manifest that holds `params`, beside the keys of the inputs."""

_JSON, _TEXT, _BYTES = "application/json", "text/plain", "application/octet-stream"


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
            inputs, outputs = folder / "inputs", folder / "outputs"
            inputs.mkdir()
            outputs.mkdir()
            paths = {name: self._path(name, one, inputs) for name, one in self._inputs()}
            manifest = folder / MANIFEST
            manifest.write_text(
                json.dumps({**{name: str(path) for name, path in paths.items()},
                            PARAMS: self.spec.params}, indent=1, sort_keys=True)
            )  # fmt: skip
            sources = [self._pin(name, one, paths[name]) for name, one in self._inputs()]
            run_module(
                module, (str(manifest), str(outputs)),
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

    def _inputs(self) -> Iterator[tuple[str, ModuleInput]]:
        return iter(sorted(self.spec.inputs.items()))

    def _path(self, name: str, given: ModuleInput, folder: Path) -> Path:
        """Where an input lies; a value is written there first."""
        if not isinstance(given, ValueInput):
            known = self.found[source_key(given)]
            if known.path is not None:
                return known.path
            return _written(folder, name, known.value)
        return _written(folder, name, given.value)

    def _pin(self, name: str, given: ModuleInput, path: Path) -> Mapping[str, Any]:
        output = self.store.borrow(path)
        is_value = isinstance(given, ValueInput)
        kind = {".json": _JSON, ".txt": _TEXT}.get(path.suffix, _BYTES)
        return {
            "source": f"value:{name}" if isinstance(given, ValueInput) else source_key(given),
            "sha256": output.sha256,
            "size_bytes": output.size_bytes,
            "media": {"media_type": kind if is_value else _BYTES},
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


def _written(folder: Path, name: str, value: Any) -> Path:
    """Text as it is in a .txt file, any other value in a .json file."""
    if isinstance(value, str):
        path = folder / f"{name}.txt"
        path.write_text(value, encoding="utf-8")
        return path
    path = folder / f"{name}.json"
    path.write_text(json.dumps(value, sort_keys=True), encoding="utf-8")
    return path

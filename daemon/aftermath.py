"""What follows the jobs of one root: index, metrics, webhooks, catalog and promises, put together.

The jobs need none of it to come to their end; it hears of them and makes up for what it missed.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

from sqlalchemy.exc import SQLAlchemyError

from daemon.assets.service import AssetService
from daemon.assets.settling import Settling
from daemon.catalog import open_catalog
from daemon.fs import Fs
from daemon.index import IndexUnavailable, open_index
from daemon.indexing import Indexing
from daemon.ledger import Ledger, Papers
from daemon.logs import logger
from daemon.metrics import Metrics
from daemon.news import Listener, News, ends
from daemon.places import Places
from daemon.promises.keeping import PromiseKeeper, PromiseKeeping
from daemon.promises.of_assets import AssetPromises
from daemon.promises.references import References
from daemon.publishing import BundlePublisher, publish_prefix
from daemon.reading import Reading
from daemon.records import ids_in
from daemon.serve_settings import ServeSettings
from daemon.settings import template_folders
from daemon.signing_keys import signing_keys
from daemon.storage.opening import open_storage
from daemon.webhooks.service import sender_for
from renderer.assets import Asset

_log = logger("aftermath")


class Aftermath:
    """The parts that follow, each on a thread of its own. `settled` hears of assets that change."""

    def __init__(
        self, settings: ServeSettings, *, fs: Fs, places: Places, papers: Papers,
        clock: Callable[[], float], new_id: Callable[[], str], settled: Callable[[], None],
    ) -> None:  # fmt: skip
        environment, ledger = settings.environment, Ledger(papers=papers)
        self._fs, self._places, self._settled = fs, places, settled
        self.index = open_index(places.root, environment)
        self.indexing = Indexing(index=self.index, ledger=ledger, ids=self._recorded)
        self.metrics = Metrics(version("reelkiln"))
        self.sender = sender_for(
            fs, places, environment, settings.networks, settings.limits, clock
        )  # fmt: skip
        storage = open_storage(
            environment, places.own("assets"), clock=clock,
            keys=lambda: signing_keys(places.root, environment),
        )  # fmt: skip
        self.publisher = BundlePublisher(
            storage, fs=fs, places=places, prefix=publish_prefix(environment)
        )
        self.assets = AssetService(
            open_catalog(places.root, environment), storage, places=places, clock=clock,
            new_id=new_id, limits=settings.limits, changed=self._asset_changed,
        )  # fmt: skip
        promises = AssetPromises(assets=self.assets, part=papers.part)
        self.reading = Reading(
            media=settings.media or (places.root / "media", places.inbox),
            limits=settings.limits, templates=template_folders(environment),
            references=References(fs=fs, places=places, promises=promises),
        )  # fmt: skip
        self.settling = Settling(
            self.assets, fs=fs, places=places, clock=clock, new_id=new_id, reading=self.reading
        )
        keeper = PromiseKeeper(fs=fs, places=places, promises=promises)
        self.promises = PromiseKeeping(keeper)
        self.news = News(ledger=ledger, listeners=(
            Listener("index", lambda job: self.indexing.changed(job.job_id)),
            Listener("metrics", self.metrics.saw),
            Listener("webhooks", ends(self.sender.hint)),
            Listener("catalog", ends(self.settling.hint)),
            Listener("promises", ends(self.promises.hint)),
            Listener("publishing", ends(self.publisher.hint)),
        ))  # fmt: skip

    def start(self) -> None:
        """Begin to follow."""
        self.index.upgrade_when_there()
        for part in (self.indexing, self.sender, self.settling, self.promises, self.publisher):
            part.start()

    def stop(self) -> None:
        """Follow to the end what was heard of, and close what was opened."""
        for part in (self.promises, self.publisher, self.sender, self.settling, self.indexing):
            part.stop()
        self.index.close()
        self.assets.catalog.close()

    def forget(self, job_ids: tuple[str, ...]) -> None:
        """Jobs of which no record is left."""
        try:
            self.index.remove(job_ids)
        except (IndexUnavailable, SQLAlchemyError) as error:
            _log.warning("the index is ahead", error=str(error), hint="run reelkiln reindex")

    def _asset_changed(self, asset: Asset) -> None:
        self._settled()

    def _recorded(self) -> list[str]:
        return ids_in(self._fs, self._places.own("jobs"))

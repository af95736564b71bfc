"""What every catalog does, whatever database it lies in. Subclasses bring the `catalog`."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert

from daemon.catalog import AssetFilters, Catalog
from daemon.catalog.assets import asset_of
from daemon.catalog.derivations import Edge, jobs_query, lineage_query
from daemon.catalog.filters import count_query, page_query
from daemon.catalog.nodes import Node, asset_node, job_node, node_of, reference_node
from daemon.catalog.refusals import AssetUnknown, WorldUnfit, WorldUnknown
from daemon.catalog.requests import Request, equal_query
from daemon.catalog.worlds import Registered, World
from daemon.kept import KEPT
from daemon.kept.catalog_tables import asset_tags, assets, derivations
from renderer.assets import Asset, AssetKind, AssetState, IllegalAssetMove, Visibility
from renderer.errors import UsageError
from renderer.provenance import Provenance, Reference, ReferenceKind, References, input_hash

NOW = 1_700_000_000.25
CLAIM = Reference(ReferenceKind.CLAIM, "c1")
WHOLE = Asset(
    asset_id="A" * 26,
    kind=AssetKind.FILE,
    state=AssetState.AVAILABLE,
    label="nul \0, \udcff and 🎞",
    asset_type="video",
    media_type="video/mp4",
    size_bytes=5_000_000_000,
    sha256="ab" * 32,
    key="uploads/2026-01-31/x",
    duration_ms=90_000,
    metadata={"a": [1, None], "\ud800": "é"},
    tags=("b", "a\0", "\udcff"),
    visibility=Visibility.PUBLIC,
    owner="ada\udcff",
    world="north",
    created_by_job="J" * 26,
    status_reason="late",
    created_at=NOW,
    updated_at=NOW + 1,
)


def asset(number: int, **changes: Any) -> Asset:
    plain = Asset(
        asset_id=f"{number:026d}", kind=AssetKind.FILE, owner="ada",
        created_at=float(1000 + number // 2),  # two assets share each moment
    )  # fmt: skip
    return replace(plain, **changes)


def request(job: str = "J" * 26, **changes: Any) -> Request:
    found = Provenance(
        world="north", references=References(claims=("c1", "c2"), sources=("s",)),
        lore_snapshot={"revision": 1},
    )  # fmt: skip
    found = replace(found, **changes)
    return Request(
        job_id=job, owner="ada", provenance=found, input_hash=input_hash({}, found), created_at=NOW
    )


def numbers(found: tuple[Asset, ...]) -> list[int]:
    return [int(one.asset_id) for one in found]


class CatalogContract:
    @pytest.fixture
    def catalog(self) -> Iterator[Catalog]:
        raise NotImplementedError

    def test_an_asset_comes_back_as_it_was(self, catalog: Catalog) -> None:
        assert catalog.assets.add(WHOLE) == WHOLE
        assert catalog.assets.get(WHOLE.asset_id) == WHOLE
        assert catalog.assets.find([WHOLE.asset_id, "0" * 26]) == {WHOLE.asset_id: WHOLE}
        for value in (None, 0, "", {"a": [1.5, "é"]}, False):
            valued = asset(1, kind=AssetKind.VALUE, state=AssetState.AVAILABLE, value=value)
            catalog.assets.forget(valued.asset_id)
            assert catalog.assets.add(valued) == valued
            assert catalog.assets.get(valued.asset_id) == valued
        with pytest.raises(AssetUnknown):
            catalog.assets.get("0" * 26)

    def test_an_asset_is_added_once(self, catalog: Catalog) -> None:
        catalog.assets.add(asset(1, tags=("x",)))
        assert catalog.assets.add(asset(1, label="other", tags=("y",))).label == ""
        assert catalog.assets.count(AssetFilters(tag="y")) == 0

    def test_of_many_who_move_an_asset_one_does(self, catalog: Catalog) -> None:
        catalog.assets.add(asset(1))

        def move(number: int) -> object:
            to = AssetState.AVAILABLE if number % 2 else AssetState.FAILED
            try:
                return catalog.assets.move(asset(1).asset_id, to, now=NOW, label=str(number))
            except IllegalAssetMove as refused:
                return refused

        with ThreadPoolExecutor(6) as pool:
            ended = list(pool.map(move, range(12)))
        moved = [one for one in ended if isinstance(one, Asset)]
        assert len(moved) == 1
        assert catalog.assets.get(asset(1).asset_id) == moved[0]

    def test_pages_hold_every_asset_once_newest_first(self, catalog: Catalog) -> None:
        for number in range(11):
            catalog.assets.add(asset(number, tags=("t",)))
        for filters in (AssetFilters(), AssetFilters(owner="ada"), AssetFilters(tag="t")):
            for limit in (1, 4, 10, 11, 12):
                seen, cursor = [], ""
                while True:
                    page = catalog.assets.page(filters, cursor=cursor, limit=limit)
                    seen += numbers(page.assets)
                    cursor = page.cursor
                    if not cursor:
                        break
                assert seen == list(range(10, -1, -1))
            assert catalog.assets.count(filters) == 11

    @pytest.mark.parametrize(
        "wanted",
        [
            {"world": "north"},
            {"asset_type": "video"},
            {"state": AssetState.FAILED},
            {"owner": "bo"},
            {"tags": ("red", "x")},
            {"created_by_job": "J" * 26},
        ],
    )
    def test_each_filter_gives_its_assets_alone(
        self, catalog: Catalog, wanted: dict[str, Any]
    ) -> None:
        for number in range(9):
            catalog.assets.add(asset(number, **(wanted if number % 3 == 0 else {})))
        asked = {"tag": "red"} if "tags" in wanted else wanted
        for more in ({}, {"owner": wanted.get("owner", "ada")}):
            filters = AssetFilters(**{**asked, **more})
            found = catalog.assets.page(filters, limit=2)
            rest = catalog.assets.page(filters, cursor=found.cursor, limit=2)
            assert numbers(found.assets + rest.assets) == [6, 3, 0]
            assert rest.cursor == ""
            assert catalog.assets.count(filters) == 3
        assert catalog.assets.count(AssetFilters(**{**asked, "owner": "cy"})) == 0

    def test_filters_are_joined_and_times_include_their_first_moment(
        self, catalog: Catalog
    ) -> None:
        for number in range(10):
            tags = ("odd",) if number % 2 else ()
            catalog.assets.add(asset(number, tags=tags, world="north" if number > 3 else "south"))
        span = AssetFilters(created_from=1001.0, created_before=1003.0)
        assert numbers(catalog.assets.page(span).assets) == [5, 4, 3, 2]
        assert numbers(catalog.assets.page(replace(span, tag="odd")).assets) == [5, 3]
        odd_north = replace(span, tag="odd", world="north")
        assert numbers(catalog.assets.page(odd_north).assets) == [5]

    def test_deleted_assets_are_shown_to_whoever_asks_for_them(self, catalog: Catalog) -> None:
        catalog.assets.add(asset(1, state=AssetState.AVAILABLE, key="k"))
        catalog.assets.move(asset(1).asset_id, AssetState.DELETED, now=NOW)
        assert catalog.assets.count() == 0
        assert catalog.assets.count(AssetFilters(state=AssetState.DELETED)) == 1
        assert [one.key for one in catalog.assets.to_clear()] == ["k"]

    @pytest.mark.parametrize("cursor", ["x", "é", "bm8", "WzEsMl0", "W10", "!!!!", "W1sxXSwyXQ"])
    def test_a_foreign_cursor_is_refused(self, catalog: Catalog, cursor: str) -> None:
        with pytest.raises(UsageError, match="is not a cursor"):
            catalog.assets.page(cursor=cursor)
        with pytest.raises(UsageError, match="is not a cursor"):
            catalog.derivations.jobs_on(job_node("J"), cursor=cursor)

    def test_worlds_of_two_owners_are_two_worlds(self, catalog: Catalog) -> None:
        for owner in ("ada", "bo"):
            catalog.worlds.put(World(owner=owner, world="north", title=owner, created_at=NOW))
        catalog.worlds.put(World(owner="ada", world="east", created_at=NOW))
        catalog.worlds.put(World(owner="ada", world="north", title="new", created_at=NOW + 9))
        assert [(one.world, one.title) for one in catalog.worlds.all_of("ada")] == [
            ("east", ""),
            ("north", "new"),
        ]
        assert catalog.worlds.get("ada", "north").created_at == NOW
        things = [Registered(reference=CLAIM, title="one")]
        things += [Registered(reference=Reference(ReferenceKind.SOURCE, f"s{n}")) for n in range(5)]
        assert catalog.worlds.register("ada", "north", things, now=NOW) == 6
        assert catalog.worlds.register("ada", "north", things, now=NOW) == 6
        counts = catalog.worlds.counts("ada", "north")
        assert [counts[kind] for kind in ReferenceKind] == [1, 0, 0, 5]
        assert sum(catalog.worlds.counts("bo", "north").values()) == 0
        page = catalog.worlds.things("ada", "north", ReferenceKind.SOURCE, after="s1", limit=2)
        assert [one.reference.reference_id for one in page] == ["s2", "s3"]
        lying = catalog.worlds.lying_in("ada", [CLAIM, Reference(ReferenceKind.ENTITY, "c1")])
        assert list(lying.values()) == [{"north"}, set()]
        assert catalog.worlds.lying_in("bo", [CLAIM]) == {CLAIM: set()}

    def test_what_cannot_be_registered_is_refused(self, catalog: Catalog) -> None:
        with pytest.raises(WorldUnknown):
            catalog.worlds.register("ada", "north", [], now=NOW)
        for name in ("", "a b", "é", "x" * 65, "a/b"):
            with pytest.raises(WorldUnfit):
                catalog.worlds.put(World(owner="ada", world=name))
        catalog.worlds.put(World(owner="ada", world="north"))
        for reference_id in ("", "x" * 201, "a\nb", "\0"):
            wrong = Registered(reference=Reference(ReferenceKind.CLAIM, reference_id))
            with pytest.raises(WorldUnfit):
                catalog.worlds.register(
                    "ada", "north", [Registered(reference=CLAIM), wrong], now=NOW
                )
        assert sum(catalog.worlds.counts("ada", "north").values()) == 0

    def test_an_equal_request_is_the_same_job_and_another_is_not(self, catalog: Catalog) -> None:
        made: list[str] = []

        def ask(one: Request, *, is_wanted: bool = True) -> str:
            return catalog.requests.once(
                one, is_wanted=lambda job_id: is_wanted, submit=lambda: made.append(one.job_id)
            )

        first = request("1" * 26)
        assert ask(first) == ask(replace(request("2" * 26))) == first.job_id
        changed = request("3" * 26, lore_snapshot={"revision": 2})
        assert ask(changed) == changed.job_id
        again = replace(request("4" * 26), created_at=NOW + 1)
        assert ask(again, is_wanted=False) == again.job_id
        assert ask(request("5" * 26)) == again.job_id
        strangers = replace(request("6" * 26), owner="bo")
        assert ask(strangers) == strangers.job_id
        assert made == [one.job_id for one in (first, changed, again, strangers)]
        assert catalog.requests.get(first.job_id) == first
        assert catalog.requests.get("2" * 26) is None

    def test_a_snapshot_that_was_taken_never_changes(self, catalog: Catalog) -> None:
        catalog.requests.add(request())
        catalog.requests.add(request(lore_snapshot="another"))
        kept = catalog.requests.get("J" * 26)
        assert kept
        assert kept.provenance.lore_snapshot == {"revision": 1}

    def test_a_request_whose_job_cannot_be_made_leaves_nothing(self, catalog: Catalog) -> None:
        def fail() -> None:
            raise OSError("full")

        with pytest.raises(OSError, match="full"):
            catalog.requests.once(request(), is_wanted=lambda job_id: True, submit=fail)
        assert catalog.requests.get("J" * 26) is None
        assert catalog.derivations.lineage(job_node("J" * 26)).up == ()

    def test_of_equal_requests_at_once_one_makes_a_job(self, catalog: Catalog) -> None:
        made: list[str] = []
        begun = threading.Barrier(4)

        def ask(number: int) -> str:
            one = request(f"{number:026d}")
            begun.wait(30)
            return catalog.requests.once(
                one, is_wanted=lambda job_id: True, submit=lambda: made.append(one.job_id)
            )

        with ThreadPoolExecutor(4) as pool:
            told = set(pool.map(ask, range(4)))
        assert told == set(made)
        assert len(made) == 1

    def test_jobs_and_assets_are_found_by_what_they_rest_on(self, catalog: Catalog) -> None:
        for number in range(5):
            job_id = f"{number:026d}"
            catalog.requests.add(replace(request(job_id), created_at=NOW + number))
            made = asset(number, created_by_job=job_id, world="north", created_at=NOW + number)
            assert catalog.settled.settle(job_id, [made], None)
            assert not catalog.settled.settle(job_id, [asset(90 + number)], None)
        for kind, word in (("claim", "c2"), ("source", "s")):
            reference = Reference(ReferenceKind(kind), word)
            node = reference_node("ada", "north", reference)
            jobs, cursor = catalog.derivations.jobs_on(node, limit=3)
            rest, end = catalog.derivations.jobs_on(node, cursor=cursor, limit=3)
            assert [int(job_id) for job_id in jobs + rest] == [4, 3, 2, 1, 0]
            assert end == ""
            assert catalog.derivations.count_on(node, "job") == 5
            filters = AssetFilters(owner="ada", world="north", reference=reference)
            page = catalog.assets.page(filters, limit=3)
            following = catalog.assets.page(filters, cursor=page.cursor)
            assert numbers(page.assets + following.assets) == [4, 3, 2, 1, 0]
            assert catalog.assets.count(filters) == 5
        for owner, world, word in (
            ("bo", "north", "s"),
            ("ada", "south", "s"),
            ("ada", "north", "t"),
        ):
            other = Reference(ReferenceKind.SOURCE, word)
            asked = AssetFilters(owner=owner, world=world, reference=other)
            assert catalog.assets.count(asked) == 0
        assert catalog.settled.known() == {f"{number:026d}" for number in range(5)}

    def test_lineage_goes_up_and_down_as_far_as_asked(self, catalog: Catalog) -> None:
        chain = [asset_node("a0"), job_node("j0"), asset_node("a1"), job_node("j1")]
        chain += [asset_node("a2")]
        edges = [Edge(child, parent) for parent, child in itertools.pairwise(chain)]
        side = Edge(chain[3], chain[0])  # the diamond: j1 reads a0 as well
        catalog.derivations.add([*edges, side], now=NOW)
        catalog.derivations.add(edges, now=NOW + 1)
        middle = catalog.derivations.lineage(chain[2])
        assert set(middle.up) == set(edges[:2])
        assert set(middle.down) == set(edges[2:])
        assert not middle.is_cut
        assert set(catalog.derivations.lineage(chain[4]).up) == {*edges, side}
        near = catalog.derivations.lineage(chain[4], depth=2)
        assert set(near.up) == {edges[3], edges[2], side}
        assert near.is_cut
        for depth in (0, 33):
            with pytest.raises(UsageError, match="1 to 32"):
                catalog.derivations.lineage(chain[0], depth=depth)

    def test_a_circle_in_the_lineage_ends(self, catalog: Catalog) -> None:
        one, two = asset_node("a"), asset_node("b")
        catalog.derivations.add([Edge(one, two), Edge(two, one)], now=NOW)
        assert set(catalog.derivations.lineage(one).up) == {Edge(one, two), Edge(two, one)}

    def test_every_node_has_a_word_of_its_own(self) -> None:
        texts = ("a", 'a"', "a, b", "é\udcff", "", ":")
        nodes = {
            Node("claim", one, two, three) for one in texts for two in texts for three in texts
        }
        words = {node.word for node in nodes}
        assert len(words) == len(nodes)
        assert {node_of(word) for word in words} == nodes

    def test_models_and_migrations_agree(self, catalog: Catalog) -> None:
        with catalog.engine.connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"compare_type": True, "version_table": KEPT.version_table}
            )
            assert compare_metadata(context, KEPT.metadata) == []

    def test_every_question_is_answered_from_an_index(self, catalog: Catalog) -> None:
        reference = reference_node("ada", "w3", CLAIM)
        self.fill(catalog, 4000)
        self.analyse(catalog)
        cursor = catalog.assets.page(limit=2).cursor
        asked: list[dict[str, Any]] = [
            {}, {"world": "w3"}, {"asset_type": "t3"}, {"state": AssetState.FAILED},
            {"tag": "g3"}, {"created_by_job": f"{2:026d}"}, {"created_from": 1.0},
        ]  # fmt: skip
        asked += [{**one, "owner": "ada"} for one in asked]
        asked.append({"owner": "ada", "world": "w3", "reference": CLAIM})
        for filters in asked:
            for place in ("", cursor):
                self.check_plan(catalog, page_query(AssetFilters(**filters), place, 50))
            if len(filters) > 1:
                self.check_plan(catalog, count_query(AssetFilters(**filters)), in_order=False)
        self.check_plan(catalog, jobs_query(reference, cursor, 50))
        self.check_plan(catalog, equal_query(request()), in_order=False)
        for is_up in (True, False):
            query = lineage_query(asset_node(f"{7:026d}"), 8, is_up=is_up)
            self.check_plan(catalog, query, in_order=False)

    def fill(self, catalog: Catalog, count: int) -> None:
        """Many assets, at once; few of each world, type, tag and claim."""
        found = [
            asset(n, world=f"w{n % 5}", asset_type=f"t{n % 5}", tags=(f"g{n % 5}",),
                  owner=("ada", "bo")[n // 5 % 2], created_by_job=f"{n % 5:026d}",
                  state=AssetState.FAILED if n % 5 == 3 else AssetState.AVAILABLE)
            for n in range(count)
        ]  # fmt: skip
        rows = [{**one.as_json(), "metadata": "{}", "tags": "[]", "value": None} for one in found]
        tags = [
            {"asset_id": one.asset_id, "tag": tag, "owner": one.owner, "created_at": one.created_at}
            for one in found for tag in one.tags
        ]  # fmt: skip
        edges = [
            {"child": asset_node(one.asset_id).word, "child_id": one.asset_id,
             "child_kind": "asset", "created_at": one.created_at,
             "parent": reference_node(one.owner, one.world, CLAIM).word}
            for one in found
        ]  # fmt: skip
        with catalog.engine.begin() as connection:
            connection.execute(insert(assets), rows)
            connection.execute(insert(asset_tags), tags)
            connection.execute(insert(derivations), edges)
            assert asset_of(connection.execute(assets.select()).first())  # type: ignore[arg-type]

    def analyse(self, catalog: Catalog) -> None:
        raise NotImplementedError

    def check_plan(self, catalog: Catalog, query: Any, *, in_order: bool = True) -> None:
        raise NotImplementedError

"""What every landing promises. A new landing is the adapter, the fixtures `open_landing` and `store`, and a class that
inherits this one."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

import pyarrow as pa
import pytest

from tieout.base.batch import Batch, Footer, Span, Tally
from tieout.base.change import JUDGED
from tieout.base.codec import sha256_hex
from tieout.base.cursor import Cursor
from tieout.base.errors import Broken
from tieout.base.stream import Stream
from tieout.land.landing import Landing

ACCOUNT = Stream("erp", "account")
SCHEMA = pa.schema(
    [
        *JUDGED,
        pa.field("id", pa.string()),
        pa.field("amount", pa.decimal128(18, 2)),
        pa.field("rate", pa.float64()),
        pa.field("begins", pa.time64("us")),
        pa.field("signed at", pa.timestamp("us", tz="UTC")),
        pa.field("local", pa.timestamp("us")),
        pa.field("day", pa.date32()),
        pa.field("blob", pa.binary()),
        pa.field("small", pa.int16()),
    ]
)

OpenLanding = Callable[[], Landing]
"""Opens the one landing of a test once more."""


class Store(Protocol):
    """The bytes that a landing stored, behind its back."""

    def read(self, stream: Stream, name: str) -> bytes: ...

    def write(self, stream: Stream, name: str, data: bytes) -> None: ...

    def remove(self, stream: Stream, name: str) -> None: ...


def judged(rows: int, *, first: int = 0) -> pa.Table:
    """Changes with every type of column, some of them null."""
    moment = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
    return pa.Table.from_pylist(
        [
            {
                "_key": f'["A{n}"]',
                "_kind": "image",
                "_cover": '["amount"]',
                "_order": f"{n:073x}",
                "_cid": f"{n:032x}",
                "_position": n,
                "_observed_at": moment,
                "id": f"A{n} \U0001f4d2 é",
                "amount": Decimal(n) / 4 if n % 3 else None,
                "rate": float("nan") if n % 5 == 0 else n / 7,
                "begins": moment.time(),
                "signed at": moment,
                "local": moment.replace(tzinfo=None),
                "day": moment.date(),
                "blob": bytes([n % 256, 0, 255]),
                "small": -n if n % 2 else None,
            }
            for n in range(first, first + rows)
        ],
        schema=SCHEMA,
    )


def footer_of(changes: pa.Table, *, stream: Stream = ACCOUNT, after: int = 9) -> Footer:
    return Footer(
        stream=stream,
        span=Span(
            "erp", "wal", None, Cursor.of("wal", after, {"lsn": "0/9", "file": "ä.ndjson"}), (stream.object, "zebra")
        ),
        received=Tally(changes.num_rows, 2**64 - 1, 12),
        keyless=0,
        positions=(0, 9) if changes.num_rows else None,
        contract="c" * 64,
        captured_at=datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC),
    )


def put(landing: Landing, changes: pa.Table, *, stream: Stream = ACCOUNT) -> str:
    return landing.put(footer_of(changes, stream=stream), changes)


class LandingPromise:
    @pytest.fixture
    def landing(self, open_landing: OpenLanding) -> Landing:
        return open_landing()

    @pytest.mark.parametrize("rows", [0, 1, 500])
    def test_a_batch_comes_back_as_it_was_put_types_and_all(
        self, landing: Landing, open_landing: OpenLanding, rows: int
    ) -> None:
        changes = judged(rows)

        name = put(landing, changes)
        batch = open_landing().open(ACCOUNT, name)

        assert batch.name == name
        assert batch.footer == footer_of(changes) == landing.footer(ACCOUNT, name)
        assert batch.changes.schema.equals(SCHEMA, check_metadata=True)
        assert repr(batch.changes.to_pylist()) == repr(changes.to_pylist())

    def test_an_empty_landing_has_no_names(self, landing: Landing) -> None:
        assert list(landing.names()) == []
        assert landing.sweep_spool("erp") == 0

    def test_certificates_come_back_in_the_order_of_their_numbers(
        self, landing: Landing, open_landing: OpenLanding
    ) -> None:
        texts = {number: f'{{"number":{number},"name":"Zoë"}}' for number in (2, 10, 1)}
        hashes = {number: landing.keep_certificate(ACCOUNT, number, text) for number, text in texts.items()}

        again = open_landing()

        assert again.certificates(ACCOUNT) == [(hashes[number], texts[number]) for number in (1, 2, 10)]
        assert again.certificates(ACCOUNT, last=1) == [(hashes[10], texts[10])]
        assert again.certified() == [ACCOUNT]
        assert hashes[2] == sha256_hex(texts[2].encode())

    def test_certificates_are_no_batches_and_batches_no_certificates(self, landing: Landing) -> None:
        name = put(landing, judged(3))
        landing.keep_certificate(ACCOUNT, 1, "{}")

        assert list(landing.names()) == [(ACCOUNT, name)]
        assert landing.sweep_spool("erp") == 0
        assert len(landing.certificates(ACCOUNT)) == 1

    def test_where_nothing_was_certified_there_is_nothing(self, landing: Landing) -> None:
        assert landing.certificates(ACCOUNT) == []
        assert landing.certified() == []

    def test_the_names_of_one_source_are_those_of_its_streams(self, landing: Landing) -> None:
        streams = [Stream(source, object_) for source in ("crm", "erp", "erp_2") for object_ in ("a", "b")]
        put_ = [(stream, put(landing, judged(2), stream=stream)) for stream in streams]

        assert sorted(landing.names()) == put_
        assert sorted(landing.names("erp")) == put_[2:4]
        assert list(landing.names("shop")) == []

    def test_putting_a_batch_twice_is_one_put(self, landing: Landing, open_landing: OpenLanding) -> None:
        first = put(landing, judged(20))
        again = put(open_landing(), judged(20))

        assert first == again
        assert list(landing.names()) == [(ACCOUNT, first)]

    def test_a_name_does_not_depend_on_how_the_table_is_cut_nor_on_its_metadata(self, landing: Landing) -> None:
        changes = judged(300)
        cut = pa.concat_tables([judged(7), judged(200, first=7), judged(93, first=207)])
        slice_ = pa.concat_tables([judged(10, first=1000), changes]).slice(10).replace_schema_metadata({"by": "me"})
        field_noted = changes.cast(pa.schema([field.with_metadata({"n": "1"}) for field in SCHEMA]))

        assert {put(landing, table) for table in (changes, cut, slice_, field_noted)} == {put(landing, changes)}

    def test_what_was_opened_can_be_put_again_under_its_name(self, landing: Landing) -> None:
        batch = landing.open(ACCOUNT, put(landing, judged(30)))

        assert landing.put(batch.footer, batch.changes) == batch.name

    def test_another_footer_or_another_row_is_another_batch(self, landing: Landing) -> None:
        changes = judged(3)
        names = {
            landing.put(footer_of(changes), changes),
            landing.put(footer_of(changes, after=10), changes),
            landing.put(footer_of(judged(3, first=1)), judged(3, first=1)),
        }

        assert {name for _, name in landing.names()} == names
        assert len(names) == 3

    @pytest.mark.parametrize(
        "object_", ["Opportunity__c", "public.orders", "weiß | 100 %", "a+b\\c?d#%2B&", "a b\n;'", "x" * 200]
    )
    def test_an_object_may_have_any_name_that_a_stream_may_have(self, landing: Landing, object_: str) -> None:
        stream = Stream("erp", object_)

        name = put(landing, judged(2), stream=stream)

        assert list(landing.names()) == [(stream, name)]
        assert landing.open(stream, name).footer.stream == stream

    def test_a_footer_that_counts_other_rows_is_not_sealed(self, landing: Landing) -> None:
        with pytest.raises(AssertionError, match="counts other rows"):
            landing.put(footer_of(judged(3)), judged(2))

        assert list(landing.names()) == []

    def test_many_writers_of_one_batch_and_their_readers_see_it_whole(self, open_landing: OpenLanding) -> None:
        changes = judged(200)
        name = put(open_landing(), changes)

        def put_and_open(_: int) -> Batch:
            landing = open_landing()
            assert put(landing, changes) == name
            return landing.open(ACCOUNT, name)

        with ThreadPoolExecutor(4) as pool:
            assert all(batch.changes.num_rows == 200 for batch in pool.map(put_and_open, range(12)))
        assert open_landing().sweep_spool("erp") == 0

    def test_a_flipped_bit_is_found_wherever_it_is(self, landing: Landing, store: Store) -> None:
        name = put(landing, judged(40))
        sealed = store.read(ACCOUNT, name)
        chance = random.Random(7)
        places = {0, 4, len(sealed) - 1, *(chance.randrange(len(sealed)) for _ in range(150))}

        for place in places:
            store.write(ACCOUNT, name, _flipped(sealed, place, chance.randrange(8)))
            with pytest.raises(Broken, match="not those that were sealed") as refused:
                landing.open(ACCOUNT, name)
            assert name in refused.value.message
            assert "copy" in refused.value.hint

    def test_a_footer_with_flipped_bits_is_told_or_broken_and_nothing_else(
        self, landing: Landing, store: Store
    ) -> None:
        name = put(landing, judged(3))
        sealed = store.read(ACCOUNT, name)
        chance = random.Random(11)

        for _ in range(300):
            place = len(sealed) - 1 - chance.randrange(min(6000, len(sealed)))
            store.write(ACCOUNT, name, _flipped(sealed, place, chance.randrange(8)))
            with suppress(Broken):
                landing.footer(ACCOUNT, name)

    @pytest.mark.parametrize("kept", [0.0, 0.001, 0.5, 0.999])
    def test_a_torn_batch_may_be_listed_and_is_broken(self, landing: Landing, store: Store, kept: float) -> None:
        name = put(landing, judged(40))
        sealed = store.read(ACCOUNT, name)
        store.write(ACCOUNT, name, sealed[: int(len(sealed) * kept)])

        with pytest.raises(Broken, match="cannot be read"):
            landing.footer(ACCOUNT, name)
        with pytest.raises(Broken, match="not those that were sealed"):
            landing.open(ACCOUNT, name)
        assert list(landing.names()) == [(ACCOUNT, name)]

    def test_a_damaged_batch_is_mended_by_putting_it_again(self, landing: Landing, store: Store) -> None:
        name = put(landing, judged(5))
        store.write(ACCOUNT, name, store.read(ACCOUNT, name)[:-1])

        put(landing, judged(5))

        assert landing.open(ACCOUNT, name).changes.num_rows == 5

    def test_a_missing_batch_is_broken_and_named(self, landing: Landing, store: Store) -> None:
        name = put(landing, judged(5))
        store.remove(ACCOUNT, name)

        for look in (landing.open, landing.footer):
            with pytest.raises(Broken, match="missing") as refused:
                look(ACCOUNT, name)
            assert name in refused.value.message

    def test_a_batch_of_another_stream_is_not_taken_for_this_ones(self, landing: Landing, store: Store) -> None:
        other = Stream("erp", "contact")
        changes = judged(5)
        name = put(landing, changes)
        foreign = landing.put(replace(footer_of(changes), stream=other), changes)
        store.write(ACCOUNT, name, store.read(other, foreign))

        with pytest.raises(Broken, match=r"erp\.contact"):
            landing.footer(ACCOUNT, name)

    def test_sweeping_the_spool_leaves_sealed_batches(self, landing: Landing) -> None:
        name = put(landing, judged(5))

        landing.sweep_spool("erp")

        assert landing.open(ACCOUNT, name).changes.num_rows == 5

    def test_what_another_has_put_is_found_synced_and_stays_as_it_was(
        self, landing: Landing, open_landing: OpenLanding
    ) -> None:
        name = put(landing, judged(5))
        found = open_landing()

        for _ in range(2):
            for stream, _ in found.names():
                found.sync(stream)

        assert list(found.names()) == [(ACCOUNT, name)]
        assert found.open(ACCOUNT, name).changes.num_rows == 5


def _flipped(data: bytes, place: int, bit: int) -> bytes:
    return data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]

"""The landing in S3 keeps the landing's promise, and its own: what the network loses, and what S3 refuses."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from base64 import b64decode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests import s3
from tests.conformance.landing_promise import ACCOUNT, LandingPromise, OpenLanding, Store, judged, put
from tieout.base.errors import Broken, Misconfigured, Transient
from tieout.base.s3 import Bucket, reached
from tieout.base.s3_address import S3Address
from tieout.base.stream import Stream
from tieout.land.s3 import S3Landing


@pytest.fixture(scope="module")
def running() -> Iterator[s3.Store]:
    with s3.running() as store:
        yield store


@pytest.fixture(autouse=True)
def store_in_order(running: s3.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing fails but what the test asks for; what is tried again is so at once."""
    running.forget()
    s3.unpaused(monkeypatch)


@pytest.fixture
def address(running: s3.Store) -> S3Address:
    return running.address()


class Objects:
    """The objects of a landing, behind its back."""

    def __init__(self, running: s3.Store, address: S3Address) -> None:
        self._backend = running.backend
        self._address = address

    def _key(self, stream: Stream, name: str) -> str:
        return f"{self._address.prefix}/{stream.source}/{stream.object}/{name}.parquet"

    def read(self, stream: Stream, name: str) -> bytes:
        data: bytes = self._backend.get_object(self._address.bucket, self._key(stream, name)).value
        return data

    def write(self, stream: Stream, name: str, data: bytes) -> None:
        self._backend.put_object(self._address.bucket, self._key(stream, name), data)

    def remove(self, stream: Stream, name: str) -> None:
        self._backend.delete_object(self._address.bucket, self._key(stream, name))


class TestS3Landing(LandingPromise):
    @pytest.fixture
    def open_landing(self, address: S3Address) -> OpenLanding:
        return lambda: S3Landing(s3.bucket(address))

    @pytest.fixture
    def store(self, running: s3.Store, address: S3Address) -> Store:
        return Objects(running, address)


@pytest.fixture
def landing(address: S3Address) -> S3Landing:
    return S3Landing(s3.bucket(address))


def test_a_batch_is_put_in_one_request_with_its_checksum_and_under_a_condition(
    running: s3.Store, landing: S3Landing, address: S3Address
) -> None:
    name = put(landing, judged(3))

    ((asked, status),) = running.door.asked
    assert asked.path == f"/{address.bucket}/books/landing/erp/account/{name}.parquet"
    assert (asked.method, status) == ("PUT", "200 OK")
    assert asked.headers["if_none_match"] == "*"
    assert b64decode(asked.headers["x_amz_checksum_sha256"]).hex() == name
    assert not any("encryption" in header or "owner" in header for header in asked.headers)


def test_a_key_and_an_owner_go_with_every_request_they_concern(running: s3.Store) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/1"
    landing = S3Landing(s3.bucket(running.address(kms_key=key, owner=s3.ACCOUNT)))

    name = put(landing, judged(3))
    landing.footer(ACCOUNT, name)
    assert list(landing.names()) == [(ACCOUNT, name)]

    (written, _), *others = running.door.asked
    assert written.headers["x_amz_server_side_encryption"] == "aws:kms"
    assert written.headers["x_amz_server_side_encryption_aws_kms_key_id"] == key
    assert {asked.headers["x_amz_expected_bucket_owner"] for asked, _ in running.door.asked} == {s3.ACCOUNT}
    assert not any("encryption" in header for asked, _ in others for header in asked.headers)


@pytest.mark.parametrize("rows", [3, 5_000])
def test_a_footer_costs_one_request_for_the_end_of_the_object(running: s3.Store, landing: S3Landing, rows: int) -> None:
    name = put(landing, judged(rows))
    running.forget()

    assert landing.footer(ACCOUNT, name).received.count == rows

    ((asked, _),) = running.door.asked
    assert asked.headers["range"] == "bytes=-65536"


def test_a_footer_that_is_longer_than_most_costs_two(
    running: s3.Store, landing: S3Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tieout.land.s3._TAIL_BYTES", 64)
    name = put(landing, judged(3))
    running.forget()

    assert landing.footer(ACCOUNT, name).received.count == 3
    assert running.answered("GET") == ["206", "206"]


def test_lists_are_read_page_by_page(landing: S3Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    streams = [Stream(source, object_) for source in ("crm", "erp", "shop") for object_ in ("a", "b")]
    put_ = {(stream, put(landing, judged(rows), stream=stream)) for stream in streams for rows in (1, 2, 3)}
    for stream in streams:
        for number in (1, 2, 3):
            landing.keep_certificate(stream, number, f'{{"number":{number}}}')

    assert set(landing.names()) == put_
    assert landing.certified() == streams
    assert [text for _, text in landing.certificates(streams[0])] == [f'{{"number":{n}}}' for n in (1, 2, 3)]


def test_objects_that_are_not_batches_are_not_listed(running: s3.Store, landing: S3Landing, address: S3Address) -> None:
    name = put(landing, judged(3))
    for stray in ("", "README", "erp/", f"erp/{name}.parquet", f"erp/account/deeper/{name}.parquet", "No/x/y.parquet",
                  f"erp/account/{name}.parquet.tmp", f"../{name}", f".hidden/account/{name}.parquet"):  # fmt: skip
        running.backend.put_object(address.bucket, f"{address.prefix}/{stray}", b"")
    running.backend.put_object(address.bucket, f"books/landing2/erp/account/{name}.parquet", b"")

    assert list(landing.names()) == [(ACCOUNT, name)]


def test_a_landing_may_be_a_whole_bucket(running: s3.Store) -> None:
    address = running.address("")
    landing = S3Landing(s3.bucket(address))

    name = put(landing, judged(3))
    landing.keep_certificate(ACCOUNT, 1, "{}")

    assert list(landing.names()) == [(ACCOUNT, name)]
    assert landing.certified() == [ACCOUNT]
    assert landing.open(ACCOUNT, name).changes.num_rows == 3
    assert running.answered("PUT", having=f"/{address.bucket}/erp/account/{name}") == ["200"]


def test_a_put_whose_answer_was_lost_is_done_and_is_one_put(running: s3.Store, landing: S3Landing) -> None:
    running.fail(s3.lost, method="PUT")

    name = put(landing, judged(20))

    assert landing.open(ACCOUNT, name).changes.num_rows == 20
    assert running.answered("PUT") == ["412"]


def test_a_put_of_which_no_answer_ever_comes_is_transient_and_done_when_it_is_tried_again(
    running: s3.Store, landing: S3Landing
) -> None:
    running.fail(s3.lost, method="PUT", times=3)

    with pytest.raises(Transient, match="cannot be reached"):
        put(landing, judged(20))

    assert landing.open(ACCOUNT, put(landing, judged(20))).changes.num_rows == 20


def test_of_many_that_put_one_batch_at_once_one_does(running: s3.Store, address: S3Address) -> None:
    running.keep_versions(address)
    changes = judged(200)
    running.fail(s3.lost, method="PUT", times=2)

    with ThreadPoolExecutor(6) as pool:
        names = set(pool.map(lambda _: put(S3Landing(s3.bucket(address)), changes), range(12)))

    assert len(names) == 1
    statuses = running.answered("PUT")
    assert statuses.count("200") <= 1  # the one whose answer was lost may be it
    assert set(statuses) <= {"200", "412"}
    assert running.versions(address) == {f"books/landing/erp/account/{names.pop()}.parquet": 1}


def test_of_two_processes_that_put_one_batch_at_once_one_does(running: s3.Store, address: S3Address) -> None:
    script = """
        import sys
        from tests.conformance.landing_promise import judged, put
        from tieout.base.s3 import reached
        from tieout.base.s3_address import S3Address
        from tieout.land.s3 import S3Landing
        landing = S3Landing(reached(S3Address.parse(sys.argv[1])))
        print("ready", flush=True)
        sys.stdin.readline()
        print(put(landing, judged(500)))
    """
    told = f"{address}?region={address.region}&endpoint_url={address.endpoint_url}"
    line = [sys.executable, "-c", textwrap.dedent(script), told]
    here = str(Path(__file__).parents[2])
    running.keep_versions(address)

    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=here)
            )
            for _ in range(2)
        ]
        assert [process.stdout.readline() for process in processes if process.stdout] == ["ready\n"] * 2
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        names = {process.communicate(timeout=60)[0].strip() for process in processes}

    (name,) = names
    assert sorted(running.answered("PUT")) == ["200", "412"]
    assert running.versions(address) == {f"books/landing/erp/account/{name}.parquet": 1}


@pytest.mark.parametrize(
    "fault",
    [
        s3.refused("503 Slow Down", "SlowDown"),
        s3.refused("500 Internal Server Error", "InternalError"),
        s3.refused("503 Service Unavailable", "ServiceUnavailable"),
        s3.lost,
    ],
)
def test_what_fails_twice_and_then_succeeds_is_not_noticed(
    running: s3.Store, landing: S3Landing, fault: s3.Fault
) -> None:
    running.fail(fault, method="PUT", times=2)
    running.fail(fault, method="GET", times=2)
    running.fail(fault, lists=True, times=2)

    name = put(landing, judged(5))

    assert list(landing.names()) == [(ACCOUNT, name)]
    assert landing.open(ACCOUNT, name).changes.num_rows == 5
    assert not running.door.faults


def test_a_put_that_meets_another_of_its_key_is_sent_again(running: s3.Store, landing: S3Landing) -> None:
    running.fail(s3.refused("409 Conflict", "ConditionalRequestConflict"), method="PUT", times=3)

    name = put(landing, judged(5))

    assert running.answered("PUT") == ["409", "409", "409", "200"]
    assert landing.open(ACCOUNT, name).changes.num_rows == 5


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("503 Slow Down", "SlowDown"),
        ("500 Internal Server Error", "InternalError"),
        ("409 Conflict", "ConditionalRequestConflict"),
        ("400 Bad Request", "BadDigest"),
        ("400 Bad Request", "KMS.ThrottlingException"),
        ("418 Teapot", "SlowDown"),
        ("599 Nobody Knows", "Whatever"),
    ],
)
def test_what_goes_on_failing_is_transient(running: s3.Store, landing: S3Landing, status: str, code: str) -> None:
    running.fail(s3.refused(status, code), method="PUT", times=20)

    with pytest.raises(Transient, match=code) as refused:
        put(landing, judged(5))

    assert "tried again" in refused.value.hint
    assert 1 <= len(running.answered("PUT")) <= 12
    running.forget()
    assert put(landing, judged(5))


@pytest.mark.parametrize(
    ("status", "code", "mend"),
    [
        ("403 Forbidden", "AccessDenied", "rights"),
        ("404 Not Found", "NoSuchBucket", "Create the bucket"),
        ("400 Bad Request", "AuthorizationHeaderMalformed", "region"),
        ("400 Bad Request", "KMS.DisabledException", "Enable the KMS key"),
        ("400 Bad Request", "KMS.NotFoundException", "kms_key"),
        ("400 Bad Request", "ExpiredToken", "Renew"),
        ("403 Forbidden", "InvalidAccessKeyId", "credentials"),
        ("403 Forbidden", "SignatureDoesNotMatch", "credentials"),
        ("403 Forbidden", "RequestTimeTooSkewed", "clock"),
        ("501 Not Implemented", "NotImplemented", "store"),
        ("400 Bad Request", "InvalidArgument", "address"),
    ],
)
def test_what_somebody_has_to_mend_is_misconfigured_and_says_how(
    running: s3.Store, landing: S3Landing, status: str, code: str, mend: str
) -> None:
    name = put(landing, judged(5))
    deeds = [
        (lambda: put(landing, judged(6)), {"method": "PUT"}),
        (lambda: landing.open(ACCOUNT, name), {"method": "GET"}),
        (lambda: list(landing.names()), {"lists": True}),
    ]

    for deed, chosen in deeds:
        running.forget()
        running.fail(s3.refused(status, code), times=9, **chosen)
        with pytest.raises(Misconfigured, match=code) as refused:
            deed()
        assert mend in refused.value.hint
        assert "s3://bucket-" in refused.value.message


def test_credentials_that_renew_themselves_may_be_late(running: s3.Store, address: S3Address) -> None:
    client = s3.bucket(address)._client
    landing = S3Landing(Bucket(address, client, is_renewed=True))
    running.fail(s3.refused("400 Bad Request", "ExpiredToken"), method="PUT")

    with pytest.raises(Transient, match="ExpiredToken"):
        put(landing, judged(5))


def test_a_body_that_breaks_off_is_asked_for_again_and_then_transient(running: s3.Store, landing: S3Landing) -> None:
    name = put(landing, judged(50))

    running.fail(s3.cut, method="GET", times=2)
    assert landing.open(ACCOUNT, name).changes.num_rows == 50

    running.fail(s3.cut, method="GET", times=3)
    with pytest.raises(Transient, match=name):
        landing.open(ACCOUNT, name)


def test_a_body_that_does_not_come_is_not_waited_for_long(running: s3.Store, landing: S3Landing) -> None:
    name = put(landing, judged(50))
    running.fail(running.door.held, method="GET")

    assert landing.open(ACCOUNT, name).changes.num_rows == 50
    assert not running.door.faults


def test_bytes_that_flip_on_the_way_are_broken_and_the_batch_is_not(running: s3.Store, landing: S3Landing) -> None:
    name = put(landing, judged(50))
    running.fail(s3.flipped, method="GET")

    with pytest.raises(Broken, match="not those that were sealed"):
        landing.open(ACCOUNT, name)

    assert landing.open(ACCOUNT, name).changes.num_rows == 50


def test_a_batch_that_a_list_does_not_show_yet_is_there(running: s3.Store, landing: S3Landing) -> None:
    names = [put(landing, judged(rows)) for rows in (5, 6)]
    running.fail(s3.without(names[1]), lists=True, times=2)

    assert list(landing.names()) == [(ACCOUNT, names[0])]
    running.door.faults.clear()
    assert landing.open(ACCOUNT, names[1]).changes.num_rows == 6
    assert put(landing, judged(6)) == names[1]


def test_a_damaged_batch_is_mended_over_just_what_was_seen(
    running: s3.Store, landing: S3Landing, address: S3Address
) -> None:
    name = put(landing, judged(5))
    Objects(running, address).write(ACCOUNT, name, b"damaged")
    running.forget()

    put(landing, judged(5))

    (_, first), (seen, _), (mended, last) = running.door.asked
    assert (first[:3], seen.method, last[:3]) == ("412", "GET", "200")
    assert mended.headers["if_match"]
    assert "if_none_match" not in mended.headers


def test_an_object_that_never_holds_still_is_not_fought_over(
    running: s3.Store, landing: S3Landing, address: S3Address
) -> None:
    name = put(landing, judged(5))
    objects = Objects(running, address)
    objects.write(ACCOUNT, name, b"damaged")

    def overtaken(asked: s3.Asked, ask: Callable[[], s3.Answer]) -> s3.Answer:
        answer = ask()
        objects.write(ACCOUNT, name, answer.body + b"again")
        return answer

    running.fail(overtaken, method="GET", times=9)

    with pytest.raises(Transient, match="changes while it is written"):
        put(landing, judged(5))


def test_a_batch_that_is_too_large_for_one_put_is_refused_before_a_byte_is_sent(
    running: s3.Store, landing: S3Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tieout.base.s3.PUT_BYTES_MAX", 1_000)

    with pytest.raises(Misconfigured, match="S3 takes 1,000 in one piece"):
        put(landing, judged(500))

    assert not running.door.asked


def test_a_landing_has_one_identity_and_two_have_two(running: s3.Store, landing: S3Landing, address: S3Address) -> None:
    assert landing.identity() is None
    assert landing.identify("0a1b2c3d") == "0a1b2c3d"

    again = S3Landing(s3.bucket(address))
    assert again.identify("ffffffff") == again.identity() == "0a1b2c3d"
    assert S3Landing(s3.bucket(running.address())).identify("ffffffff") == "ffffffff"
    assert list(landing.names()) == []


def test_of_many_that_identify_a_landing_at_once_one_is_first(address: S3Address) -> None:
    def identify(number: int) -> str:
        return S3Landing(s3.bucket(address)).identify(f"{number:08}")

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(identify, range(12)))) == 1


def test_what_is_told_holds_no_secret(
    running: s3.Store, landing: S3Landing, monkeypatch: pytest.MonkeyPatch, address: S3Address
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "verysecret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "verysecret")
    own = S3Landing(reached(address, patience=s3.IMPATIENT))
    running.fail(s3.refused("403 Forbidden", "SignatureDoesNotMatch"), method="PUT")

    with pytest.raises(Misconfigured) as refused:
        put(own, judged(5))

    assert "secret" not in f"{refused.value!r} {refused.value}"


def test_a_store_that_is_not_there_is_transient(running: s3.Store, address: S3Address) -> None:
    away = replace(address, endpoint_url="http://127.0.0.1:1")

    with pytest.raises(Transient, match="cannot be reached") as refused:
        put(S3Landing(s3.bucket(away)), judged(1))

    assert "endpoint_url" in refused.value.hint


def test_without_credentials_it_is_misconfigured(address: S3Address, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    with pytest.raises(Misconfigured, match="credentials") as refused:
        put(S3Landing(reached(address, patience=s3.IMPATIENT)), judged(1))

    assert "profile" in refused.value.hint

"""The messages of the Pub/Sub API stand on the wire as they are published."""

from __future__ import annotations

from tieout.capture.salesforce.events.messages import EARLIEST, SUBSCRIBE, FetchRequest, FetchResponse


def test_a_request_has_the_published_bytes() -> None:
    request = FetchRequest(topic_name="/data/ChangeEvents", replay_preset=EARLIEST, num_requested=5)

    assert request.SerializeToString().hex() == "0a12" + b"/data/ChangeEvents".hex() + "1001" + "2005"


def test_an_answer_is_read_with_its_events() -> None:
    answer = FetchResponse(latest_replay_id=b"r", rpc_id="rpc", pending_num_requested=7)
    answer.events.add(replay_id=b"r").event.schema_id = "s"

    read = FetchResponse.FromString(answer.SerializeToString())

    assert (read.events[0].event.schema_id, read.latest_replay_id, read.pending_num_requested) == ("s", b"r", 7)


def test_methods_bear_their_full_names() -> None:
    assert SUBSCRIBE == "/eventbus.v1.PubSub/Subscribe"

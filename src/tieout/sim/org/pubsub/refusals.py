"""How the service says no: a status of gRPC, and in the trailer `error-code` the word that a client acts on."""

from __future__ import annotations

import grpc

PREFIX = "sfdc.platform.eventbus.grpc."


class Refusal(Exception):
    """`error_code` is `code` behind `PREFIX`, as the published table of error codes has it."""

    def __init__(self, status: grpc.StatusCode, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_code = PREFIX + code
        self.message = message


def headers_invalid(missing: str) -> Refusal:
    return Refusal(
        grpc.StatusCode.UNAUTHENTICATED, "service.auth.headers.invalid", f"The metadata {missing} is missing or wrong."
    )


def session_over() -> Refusal:
    return Refusal(
        grpc.StatusCode.UNAUTHENTICATED,
        "service.auth.error",
        "An authentication exception occurred: session not valid.",
    )


def topic_not_found(topic: str) -> Refusal:
    return Refusal(grpc.StatusCode.NOT_FOUND, "topic.not.found", f"The topic {topic} was not found.")


def topic_mismatch(topic: str) -> Refusal:
    return Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        "subscription.fetch.topic.mismatch",
        f"The topic {topic} differs from that of the first request.",
    )


def requested_events_invalid(count: int) -> Refusal:
    return Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        "subscription.fetch.requested.events.invalid",
        f"The number of requested events, {count}, is not above zero.",
    )


def replay_id_missing() -> Refusal:
    return Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        "subscription.fetch.replayid.validation.failed",
        "The preset CUSTOM needs a replay id.",
    )


def replay_id_corrupted() -> Refusal:
    return Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        "subscription.fetch.replayid.corrupted",
        "The replay id is not valid, or its event is no longer kept.",
    )


def limit_exceeded() -> Refusal:
    return Refusal(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "subscription.limit.exceeded",
        "The org has delivered as many events as it may within 24 hours.",
    )


def streams_exceeded() -> Refusal:
    return Refusal(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "service.protection.stream.limit.triggered",
        "There are as many streams as there may be.",
    )


def schema_not_found(schema_id: str) -> Refusal:
    return Refusal(grpc.StatusCode.NOT_FOUND, "schema.not.found", f"The schema {schema_id} was not found.")


def unavailable() -> Refusal:
    return Refusal(grpc.StatusCode.UNAVAILABLE, "service.unavailable", "The service is temporarily unavailable.")


def unimplemented(method: str) -> Refusal:
    return Refusal(grpc.StatusCode.UNIMPLEMENTED, "service.unimplemented", f"{method} is not served here.")

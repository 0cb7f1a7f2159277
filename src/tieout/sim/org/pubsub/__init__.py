"""The org's Pub/Sub API: change events over gRPC, Avro inside."""

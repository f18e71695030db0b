"""The carrier of mail: NATS JetStream.

Here: subjects and permissions (pure), the stream as data, the connection, publishing and
consuming, and the bundled server. Not here: what the mail means, its signatures, its sealing, nor
any promise that it arrives: streams, acknowledgements and sequences are hints, and only the
receiver's signed receipt ends a delivery.
"""

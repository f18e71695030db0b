"""What the gateway does, one use case a file, named by its verb.

A use case is a plain function of a `Desk` (one transaction, the tools, who acts, the moment) and a
request; it decides with the domain, writes state, facts and deliveries in that transaction, and
answers. Here too: `effects` (what a verified event of others does to this store), packing, sending
and receiving of mail, and the host of adapters. Not here: gRPC, NATS, SQL, keys.
"""

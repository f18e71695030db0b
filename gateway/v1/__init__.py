"""The contract in Python, generated from protos/gateway/v1.

Here are the messages (`*_pb2`), the stubs and servicers (`*_pb2_grpc`) and their types (`.pyi`).
Nothing here is written by hand and nothing is decided here: change a .proto, then `make protos`.
"""

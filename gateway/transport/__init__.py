"""gRPC: who calls, may they, decode, call the use case, encode, refuse with reasons.

Three tables hold the whole surface: `methods` (RPC -> use case), `policy` (RPC -> roles and posts),
`status_table` (reason -> status). Not here: any decision on a case.
"""

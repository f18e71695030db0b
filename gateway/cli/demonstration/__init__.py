"""What `gateway demo` plays: one estate of four nodes, three children, and a timeline of it.

Here: the cast, the node processes, the chapters of the story as gRPC calls, the subscriber, and
what the screen shows. Not here: any rule of the procedure; the nodes know those.
"""

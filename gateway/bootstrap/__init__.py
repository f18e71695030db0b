"""From a configuration to a running node: the one place that names every room.

What a node does with the parts stands in their own rooms; here they are only made, tied together,
watched and ended.
"""

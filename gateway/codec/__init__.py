"""Wire <-> domain, pure: one module for each kind of aggregate, plus enums, times and fields.

Decoding checks form and bounds and refuses with a reason and the field's name; encoding never
fails. Not here: any decision, and the policy on who may see what.
"""

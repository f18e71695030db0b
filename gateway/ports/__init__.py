"""What the service needs of the world, one small Protocol a file.

Here: clock, identifiers, directory, signing, verifying, sealing, bus, store. Not here: any
implementation (see crypto, bus, store), nor anything that knows a library by name.
"""

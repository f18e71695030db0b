"""What every test shares: a quiet gRPC core, one Hypothesis profile, the report of faults."""

import os

# Before anything imports grpc: its core reads this once.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

from hypothesis import settings

# No test asserts a time, so no example has a deadline; a failure prints the seed that repeats it.
settings.register_profile("gateway", deadline=None, print_blob=True)
settings.load_profile("gateway")

pytest_plugins = ["tests.faults.reporting", "tests.stores"]

"""Published tables as files, and their loaders: division codes and the working-day calendar.

SOURCE.md tells where each file comes from and under which licence; the two `vendor_*` scripts made
them. What the tables mean is in `gateway.domain`; nothing here decides anything.
"""

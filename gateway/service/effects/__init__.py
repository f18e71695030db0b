"""What a verified event of another organisation does to this organisation's store.

One function for each kind of fact, in `table`. An effect checks that the source may state the
fact *here* (right school, right township, right letter), then changes state; it may state facts of
its own in the same transaction. It raises Refusal or Parked and never half-applies.
"""

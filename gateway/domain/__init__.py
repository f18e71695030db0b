"""The law and the procedure, pure: values in, values out.

Here: divisions, organisations, identifiers, school days, absence, jurisdiction, cases, titles,
letters, orders, the four steps, lanes, refusals. Not here: clock, random, IO, logging, protobuf;
the time and new identifiers come in as arguments.
"""

"""What the gateway costs: measured beside a floor made of the same parts, in one run.

Here are the floor, the province that is measured, what fills it and loads it, and the report.
Nothing of the gateway rests on this package.
"""

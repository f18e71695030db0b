"""Stand-in agency systems for demonstrations and tests: a household register and a platform.

They are real SQL databases with names and codes of their own, made up after the fashion of such
systems; no agency's system looks exactly so. All people in them are invented. Adapters and this
package do not import each other: they meet in the database, as they would anywhere.
"""

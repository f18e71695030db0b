"""Rows of the table of facts, one file per theme; `gateway.domain.facts` puts them together."""

"""Sentences of the case file, one file per theme; `gateway.service.summaries` puts them together."""

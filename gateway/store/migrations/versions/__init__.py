"""One file for each migration, named by its number and what it does."""

"""The store: SQL written once with SQLAlchemy Core, for SQLite and PostgreSQL.

Here: tables, one repository a file, the unit of work, the group-commit writer, migrations. Not
here: any decision - what is stored and when is the service's matter.
"""

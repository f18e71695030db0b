"""Access to an agency's database by SQL, with faults that say what to do and quote nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, NullPool, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from adapters.connectors.faults import SystemAway, ValueNotTaken, WriteConflict


class SqlConnector:
    """One agency's database behind a URL.

    Every exchange opens a connection of its own: an agency sees a few an hour, and a pooled one
    would only hide that the database was restarted or moved meanwhile.

    Args:
        url: an SQLAlchemy URL. An SQLite file must exist; it is never made by looking for it.
        read_only: the adapter only reads; the database is asked to refuse any write.
    """

    def __init__(self, url: str, *, read_only: bool) -> None:
        self._engine: Engine = create_engine(
            _existing_file_only(make_url(url), read_only=read_only),
            poolclass=NullPool,
            hide_parameters=True,
        ).execution_options(**({"postgresql_readonly": True} if read_only else {}))

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Run the block in one transaction.

        Raises:
            SystemAway: the database cannot be reached, or lacks what is asked of it.
            WriteConflict: the block broke a unique key or another constraint.
            ValueNotTaken: a value does not fit its column.
        """
        # `from None` throughout: the driver's own text may quote an identity number.
        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise WriteConflict("The agency's database holds that key already.") from None
        except DataError:
            raise ValueNotTaken("A value does not fit the agency's database.") from None
        except DBAPIError:
            raise SystemAway("The agency's database does not answer.") from None

    def close(self) -> None:
        """Release the engine."""
        self._engine.dispose()


def _existing_file_only(url: URL, *, read_only: bool) -> URL:
    """Let SQLite open a file only where there is one.

    Its default is to create what is missing, so that a moved file would read as an empty register.
    """
    plain_file = url.database and url.database != ":memory:" and "uri" not in url.query
    if url.get_backend_name() != "sqlite" or not plain_file:
        return url
    mode = "ro" if read_only else "rw"
    return url.set(database=f"file:{url.database}").update_query_dict({"mode": mode, "uri": "true"})

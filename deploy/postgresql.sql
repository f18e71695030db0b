-- A database for one node, run once by the server's administrator: psql -f postgresql.sql
-- PostgreSQL 15 or newer. The gateway refuses a server with fsync, synchronous_commit or
-- full_page_writes off, and warns of one without data checksums (initdb --data-checksums).

CREATE ROLE gateway LOGIN CONNECTION LIMIT 30;  -- six connections a process
-- Its password: \password gateway

-- Text is compared by its bytes, whatever the server's own language is.
CREATE DATABASE gateway OWNER gateway TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';
REVOKE ALL ON DATABASE gateway FROM PUBLIC;

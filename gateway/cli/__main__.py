"""`python -m gateway.cli`: the command line, for a process started without the script."""

from gateway.cli import main

main(prog_name="gateway")

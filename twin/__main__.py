"""`python -m twin`, and the command `twin`."""

from __future__ import annotations


def main() -> None:
    from twin.cli.app import app

    app(prog_name="twin")


if __name__ == "__main__":
    main()

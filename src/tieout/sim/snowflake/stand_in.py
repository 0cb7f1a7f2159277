"""The program: `<python of .venv-snowflake> stand_in.py --port N [--record FILE]` speaks as Snowflake does.

It knows nothing of tieout and runs where tieout is not installed, because fakesnow, on which it stands, asks for
another DuckDB than ours. It prints `ready` and the port as one line once it takes connections, and ends on SIGTERM.
"""

from __future__ import annotations

import argparse
import gc
from pathlib import Path

from manners.program import serve  # type: ignore[import-not-found]  # beside this file, whose folder Python looks in


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for Snowflake.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--record", type=Path, help="each statement as one line of JSON is appended to this file")
    parser.add_argument("--end-with-stdin", action="store_true", help="end when the standard input does")
    options = parser.parse_args()
    gc.freeze()  # What was imported stays for good; looking through it at each collection costs time.
    serve(options.host, options.port, options.record, end_with_stdin=options.end_with_stdin)


if __name__ == "__main__":
    main()

"""`python -m tieout` is `tieout`."""

from .ui.cli import main

if __name__ == "__main__":
    main()

"""``python -m hypernb``."""

from hypernb.cli import main

if __name__ == "__main__":
    main()

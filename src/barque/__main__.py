"""`python -m barque`: the same as the program `barque`."""

from barque.cli.main import main

if __name__ == "__main__":
    main()

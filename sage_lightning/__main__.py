"""`python -m sage_lightning <command> …` is `sage-lightning <command> …`."""

from sage_lightning.cli import main

if __name__ == "__main__":
    main()

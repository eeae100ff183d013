"""`python -m molkd` is `molkd`; `torchrun -m molkd` is, in several processes."""

from molkd.cli import main

if __name__ == "__main__":
    main()

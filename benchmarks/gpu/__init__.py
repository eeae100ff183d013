"""What needs a GPU, as one command: `make gpu`. `wheels.txt` lists what it carries along."""

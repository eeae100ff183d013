"""Programs that make corpora and files of this repository; not in the wheel."""

"""Teachers of three dimensions: networks that read conformers, which RDKit makes from a seed."""

"""Teachers that RDKit computes: fingerprints, descriptors, pharmacophores."""

"""Language models of SMILES characters."""

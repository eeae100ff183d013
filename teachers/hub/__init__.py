"""Models of the Hugging Face hub: of SMILES, texts and images."""

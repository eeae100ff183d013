"""Model folders in the format of the Hugging Face hub, loaded without running their code."""

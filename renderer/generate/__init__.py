"""Pictures from generators: one contract, several providers, bytes pinned once made."""

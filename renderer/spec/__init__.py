"""The spec language: documents read with positions, checked as models, sugar lowered."""

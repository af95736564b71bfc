"""Prompts: versioned templates, filled with a user's words that can never become orders."""

"""Storyboards: versioned templates that write a whole film about a topic."""

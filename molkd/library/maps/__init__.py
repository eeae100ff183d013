"""A map of a library: where molecules lie, and the page, figure and table that show it."""

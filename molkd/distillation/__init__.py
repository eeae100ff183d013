"""From items and teachers to a trained student in a folder."""

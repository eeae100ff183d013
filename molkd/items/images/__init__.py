"""Images as items: decoded, and turned into pixels without torch."""

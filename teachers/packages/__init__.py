"""Teachers whose weights are files inside packages of others."""

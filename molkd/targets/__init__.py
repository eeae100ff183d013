"""From a teacher's values in the bank to what an objective reads."""

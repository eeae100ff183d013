"""What a student knows about its teachers, and what it predicts of them."""

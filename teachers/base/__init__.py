"""What teachers share: estimators, networks, weights, and where they come from."""

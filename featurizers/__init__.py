"""A trained student as a molfeat, scikit-learn and DeepChem featurizer."""

if __name__ != "molkd.featurizers":
    raise ImportError("import molkd.featurizers, not featurizers")

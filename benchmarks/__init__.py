"""How good an embedding is, against what, whether the difference is real, and what it costs.

`quality` probes embedders on labelled tasks, `diagnostics` compares embeddings without labels,
`speed` times them, `ablation` distils students that differ in one thing. Behind `molkd bench`.
"""

if __name__ != "molkd.benchmarks":
    raise ImportError("import molkd.benchmarks, not benchmarks")

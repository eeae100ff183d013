#!/bin/sh
# USearch 2.26.6 makes every vector of real numbers one of length 1 before an `i8` index stores it,
# whatever the metric, and the nearest by Euclidean distance or inner product is another one.
#
# One stores 8 bits instead of 32 to save memory and expects rounding. For the metric `cos` it is no
# more than that. With `l2sq` and `ip` the length of the vector is gone, of library and query: a vector
# and ten times that vector lie at distance 0, the order is that of the cosine, and distances come in
# units of 127 squared. `f16` keeps the length, and so does `i8` for NumPy arrays of int8, which are
# stored as they are: the remedy is to scale by one number and to round before. Of the ten nearest by
# l2sq among 2,000 normally distributed vectors of 64 dimensions, an exact search in `i8` finds half.
#
# Seen: of three vectors their order by distance from (1, 0) in an exact search, and the distances, for
# each metric, type of the index, and type of the array; the share found, to one decimal place.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet usearch==2.26.6 numpy==2.4.6
seen=$("$folder/venv/bin/python" - <<'PROGRAM'
import numpy as np
from usearch.index import Index


def found(vectors, queries, metric, stored, count):
    index = Index(ndim=vectors.shape[1], metric=metric, dtype=stored)
    index.add(np.arange(len(vectors)), vectors)
    return index.search(queries, count, exact=True)


library, query = np.array([[10, 0], [1, 1], [0, 3]]), np.array([1, 0])
for metric, stored, given in (
    ("l2sq", "f16", np.float32),
    ("l2sq", "i8", np.int8),
    ("l2sq", "i8", np.float32),
    ("cos", "i8", np.float32),
):
    matches = found(library.astype(given), query.astype(given), metric, stored, 3)
    distances = [round(distance, 1) for distance in matches.distances.tolist()]
    print(metric, stored, given.__name__, matches.keys.tolist(), distances)
many = np.random.default_rng(0).normal(size=(2000, 64)).astype(np.float32)
for stored in ("f32", "f16", "i8"):
    nearest = np.argsort(((many[:50, None] - many) ** 2).sum(2), axis=1)[:, :10]
    keys = found(many, many[:50], "l2sq", stored, 10).keys
    print(stored, round(np.mean([len(set(a) & set(b)) / 10 for a, b in zip(nearest, keys)]), 1))
PROGRAM
)
echo "$seen"
test "$seen" = "l2sq f16 float32 [1, 2, 0] [1.0, 10.0, 81.0]
l2sq i8 int8 [1, 2, 0] [1.0, 10.0, 81.0]
l2sq i8 float32 [0, 1, 2] [0.0, 9365.0, 32005.0]
cos i8 float32 [0, 1, 2] [0.0, 0.3, 1.0]
f32 1.0
f16 1.0
i8 0.5"

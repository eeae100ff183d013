#!/bin/sh
# The corpus of the students that are part of molkd: 62,000 molecules of ChEMBL 22, 23,000 of ZINC and
# 15,000 pieces of the former, none of which is in a task that they are evaluated on.
#
#     recipes/corpus.sh ../shared/data runs/corpus.smi
set -eu
data=$1 out=$2
parts=$(mktemp -d)
trap 'rm -rf "$parts"' EXIT
draw() {
    python -m molkd.benchmarks.scripts.corpus --without "$data/tdc_admet_group" \
        --without "$data/moleculeace" --without "$data/moleculenet" "$@"
}
draw --from "$data/unlabelled/chembl22.smi.gz" --count 62000 --out "$parts/1.smi"
draw --from "$data/unlabelled/zinc250k.smi.gz" --count 23000 --out "$parts/2.smi"
draw --from "$data/unlabelled/chembl22.smi.gz" --count 1 --pieces 15000 --seed 1 --out "$parts/3.smi"
mkdir -p "$(dirname "$out")"
{ cat "$parts/1.smi" "$parts/2.smi" && tail -n +2 "$parts/3.smi"; } >"$out"
echo "7ba1b7d5fe8dbd896311a747cf57783206fdf88d228c5677c284e8f0bb1e6300  $out" | sha256sum --check

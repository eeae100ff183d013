#!/bin/sh
# rxnfp 0.1.0 asks for transformers of 4.5 or newer; with version 5 it reads every SMILES as unknown.
#
# Its SmilesTokenizer splits SMILES in `_tokenize`, a method of BertTokenizer that it overrides. Since
# version 5 that class is a fast tokenizer, which never calls the method and does not read the vocabulary
# under the name that rxnfp gives it: five special tokens are left of 591. What stands between two
# brackets or bonds of a SMILES is one [UNK], whatever it is, so that all molecules without branches and
# multiple bonds have one fingerprint. Nothing is raised. (rxnmapper 0.4.3 has the same tokenizer, but
# forbids version 5.)
#
# Seen: "[2, 1, 3] [2, 1, 3] 5" with transformers 5.23.0 and
# "[12, 16, 16, 19, 13] [12, 16, 16, 23, 13] 591" with 4.57.6: the numbers of CCO and CCN, and the size
# of the vocabulary.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for transformers in 5.23.0 4.57.6; do
    python3 -m venv "$folder/$transformers"
    "$folder/$transformers/bin/pip" install --quiet transformers=="$transformers" rdkit==2026.9.1 \
        "setuptools<81" # whose pkg_resources rxnfp imports
    "$folder/$transformers/bin/pip" install --quiet --no-deps rxnfp==0.1.0
    "$folder/$transformers/bin/python" -W ignore - >>"$folder/seen" 2>/dev/null <<'PROGRAM'
from importlib.resources import files

from rxnfp.tokenization import SmilesTokenizer

models = files("rxnfp") / "models" / "transformers"
tokenizer = SmilesTokenizer(str(models / "bert_pretrained" / "vocab.txt"))
print(tokenizer.encode("CCO"), tokenizer.encode("CCN"), tokenizer.vocab_size)
PROGRAM
done
cat "$folder/seen"
test "$(cat "$folder/seen")" = "[2, 1, 3] [2, 1, 3] 5
[12, 16, 16, 19, 13] [12, 16, 16, 23, 13] 591"

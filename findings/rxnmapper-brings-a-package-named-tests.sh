#!/bin/sh
# rxnmapper 0.4.3 installs a package named "tests" beside its own, which hides a project's.
#
# Its wheel holds tests/__init__.py at the top. A regular package wins over a folder without __init__.py
# (a namespace package) wherever both stand on the path, also when the folder comes first: a project
# that keeps helpers in tests/ and imports them as tests.helpers breaks by `pip install rxnmapper`.
# Uninstalling it removes the files.
#
# Seen: "before: mine" and "after: ModuleNotFoundError: No module named 'tests.helpers'".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
mkdir -p "$folder/project/tests"
echo 'OWNER = "mine"' >"$folder/project/tests/helpers.py"
cd "$folder/project"
owner() {
    "$folder/venv/bin/python" -c "from tests.helpers import OWNER; print(OWNER)" 2>&1 | tail -n 1
}
seen="before: $(owner)"
"$folder/venv/bin/pip" install --quiet --no-deps rxnmapper==0.4.3
seen="$seen
after: $(owner)"
echo "$seen"
test "$seen" = "before: mine
after: ModuleNotFoundError: No module named 'tests.helpers'"

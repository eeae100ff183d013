"""Draws a distillation corpus without the molecules of the evaluation tasks.

    python -m molkd.benchmarks.scripts.corpus --from FILE --without PATH --count 100000 --out
    FILE.smi

With `--pieces N`, N distinct pieces of further molecules of the file follow: what is left when
their bonds of BRICS are cut and capped with hydrogen. Libraries hold few small molecules, tasks
hold many.

A molecule is left out when its skeleton, the first block of its InChIKey, is that of a molecule in
a file of `--without`, which may be given several times: a table, or a folder with tables.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from rdkit import Chem
from rdkit.Chem import BRICS

from molkd.benchmarks.quality import leakage
from molkd.errors import ConfigError, InputError, MolkdError
from molkd.formats import readers
from molkd.runtime.files import write_bytes
from molkd.runtime.processes import usable_cores

TABLES = ("csv", "tsv", "smi", "parquet", "sdf")
"""Formats that are looked for in a folder."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A corpus.

    Attributes:
        smiles: the molecules, in the order in which they were drawn.
        left_out: how many were drawn besides and left out.
    """

    smiles: list[str]
    left_out: int


def draw(smiles: Sequence[str], seen: set[str], *, count: int, seed: int, jobs: int) -> Drawn:
    """Draws molecules at random, without those whose skeleton has been seen.

    A molecule without a skeleton stays in: nothing can be said about it.

    Args:
        smiles: what to draw from.
        seen: skeletons to leave out.
        count: how many to draw.
        seed: of the order.
        jobs: worker processes.

    Raises:
        ConfigError: there are too few.
    """
    order: list[int] = np.random.default_rng(seed).permutation(len(smiles)).tolist()
    kept: list[str] = []
    looked_at = 0
    for blocks in leakage.stream((smiles[row] for row in order), jobs=jobs):
        for block in blocks:
            text = smiles[order[looked_at]]
            looked_at += 1
            if block not in seen:
                kept.append(text)
            if len(kept) == count:
                return Drawn(kept, looked_at - count)
    raise ConfigError(f"only {len(kept)} molecules are left, {count} were asked for")


def pieces(smiles: str, *, smallest: int = 4) -> list[str]:
    """Returns the pieces between the bonds that BRICS cuts, capped with hydrogen.

    Source: Degen et al. 2008, "On the art of compiling and using 'drug-like' chemical fragment
    spaces".

    Args:
        smiles: the molecule.
        smallest: heavy atoms of the smallest piece that is kept.
    """
    mol = cast("Chem.Mol | None", Chem.MolFromSmiles(smiles))
    cut = () if mol is None else Chem.GetMolFrags(BRICS.BreakBRICSBonds(mol), asMols=True)
    found: list[str] = []
    for piece in cut if len(cut) > 1 else ():
        for atom in piece.GetAtoms():
            if atom.GetAtomicNum() == 0:
                atom.SetAtomicNum(1)
                atom.SetIsotope(0)
        bare = Chem.RemoveHs(piece)
        if bare.GetNumAtoms() >= smallest:
            found.append(Chem.MolToSmiles(bare))
    return found


def skeletons_of(paths: Sequence[Path], *, jobs: int) -> set[str]:
    """Returns the skeletons of all molecules in tables, or in the tables of folders.

    Raises:
        InputError: a file cannot be read, or none of its molecules; a folder holds no table.
    """
    files = [file for path in paths for file in _files(path)]
    texts = {file: set(leakage.molecules(file)) for file in files}
    everything = sorted(set[str]().union(*texts.values()))
    blocks = dict(zip(everything, leakage.skeletons(everything, jobs=jobs), strict=True))
    for file, own in texts.items():
        if not any(blocks[text] for text in own):
            raise InputError(f"no molecule of {file} can be read: is its SMILES column another?")
    return set(blocks.values()) - {""}


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.is_file() and _is_table(file))
    if not found:
        raise InputError(f"{path} holds no file of molecules ({', '.join(TABLES)})")
    return found


def _is_table(path: Path) -> bool:
    try:
        return readers.kind_of(path) in TABLES
    except ConfigError:
        return False


def _pieces_of(smiles: Sequence[str], seen: set[str], options: argparse.Namespace) -> Drawn:
    """Draws pieces of molecules: of eight times as many molecules as pieces, at most."""
    if not options.pieces:
        return Drawn([], 0)
    order = np.random.default_rng(options.seed).permutation(len(smiles))[: 8 * options.pieces]
    found = {piece: None for row in order for piece in pieces(smiles[int(row)])}
    return draw(list(found), seen, count=options.pieces, seed=options.seed, jobs=options.jobs)


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads, leaves out, draws, writes, and says how many molecules were left out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--from", dest="source", type=Path, required=True)
    parser.add_argument("--without", type=Path, action="append", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--pieces", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=usable_cores())
    options = parser.parse_args(arguments)
    try:
        seen = skeletons_of(options.without, jobs=options.jobs)
        smiles = list(leakage.molecules(options.source))
        drawn = draw(smiles, seen, count=options.count, seed=options.seed, jobs=options.jobs)
        more = _pieces_of(sorted({*smiles} - {*drawn.smiles}), seen, options)
        write_bytes(options.out, ("\n".join([*drawn.smiles, *more.smiles]) + "\n").encode())
    except MolkdError as error:
        parser.error(str(error))
    print(
        f"{options.count} molecules written; {drawn.left_out} of {options.count + drawn.left_out} "
        f"drawn ones left out as among {len(seen)} skeletons of the evaluation tasks; "
        f"{len(more.smiles)} pieces, {more.left_out} left out"
    )


if __name__ == "__main__":
    main()

"""Which texts are read by RDKit alone, and that it makes no difference."""

from __future__ import annotations

import pytest
from rdkit import Chem

from molkd.items.molecules import chem, graph, texts

PLAIN = (
    "CCO",
    "C[C@H](N)C(=O)O",
    "C[C@@]1(F)CC1",
    r"C/C=C\C",
    "[Na+].[Cl-]",
    "[13CH4]",
    "xx",
    "C" * texts.MAX_ATOMS,
)
ODD = (
    "",
    " CCO",
    "CCO name",
    "[CH3:1]C",
    "[H]/N=C/C",
    "C[S@](=O)CC",
    "C[N@]1CC1",
    "C[SiH2]*",
    "C~C",
    "[C@SP1](F)(Cl)(Br)I",
    "Cl\u00e9",
    "C" * (texts.MAX_ATOMS + 1),
    None,
    Chem.MolFromSmiles("C"),
)


def test_plain_texts():
    assert [text for text in PLAIN if not texts.is_plain(text)] == []
    assert [item for item in ODD if texts.is_plain(item)] == []


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_text_is_read_as_with_all_checks(text: str, monkeypatch: pytest.MonkeyPatch):
    quick = graph.featurize([text])
    monkeypatch.setattr(texts, "is_plain", lambda _: False)
    slow = graph.featurize([text])
    assert quick.failures == slow.failures
    assert all((quick.arrays()[name] == array).all() for name, array in slow.arrays().items())


def test_a_text_on_which_rdkit_raises_costs_its_own_row(monkeypatch: pytest.MonkeyPatch):
    read = Chem.MolFromSmiles

    def raising(text: str, *rest: object) -> Chem.Mol | None:
        if text == "N":
            raise RuntimeError("a bare C++ exception")
        return read(text, *rest)

    monkeypatch.setattr(chem.Chem, "MolFromSmiles", raising)
    parsed = chem.parse_all(["C", "N", "O"])
    assert parsed.rows == [0, 2]
    assert list(parsed.failures) == [1]

"""Molecules that mutation starts from: well-known ones, and ones that are hard to read or write."""

from __future__ import annotations

DRUGS = """
CC(=O)Oc1ccccc1C(=O)O
CN1C=NC2=C1C(=O)N(C(=O)N2C)C
CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O
CC(=O)Nc1ccc(O)cc1
CN1CCC[C@H]1c1cccnc1
OC(=O)CCCc1ccc(cc1)N(CCCl)CCCl
CC1(C)S[C@@H]2[C@H](NC(=O)Cc3ccccc3)C(=O)N2[C@H]1C(=O)O
Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(n1)-c1cccnc1
CCOC(=O)N1CCC(=C2c3ccc(Cl)cc3CCc3cccnc23)CC1
C[C@]12CC[C@H]3[C@@H](CCC4=CC(=O)CC[C@]34C)[C@@H]1CC[C@@H]2O
C[C@H](CCCC(C)C)[C@H]1CC[C@@H]2[C@@]1(CC[C@H]3[C@H]2CC=C4[C@@]3(CC[C@@H](C4)O)C)C
CN1[C@H]2CC[C@@H]1[C@H]([C@H](C2)OC(=O)c1ccccc1)C(=O)OC
CN1CC[C@]23c4c5ccc(O)c4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5
COc1ccc2nccc([C@H](O)[C@@H]3C[C@@H]4CCN3C[C@@H]4C=C)c2c1
NC(=O)[C@@H]1CCCN1C(=O)[C@H](Cc1cnc[nH]1)NC(=O)[C@@H]1CCC(=O)N1
CC[C@H](C)[C@H](N)C(=O)N[C@@H](CCCNC(=N)N)C(=O)O
CC(C)(C)NCC(O)c1ccc(O)c(CO)c1
Clc1ccc(cc1)C(c1ccccc1)N1CCN(CC1)CCOCC(=O)O
FC(F)(F)c1ccc(cc1)OC(CCNC)c1ccccc1
Nc1ccc(cc1)S(=O)(=O)Nc1ncccn1
O=C1NC(=O)c2ccccc12
CC1=C(C(=O)OC)C(c2ccccc2[N+](=O)[O-])C(C(=O)OC)=C(C)N1
OC[C@H]1OC(O)[C@H](O)[C@@H](O)[C@@H]1O
O=c1[nH]c(=O)c2[nH]cnc2[nH]1
Nc1ncnc2c1ncn2[C@@H]1O[C@H](COP(O)(=O)OP(O)(=O)OP(O)(O)=O)[C@@H](O)[C@H]1O
CC(C)=CCC/C(C)=C/CC/C(C)=C/CO
CCCCC/C=C\\C/C=C\\CCCCCCCC(=O)O
C/C(=C\\C=C\\C(C)=C\\C=C\\C1=C(C)CCCC1(C)C)/C=C/C=C(C)/C=O
C#CCN[C@@H]1CCc2ccccc12
CC(C)NCC(O)COc1cccc2ccccc12
CCN(CC)CCNC(=O)c1ccc(N)cc1
OB(O)c1ccccc1
CC(C)C[C@H](NC(=O)[C@H](Cc1ccccc1)NC(=O)c1cnccn1)B(O)O
C[Si](C)(C)C#Cc1ccccc1
Ic1cc(ccc1Br)SC#N
O=S1(=O)NC(=O)c2ccccc12
CSCC[C@H](N)C(=O)O
ClC(Cl)(Cl)C(c1ccc(Cl)cc1)c1ccc(Cl)cc1
"""

HARD = """
[Fe+2].[cH-]1cccc1.[cH-]1cccc1
[cH-]1cccc1
[Na+].[cH-]1cccc1
CC(=O)O[Na]
CC(=O)[O-].[Na+]
Cl[Pt](Cl)(N)N
N[Pt@SP1](N)(Cl)Cl
C[Co@OH1](N)(O)(F)(Cl)Br
S[As@TB1](F)(Cl)(Br)N
N->[Fe]
[Cu+2]<-[OH2]
CC[Hg]Sc1ccccc1C(=O)[O-].[Na+]
C[Sn](C)(C)OC(C)=O
[K+].F[P-](F)(F)(F)(F)F
[Si]([O-])([O-])([O-])[O-].[Na+].[Na+].[Ca+2]
c1ccc2c(c1)c1nc2nc2[n-]c(nc3nc(nc4[n-]c(n1)c1ccccc41)c1ccccc31)c1ccccc21.[Cu+2]
CC=[C@]=CC
CC=[C@@]=CF
C(Cl)=C=C=CF
Cc1ccc(O)c(c1-c1c(C)cccc1O)C
O=C(O)[C@H](O)[C@@H](O)C(=O)O
C[C@H]1C[C@@H](C)C1
C1C2CC3CC1CC(C2)C3
C12C3C4C1C5C2C3C45
C1C[C@H]2CC[C@@H]1C2
C1CCCCCCCCCCCCCC1
O=C1CCCCCCCCCCCCCCC1
C1CC1C1CC1C1(CC1)C1CC1
[NH3+]CC(=O)[O-]
C[N+](C)(C)CC(=O)[O-]
C[N+]1=CC=CC=C1
[O-][n+]1ccccc1
C[S+](C)[O-]
C=[N+]=[N-]
[C-]#[O+]
[C-]#N
N#[N+]c1ccccc1.F[B-](F)(F)F
[CH3]
C[CH]C
[O]N(C)C
CC1(C)CCCC(C)(C)N1[O]
[CH2]
[2H]C([2H])([2H])O
[13CH3]C(=O)[18O]C
[2H]O[2H]
[H][H]
[H+]
[3H]c1ccccc1
[238U]
O=[U+2]=O
[He]
[Xe](F)F
F[S](F)(F)(F)(F)F
O=P(O)(O)O
O=Cl(=O)(=O)O
[O-]Cl(=O)=O
C1=CC=CC=C1
c1ccccc1
c1cc[nH]c1
c1ccc2[nH]ccc2c1
n1c[nH]cc1
c1ccoc1
c1cc[se]c1
c1cc[te]c1
c1ccpcc1
c1ccbcc1
O=c1cc[nH]cc1
Oc1ccncc1
C1=CC=C[CH+]C=C1
c1cc2cccc3ccc4cccc1c4c23
C1=CC2=CC=CC2=C1
[CH3:1][C:2](=[O:3])[OH:4]
*c1ccccc1
[*:1]CC[*:2]
[R]
C*
F/C=C/F
F/C=C\\F
F/C=C/C=C\\F
C/C=N/O
C/C(F)=C(/F)C
F[C@](Cl)(Br)I
F[C@@](Cl)(Br)I
C[C@@H](O)[C@H](C)O
C[P@](=O)(O)OC
C[S@](=O)CC
C[N@+](CC)(CCC)c1ccccc1
[C@H](F)(Cl)Br
C1[C@@H]2O[C@@H]2C1
C%10CCCCC%10
C%(100)CCCC%(100)
C1CC2CCC1CC2
C12(CC1)CC2
[B-]1234[BH]5[BH]1[BH]2[BH]3[BH]45
C1.C1
C1CCC.CC1
O.O.O.[Cu+2].[O-]S(=O)(=O)[O-]
CCO.Cl
[Na+].[Cl-]
C(C(C(C(C(C(C)C)C)C)C)C)C
CC(C)(C)C(C)(C)C(C)(C)C(C)(C)C
CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC
c1ccc(cc1)-c1ccc(cc1)-c1ccc(cc1)-c1ccccc1
OCC1OC(OC2C(O)C(O)C(OC3C(O)C(O)C(O)OC3CO)OC2CO)C(O)C(O)C1O
N1CCOCCOCCNCCOCCOCC1
C1COCCOCCOCCOCCOCCO1
[O-][N+](=O)c1ccc([N+](=O)[O-])cc1
CN(=O)=O
C[N+](=O)[O-]
N(=O)(=O)O
CNC(=[NH2+])N
O=C=O
N=[N]=N
[NH4+].[OH-]
[AlH4-].[Li+]
[BH4-].[Na+]
Cc1c[nH]c2ccccc12
O=C1C=CC(=O)C=C1
"""

SMILES = tuple(line for text in (DRUGS, HARD) for line in text.split())
"""All of them."""

TAILS = (
    " |^1:0|",
    " |C:0.0|",
    " |&1:1,o2:2|",
    " |$;;R1$|",
    " |(1.2,0.3,;,,)|",
    " |Sg:n:1,2:3:ht|",
    " |m:1:2.3|",
    " |wU:1.0|",
    " |",
    " |^1:99|",
    " ||",
    " |&1:|",
    " |$",
    "\t|^1:0| name",
    " |atomProp:0.x.1|",
    " |LN:1:1.3|",
    " |RG:_R1={$CC$}|",
    " name of it",
)
"""CXSMILES blocks, whole and cut, and a name."""

SENTINELS = (
    "CCO",
    "c1ccccc1",
    "CC(=O)Oc1ccccc1C(=O)O",
    "N[C@@H](C)C(=O)O",
    "[Na+].[Cl-]",
    "F/C=C/F",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "OC[C@H]1OC(O)[C@H](O)[C@@H](O)[C@@H]1O",
)
"""Good ones between the mutated ones: rows that shift show in them."""

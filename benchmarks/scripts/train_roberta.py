"""Trains a small RoBERTa on SMILES by masked modelling, for when no published one can be had.

    python benchmarks/scripts/train_roberta.py --smiles molecules.smi --out roberta --minutes 3

writes a directory in the hub's format that molkd reads as the teacher "hf:roberta". One token per
atom, bond, bracket or ring closure; 15 % of them are hidden and predicted [0].

References:
    [0] Devlin et al., BERT, NAACL 2019, doi:10.18653/v1/N19-1423.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
from torch import Tensor
from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaForMaskedLM

from molkd.items.molecules import chem

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
START, PAD, END, UNKNOWN, MASK = range(5)
ATOMS = r"\[[^\]]+\]|Br|Cl|%\d\d|."
IGNORED = -100


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How large the model is and how it is trained.

    Attributes:
        hidden: width of the hidden states.
        layers: number of transformer blocks.
        longest: tokens, with the two special ones, above which a molecule is left out.
        batch: molecules per step.
        rate: highest learning rate, after the warm-up.
        warmup: steps until then.
        hidden_share: share of the tokens that is predicted.
        held_out: molecules kept apart for the validation loss.
        seed: decides weights, order and masks.
    """

    hidden: int = 192
    layers: int = 4
    longest: int = 128
    batch: int = 32
    rate: float = 1e-3
    warmup: int = 50
    hidden_share: float = 0.15
    held_out: int = 512
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training came to.

    Attributes:
        steps: optimiser steps done.
        parameters: number of weights.
        first: validation loss before training, in nats per hidden token.
        last: the same afterwards.
    """

    steps: int
    parameters: int
    first: float
    last: float


def train(
    smiles: Sequence[str],
    out: Path,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    recipe: Recipe | None = None,
    report_every: int = 0,
) -> Trained:
    """Trains a model and writes it to a directory.

    Args:
        smiles: molecules; those that RDKit cannot read or that are too long are left out.
        out: directory to write: config.json, model.safetensors, tokenizer.json.
        steps: optimiser steps; with a seed they decide the result.
        minutes: time limit, which does not.
        recipe: sizes and rates; None is the default one.
        report_every: steps between two printed lines; 0 prints nothing.

    Raises:
        ValueError: neither steps nor minutes, or not one usable molecule.
    """
    recipe = recipe or Recipe()
    if steps is None and minutes is None:
        raise ValueError("how long? give steps, minutes or both")
    torch.manual_seed(recipe.seed)
    tokenizer, rows = _corpus(smiles, recipe)
    model = _model(len(tokenizer), recipe)
    held_out, training = _split(rows, recipe)
    first = _validation_loss(model, held_out, recipe)
    done = _optimise(model, training, recipe, steps=steps, minutes=minutes, every=report_every)
    last = _validation_loss(model, held_out, recipe)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return Trained(done, sum(weight.numel() for weight in model.parameters()), first, last)


def _corpus(smiles: Sequence[str], recipe: Recipe) -> tuple[Any, list[Tensor]]:
    """Returns the tokenizer, whose vocabulary is that of the corpus, and the token sequences."""
    texts = [chem.canonical_smiles(mol) for mol in chem.parse_all(smiles).mols]
    split = pre_tokenizers.Split(Regex(ATOMS), behavior="isolated")
    seen = sorted({token for text in texts for token, _ in split.pre_tokenize_str(text)})
    vocabulary = {token: number for number, token in enumerate([*SPECIAL, *seen])}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token=SPECIAL[UNKNOWN]))
    core.pre_tokenizer = split
    core.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", START), ("</s>", END)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        model_max_length=recipe.longest,
        bos_token=SPECIAL[START],
        cls_token=SPECIAL[START],
        eos_token=SPECIAL[END],
        sep_token=SPECIAL[END],
        pad_token=SPECIAL[PAD],
        unk_token=SPECIAL[UNKNOWN],
        mask_token=SPECIAL[MASK],
    )
    rows = [torch.tensor(core.encode(text).ids) for text in texts]
    rows = [row for row in rows if len(row) <= recipe.longest]
    if not rows:
        raise ValueError(f"none of {len(smiles)} molecules can be used")
    return tokenizer, rows


def _model(tokens: int, recipe: Recipe) -> Any:
    config = RobertaConfig(
        vocab_size=tokens,
        hidden_size=recipe.hidden,
        num_hidden_layers=recipe.layers,
        num_attention_heads=max(1, recipe.hidden // 32),
        intermediate_size=4 * recipe.hidden,
        max_position_embeddings=recipe.longest + PAD + 1,
        type_vocab_size=1,
        bos_token_id=START,
        pad_token_id=PAD,
        eos_token_id=END,
    )
    return RobertaForMaskedLM(config)


def _split(rows: list[Tensor], recipe: Recipe) -> tuple[list[Tensor], list[Tensor]]:
    """Returns the rows held out, at most a tenth, and those to train on."""
    order = torch.randperm(len(rows)).tolist()
    apart = max(1, min(recipe.held_out, len(rows) // 10))
    held_out = [rows[row] for row in order[:apart]]
    return held_out, [rows[row] for row in order[apart:]] or held_out


def _optimise(
    model: Any,
    rows: list[Tensor],
    recipe: Recipe,
    *,
    steps: int | None,
    minutes: float | None,
    every: int,
) -> int:
    """Trains until one of the two limits and returns the number of steps.

    A batch is a stretch of the rows sorted by length, so that little of it is padding.
    """
    rows = sorted(rows, key=len)
    optimiser = torch.optim.AdamW(model.parameters(), lr=recipe.rate, weight_decay=0.01)
    begun = time.monotonic()
    recent: list[float] = []
    step = 0
    model.train()
    while steps is None or step < steps:
        elapsed = time.monotonic() - begun
        if minutes is not None and elapsed > 60 * minutes:
            break
        progress = max(step / steps if steps else 0.0, elapsed / (60 * minutes) if minutes else 0.0)
        decay = 0.5 * (1 + math.cos(math.pi * progress))
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate * decay * min(1.0, (step + 1) / recipe.warmup)
        start = int(torch.randint(max(1, len(rows) - recipe.batch + 1), ()))
        loss = _loss(model, rows[start : start + recipe.batch], recipe)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        recent.append(loss.item())
        if every and step % every == 0:
            print(f"step {step}: loss {sum(recent) / len(recent):.3f}, {elapsed:.0f} s", flush=True)
            recent.clear()
    return step


def _loss(model: Any, rows: list[Tensor], recipe: Recipe) -> Tensor:
    """Hides tokens of a batch and returns the mean loss of predicting them, in nats."""
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)
    chance = torch.rand(ids.shape).masked_fill(ids < len(SPECIAL), 2.0)
    chance[0] = torch.where(chance[0] == chance[0].min(), 0.0, chance[0])  # never none at all
    chosen = chance < recipe.hidden_share
    labels = ids.masked_fill(~chosen, IGNORED)
    # Of the chosen ones a tenth stays as it is and a tenth becomes any token [0].
    kind = torch.rand(ids.shape)
    shown = ids.masked_fill(chosen & (kind < 0.8), MASK)
    any_token = torch.randint(len(SPECIAL), model.config.vocab_size, ids.shape)
    shown = torch.where(chosen & (kind >= 0.9), any_token, shown)
    return model(input_ids=shown, attention_mask=(ids != PAD).long(), labels=labels).loss


@torch.no_grad()
def _validation_loss(model: Any, rows: list[Tensor], recipe: Recipe) -> float:
    """Returns the loss on rows held out, with the same masks whenever it is called."""
    model.eval()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        batches = [rows[start : start + 64] for start in range(0, len(rows), 64)]
        losses = [float(_loss(model, batch, recipe)) for batch in batches]
    return sum(losses) / len(losses)


def main() -> None:
    """Reads the command line, trains, and prints what it came to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--smiles", type=Path, required=True, help="one SMILES a line comes first")
    parser.add_argument("--out", type=Path, required=True, help="directory to write")
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    lines = arguments.smiles.read_text(encoding="utf-8").splitlines()
    result = train(
        [line.split()[0] for line in lines if line.strip()],
        arguments.out,
        steps=arguments.steps,
        minutes=arguments.minutes,
        recipe=Recipe(seed=arguments.seed),
        report_every=25,
    )
    print(
        f"{result.parameters / 1e6:.2f} M parameters, {result.steps} steps; validation loss "
        f"{result.first:.3f} -> {result.last:.3f} nats per hidden token; {arguments.out}"
    )


if __name__ == "__main__":
    main()

"""What brings texts and images to what a model of the hub reads: tokenizers, image processors."""

from __future__ import annotations

from typing import Any

from molkd.errors import WeightsError
from molkd.hub.checkpoints import Checkpoint, quiet


def load_tokenizer(checkpoint: Checkpoint, config: Any) -> Any:
    """Loads a tokenizer: exactly tokenizer.json where there is one, else the older files.

    Since version 5 the class that a model's type names may rebuild the tokenizer from its
    vocabulary alone and so ignore how tokenizer.json splits a text.

    Raises:
        WeightsError: there is none, it cannot be read, or it is not that of the model.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    folder = checkpoint.folder
    whole = (folder / "tokenizer.json").is_file()
    if not whole and not any(any(folder.glob(name)) for name in ("vocab.*", "*.model")):
        raise WeightsError(f"{folder} holds no tokenizer (tokenizer.json, vocab.json, ...)")
    maker: Any = PreTrainedTokenizerFast if whole else AutoTokenizer
    try:
        with quiet():
            tokenizer = maker.from_pretrained(
                folder, trust_remote_code=False, local_files_only=True, truncation_side="right"
            )
    except Exception as error:
        raise WeightsError(f"the tokenizer of {folder} cannot be read: {error}") from error
    size = getattr(config, "vocab_size", None)
    if size is not None and max(tokenizer.get_vocab().values()) >= size:
        raise WeightsError(f"the tokenizer of {folder} has more tokens than the model's {size}")
    return tokenizer


def load_image_processor(checkpoint: Checkpoint) -> Any:
    """Loads what brings images to what a model reads, by Pillow and NumPy alone.

    Raises:
        WeightsError: there is none, or it needs code of its own.
    """
    from transformers import AutoImageProcessor

    try:
        with quiet():
            return AutoImageProcessor.from_pretrained(
                checkpoint.folder, backend="pil", trust_remote_code=False, local_files_only=True
            )
    except Exception as error:
        raise WeightsError(
            f"{checkpoint.folder} does not say how images are prepared for its model "
            f"(preprocessor_config.json): {error}"
        ) from error

"""Shape of an encoder."""

from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real

VOCABULARY_SIZE = 472
PAD_ID = 0
#: Fields of a ``BertConfig`` that all encoders share.
FIXED = {
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "position_embedding_type": "absolute",
    "type_vocab_size": 2,
    "is_decoder": False,
    "add_cross_attention": False,
}


@dataclass(frozen=True)
class EncoderConfig:
    """Shape of a BERT encoder for symmetry strings.

    As ``encoder=`` of an estimator, it means an encoder of this shape with random weights.

    Parameters
    ----------
    n_layers : int, default=4
        Number of transformer layers.
    n_heads : int, default=4
        Number of attention heads per layer; must divide ``width``.
    width : int, default=128
        Size of the vectors.
    intermediate : int, default=None
        Size of the hidden layer of the feed-forward blocks; None means ``4 * width``.
    max_positions : int, default=128
        Longest string in tokens, ``[CLS]`` and ``[SEP]`` included.
    dropout : float, default=0.1
        Dropout of embeddings, attention and feed-forward blocks while training.
    vocabulary_size : int, default=472
        Rows of the token embedding.
    pad_id : int, default=0
        Token id of the padding, which the encoder ignores.

    Raises
    ------
    ValueError
        If a number is out of range or ``width`` is not a multiple of ``n_heads``.

    Examples
    --------
    >>> from sklearn_cloud.encoder import EncoderConfig
    >>> EncoderConfig(n_layers=2, width=64).intermediate
    256
    """

    n_layers: int = 4
    n_heads: int = 4
    width: int = 128
    intermediate: int | None = None
    max_positions: int = 128
    dropout: float = 0.1
    vocabulary_size: int = VOCABULARY_SIZE
    pad_id: int = PAD_ID

    def __post_init__(self):
        if self.intermediate is None:
            object.__setattr__(self, "intermediate", 4 * self.width)
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "dropout":
                if not (isinstance(value, Real) and 0 <= value < 1):
                    raise ValueError(f"dropout must be in [0, 1), got {value!r}.")
            elif field.name == "pad_id":
                if not (isinstance(value, Integral) and 0 <= value < self.vocabulary_size):
                    raise ValueError(f"pad_id must be a token id, got {value!r}.")
            elif not (isinstance(value, Integral) and value > 0):
                raise ValueError(f"{field.name} must be a positive integer, got {value!r}.")
            # JSON does not support NumPy's numbers
            plain = float if field.name == "dropout" else int
            object.__setattr__(self, field.name, plain(value))
        if self.width % self.n_heads:
            raise ValueError(
                f"width must be a multiple of n_heads, got {self.width} and {self.n_heads}."
            )

    def to_dict(self):
        """Return the fields as a dictionary; ``pad_id`` only if it is not 0."""
        # So that the dictionaries stored by earlier versions are equal to new ones.
        return {k: v for k, v in asdict(self).items() if k != "pad_id" or v != PAD_ID}

    def to_bert(self):
        """Return the shape with the field names of transformers' ``BertConfig``."""
        return {
            "model_type": "bert",
            "architectures": ["BertModel"],
            "num_hidden_layers": self.n_layers,
            "num_attention_heads": self.n_heads,
            "hidden_size": self.width,
            "intermediate_size": self.intermediate,
            "max_position_embeddings": self.max_positions,
            "hidden_dropout_prob": self.dropout,
            "attention_probs_dropout_prob": self.dropout,
            "vocab_size": self.vocabulary_size,
            "pad_token_id": self.pad_id,
        }

    @classmethod
    def from_bert(cls, bert):
        """Read the field names of transformers' ``BertConfig``; the inverse of `to_bert`.

        Parameters
        ----------
        bert : dict
            Content of a ``config.json``.

        Returns
        -------
        EncoderConfig

        Raises
        ------
        ValueError
            If it is not a supported BERT configuration, or a field is missing.
        """
        if bert.get("model_type") != "bert":
            raise ValueError(f"expected a BERT configuration, got {bert.get('model_type')!r}")
        for name, value in FIXED.items():
            if bert.get(name, value) != value:
                raise ValueError(f"{name}={bert[name]!r} is not supported, only {value!r}")
        try:
            return cls(
                n_layers=bert["num_hidden_layers"],
                n_heads=bert["num_attention_heads"],
                width=bert["hidden_size"],
                intermediate=bert["intermediate_size"],
                max_positions=bert["max_position_embeddings"],
                dropout=bert["hidden_dropout_prob"],
                vocabulary_size=bert["vocab_size"],
                pad_id=bert.get("pad_token_id", PAD_ID),
            )
        except KeyError as error:
            raise ValueError(f"the configuration has no {error.args[0]!r}") from None


#: Named shapes; "paper" is that of Table 4 of the paper.
ENCODER_SIZES = {
    "mini": EncoderConfig(n_layers=4, n_heads=4, width=128),
    "small": EncoderConfig(n_layers=6, n_heads=8, width=256),
    "paper": EncoderConfig(n_layers=12, n_heads=12, width=768, max_positions=64),
}

"""The network: a BERT encoder, its [CLS] vector, and a prediction head."""

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from .cpu_training import train_first_position

#: Width of the vector for the numbers next to a string.
NUMBERS_WIDTH = 128


def build_encoder(config):
    """Build a BERT encoder with random weights, without the pooling layer.

    Parameters
    ----------
    config : EncoderConfig

    Returns
    -------
    transformers.BertModel

    Examples
    --------
    >>> from sklearn_cloud.encoder import EncoderConfig, build_encoder
    >>> encoder = build_encoder(EncoderConfig(n_layers=2, width=64))
    >>> len(encoder.encoder.layer), encoder.config.hidden_size
    (2, 64)
    """
    # From their modules: lazy imports of the package fail if two threads use them at once.
    from transformers.models.bert.configuration_bert import BertConfig
    from transformers.models.bert.modeling_bert import BertModel

    bert_config = BertConfig(**config.to_bert(), attn_implementation="sdpa")
    return BertModel(bert_config, add_pooling_layer=False)


def build_head(width, n_outputs, n_hidden, hidden_width, dropout):
    """Build a multi-layer perceptron with SiLU: ``n_hidden`` layers, then ``n_outputs`` numbers."""
    layers = []
    for _ in range(n_hidden):
        layers += [nn.Linear(width, hidden_width), nn.SiLU(), nn.Dropout(dropout)]
        width = hidden_width
    return nn.Sequential(*layers, nn.Linear(width, n_outputs))


def embed_tokens(encoder, attention_mask, *, input_ids=None, inputs_embeds=None, token=None):
    """Return the input of the first layer, and its mask.

    Parameters
    ----------
    encoder : transformers.BertModel
    attention_mask : tensor of shape (n_strings, n_tokens)
        True or 1 for tokens, False or 0 for padding.
    input_ids : tensor of shape (n_strings, n_tokens), default=None
    inputs_embeds : tensor of shape (n_strings, n_tokens, width), default=None
        Word embeddings, in place of `input_ids`.
    token : tensor of shape (n_strings, width), default=None
        One more token of each string, which follows [CLS] and has no position.

    Returns
    -------
    hidden : tensor of shape (n_strings, n_tokens, width)
        With one more token if there is a `token`.
    mask : tensor of shape (n_strings, 1, 1, n_tokens), bool
    """
    hidden = encoder.embeddings(input_ids=input_ids, inputs_embeds=inputs_embeds)
    if token is not None:
        hidden = torch.cat([hidden[:, :1], token[:, None].to(hidden.dtype), hidden[:, 1:]], dim=1)
        attention_mask = torch.cat([attention_mask[:, :1], attention_mask], dim=1)
    return hidden, attention_mask[:, None, None, :].bool()


def cls_vectors(encoder, input_ids, attention_mask, token=None):
    """Return the [CLS] vector of each string: ``last_hidden_state[:, 0]`` of the encoder.

    Only this position of the last layer is computed: the results are those of the whole encoder,
    with a fifth less work for four layers.

    Parameters
    ----------
    encoder : transformers.BertModel
    input_ids : tensor of shape (n_strings, n_tokens)
    attention_mask : tensor of shape (n_strings, n_tokens)
        True or 1 for tokens, False or 0 for padding.
    token : tensor of shape (n_strings, width), default=None
        One more token of each string, as for `embed_tokens`.

    Returns
    -------
    tensor of shape (n_strings, width)

    Examples
    --------
    >>> import torch
    >>> from sklearn_cloud.encoder import SymmetryTokenizer, cls_vectors, load_encoder
    >>> ids = torch.tensor(SymmetryTokenizer().encode_batch(["8a | Si 1.0"]))
    >>> encoder = load_encoder("mini").build().eval()
    >>> cls_vectors(encoder, ids, torch.ones_like(ids)).shape
    torch.Size([1, 128])
    """
    hidden, mask = embed_tokens(encoder, attention_mask, input_ids=input_ids, token=token)
    if encoder.training and hidden.device.type == "cpu":
        return train_first_position(encoder.encoder.layer, hidden, mask)
    *layers, last = encoder.encoder.layer
    for layer in layers:
        hidden = layer(hidden, mask)
    return _first_position(last, hidden, mask)


def mean_vectors(encoder, input_ids, attention_mask):
    """Return the mean of the last layer over the tokens of each string, with [CLS] and [SEP].

    Parameters
    ----------
    encoder : transformers.BertModel
    input_ids : tensor of shape (n_strings, n_tokens)
    attention_mask : tensor of shape (n_strings, n_tokens)
        True or 1 for tokens, False or 0 for padding.

    Returns
    -------
    tensor of shape (n_strings, width)

    Examples
    --------
    >>> import torch
    >>> from sklearn_cloud.encoder import SymmetryTokenizer, load_encoder, mean_vectors
    >>> ids = torch.tensor(SymmetryTokenizer().encode_batch(["8a | Si 1.0"]))
    >>> encoder = load_encoder("mini").build().eval()
    >>> mean_vectors(encoder, ids, torch.ones_like(ids)).shape
    torch.Size([1, 128])
    """
    hidden = encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
    weights = attention_mask.to(hidden.dtype)
    return (hidden * weights[:, :, None]).sum(dim=1) / weights.sum(dim=1, keepdim=True)


def _first_position(layer, hidden, mask):
    """Evaluate a BERT layer at the first position only."""
    attention = layer.attention.self
    shape = (hidden.shape[0], -1, attention.num_attention_heads, attention.attention_head_size)
    first = hidden[:, :1]
    context = scaled_dot_product_attention(
        attention.query(first).view(shape).transpose(1, 2),
        attention.key(hidden).view(shape).transpose(1, 2),
        attention.value(hidden).view(shape).transpose(1, 2),
        attn_mask=mask,
        dropout_p=attention.dropout.p if attention.training else 0.0,
    )
    context = context.transpose(1, 2).reshape(first.shape)
    attended = layer.attention.output(context, first)
    return layer.feed_forward_chunk(attended)[:, 0]


class NumberNetwork(nn.Module):
    """Network for the numbers next to a string; unknown ones are marked.

    Parameters
    ----------
    n_numbers : int
    dropout : float
    """

    def __init__(self, n_numbers, dropout):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2 * n_numbers, NUMBERS_WIDTH),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(NUMBERS_WIDTH, NUMBERS_WIDTH),
            nn.SiLU(),
        )
        # a number that is unknown counts as average, until training has seen that it is not
        with torch.no_grad():
            self.layers[0].weight[:, n_numbers:] = 0

    def forward(self, numbers):
        """Return vectors of shape (n_strings, 128) from standardised numbers, NaN if unknown."""
        unknown = numbers.isnan()
        known = numbers.masked_fill(unknown, 0.0)
        return self.layers(torch.cat([known, unknown.to(known.dtype)], dim=1))


class CloudModule(nn.Module):
    """Encoder and prediction head.

    Parameters
    ----------
    config : EncoderConfig
        Shape of the encoder; its dropout is used in the head too.
    n_outputs : int, default=1
        Numbers predicted per string.
    head_layers : int, default=1
        Number of hidden layers of the head.
    head_width : int, default=None
        Width of the hidden layers; None means the width of the encoder.
    bf16 : bool, default=False
        Train in mixed bfloat16 precision. Evaluation is always in float32.
    n_numbers : int, default=0
        Count of numbers next to each string. They pass through a small separate network, whose
        output is concatenated to the [CLS] vector before the head.
    number_token : bool, default=False
        Whether the encoder reads the numbers too, as one more token, which that network makes.

    Examples
    --------
    >>> import torch
    >>> from sklearn_cloud.encoder import CloudModule, EncoderConfig, SymmetryTokenizer
    >>> module = CloudModule(EncoderConfig(n_layers=1, width=32), n_outputs=2).eval()
    >>> ids = torch.tensor([SymmetryTokenizer().encode("8a | Si 1.0")])
    >>> module(ids).shape
    torch.Size([1, 2])
    """

    def __init__(
        self,
        config,
        n_outputs=1,
        head_layers=1,
        head_width=None,
        bf16=False,
        n_numbers=0,
        number_token=False,
    ):
        super().__init__()
        self.encoder = build_encoder(config)
        width = config.width
        self.to_token = None
        if n_numbers:
            self.numbers = NumberNetwork(n_numbers, config.dropout)
            width += NUMBERS_WIDTH
            if number_token:
                self.to_token = nn.Sequential(
                    nn.Linear(NUMBERS_WIDTH, config.width), nn.LayerNorm(config.width)
                )
        self.head = build_head(
            width, n_outputs, head_layers, head_width or config.width, config.dropout
        )
        self.bf16 = bf16
        self.pad_id = config.pad_id

    def forward(self, input_ids, numbers=None):
        """Return the raw outputs of encoder and head.

        Parameters
        ----------
        input_ids : tensor of shape (n_strings, n_tokens)
            Token ids; padding is recognized by its id.
        numbers : tensor of shape (n_strings, n_numbers), default=None
            Standardised numbers; NaN if unknown. None for a module without numbers.

        Returns
        -------
        tensor of shape (n_strings, n_outputs), float32
        """
        mixed = self.bf16 and self.training
        with torch.autocast(input_ids.device.type, torch.bfloat16, enabled=mixed):
            described = self.describe(numbers)
            vectors = self.encode(input_ids, described)
            outputs = self.predict(vectors, described)
        return outputs.float()

    def describe(self, numbers):
        """Return the vectors of the numbers, for `encode` and `predict`; None without numbers.

        Parameters
        ----------
        numbers : tensor of shape (n_strings, n_numbers) or None
            Standardised numbers.
        """
        return None if numbers is None else self.numbers(numbers)

    def token(self, described):
        """Return the token of the numbers; None without one.

        Parameters
        ----------
        described : tensor of shape (n_strings, 128) or None
            Vectors of the numbers, from `describe`.
        """
        return None if self.to_token is None else self.to_token(described)

    def encode(self, input_ids, described=None):
        """Return the vectors of [CLS].

        Parameters
        ----------
        input_ids : tensor of shape (n_strings, n_tokens)
        described : tensor of shape (n_strings, 128), default=None
            Vectors of the numbers, from `describe`.

        Returns
        -------
        tensor of shape (n_strings, width)
        """
        mask = input_ids != self.pad_id
        return cls_vectors(self.encoder, input_ids, mask, self.token(described))

    def predict(self, vectors, described=None):
        """Return the outputs of the head.

        Parameters
        ----------
        vectors : torch.Tensor of shape (n_strings, width)
            Vectors of [CLS].
        described : tensor of shape (n_strings, 128), default=None
            Vectors of the numbers, from `describe`.

        Returns
        -------
        torch.Tensor of shape (n_strings, n_outputs)
        """
        if described is not None:
            vectors = torch.cat([vectors, described], dim=1)
        return self.head(vectors)

"""The symmetry tokenizer with the interface of transformers."""

from transformers import PreTrainedTokenizer

from .tokenizer import GENERATOR_PREFIX, SymmetryTokenizer


class HuggingFaceTokenizer(PreTrainedTokenizer):
    """`SymmetryTokenizer` with the interface of transformers (padding, collators)."""

    model_input_names = ["input_ids", "attention_mask"]

    def __init__(self, **kwargs):
        self._tokenizer = SymmetryTokenizer()
        special = {"pad": "[PAD]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
        super().__init__(**{f"{k}_token": token for k, token in special.items()}, **kwargs)

    @property
    def vocab_size(self):
        return len(self._tokenizer)

    def get_vocab(self):
        return {token: i for i, token in enumerate(self._tokenizer.vocabulary)}

    def _tokenize(self, text, **kwargs):
        return self._tokenizer.tokens(text)[1:-1]

    def _convert_token_to_id(self, token):
        return self.get_vocab()[token]

    def _convert_id_to_token(self, index):
        return self._tokenizer.vocabulary[index]

    def build_inputs_with_special_tokens(self, token_ids_0, token_ids_1=None):
        return [self.cls_token_id, *token_ids_0, self.sep_token_id]

    def convert_tokens_to_string(self, tokens):
        return " ".join(token.removeprefix(GENERATOR_PREFIX) for token in tokens)

from .corpus import Corpus as Corpus
from .corpus_builder import CorpusSource as CorpusSource
from .corpus_builder import build_corpus as build_corpus
from .language import Language as Language
from .pretraining import pretrain as pretrain

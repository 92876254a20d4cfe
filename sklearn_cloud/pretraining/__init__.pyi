from .corpus import Corpus as Corpus
from .corpus_builder import CorpusSource as CorpusSource
from .corpus_builder import build_corpus as build_corpus
from .graph_corpus import GraphCorpus as GraphCorpus
from .graph_corpus import read_graph_corpus as read_graph_corpus
from .graph_pretraining import pretrain_graphs as pretrain_graphs
from .language import Language as Language
from .pretraining import pretrain as pretrain

from .bowsr import BowsrRelaxer as BowsrRelaxer

"""Ready-made predictors: properties of crystals in one line, without training data."""

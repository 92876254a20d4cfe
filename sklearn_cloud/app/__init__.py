"""A local web page that predicts properties of uploaded crystals: `sklearn-cloud app`."""

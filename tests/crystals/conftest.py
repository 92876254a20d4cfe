from example_crystals import crystals, rng  # noqa: F401 (fixtures)

"""Made-up strings whose target depends on the composition."""

import numpy as np

CATIONS = ("Li", "Na", "K", "Mg", "Ca", "Ti", "Fe", "Zn")
GENERATORS = ("0 3 a D D O b O O O j O O O 0", "1 2 b O O O e O O O 0", "0 1 b O O O 0")


def make_strings(n, seed=0):
    """Oxides with a random cation, oxygen fraction and symmetry; lengths differ."""
    rng = np.random.RandomState(seed)
    strings, oxygen = [], []
    for _ in range(n):
        fraction = rng.randint(10, 90) / 100
        strings.append(
            f"{rng.choice(GENERATORS)} | {rng.choice(['4a', '2a 2b', '8c'])} | "
            f"{rng.choice(CATIONS)} {round(1 - fraction, 2)} O {fraction}"
        )
        oxygen.append(fraction)
    return strings, np.array(oxygen)

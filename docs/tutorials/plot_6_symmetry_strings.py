"""
Reading the symmetry string
===========================

The model reads only the symmetry string of a crystal. This page explains one piece by piece, and
shows what it keeps and what it leaves out.
"""

# %%
# Three parts
# -----------
# Strontium titanate, from the example crystals:
from sklearn_cloud import parse_string, symmetry_string
from sklearn_cloud.datasets import load_example

example = load_example()
row = int((example.frame["formula"] == "SrTiO3").idxmax())
crystal = example.structures[row]
string = symmetry_string(crystal)
generators, sites, composition = string.split(" | ")
print(f"generators    {generators}\nsites         {sites}\ncomposition   {composition}")

# %%
# `parse_string` reads the parts back.
parsed = parse_string(string)
print(f"space group {parsed.space_group}")
for orbit in parsed.orbits:
    print(f"  {orbit.position}: {', '.join(orbit.elements)}")
for element, fraction in parsed.composition:
    print(f"  {element} {fraction}")

# %%
# The generators
# --------------
# The first symbol says whether the inversion at the origin is a generator (1: yes), the second how
# many more there are. Each of them is a letter a to n, a rotation matrix, and three letters for a
# translation: O is none, D a half, C a third, B a quarter. From these few operations all others
# follow.
from sklearn_cloud.symmetry import generator_operations, generator_string

rotations, translations = generator_operations(generators)
print(f"{len(rotations)} operations. One of them:\n{rotations[5]} + {translations[5]}")

# %%
# The number of operations of all 230 groups, as their generator strings give them:
import matplotlib.pyplot as plt

numbers = range(1, 231)
counts = [len(generator_operations(generator_string(number))[0]) for number in numbers]
figure, axes = plt.subplots(figsize=(7, 2.8), layout="constrained")
axes.bar(numbers, counts, width=1)
axes.set(xlabel="space group", ylabel="operations in the conventional cell", xlim=(0, 231))

# %%
# The sites
# ---------
# `1b Ti` says that titanium sits on Wyckoff position b, one site in the conventional cell. With
# `sites="set"`, the form of the paper, the elements are left out. The difference matters: only with
# the elements can one tell which of them sits on the A site of a perovskite, among twelve oxygens.
from pymatgen.core import Lattice, Structure

corners = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
usual = Structure(Lattice.cubic(3.9), ["Sr", "Ti", "O", "O", "O"], corners)
swapped = Structure(Lattice.cubic(3.9), ["Ti", "Sr", "O", "O", "O"], corners)
for form in ("set", "orbits"):
    print(f'sites="{form}"')
    for name, structure in {"Sr on A, Ti on B": usual, "Ti on A, Sr on B": swapped}.items():
        print(
            f"  {name}   {symmetry_string(structure, sites=form, parts=['sites', 'composition'])}"
        )

# %%
# One crystal, one string
# -----------------------
# The string does not depend on how the crystal was written down. Here the origin is moved, the
# cell doubled and the order of the sites changed.
import numpy as np

rewritten = crystal.copy()
rewritten.translate_sites(range(len(rewritten)), [0.11, 0.22, 0.33])
rewritten.make_supercell([2, 1, 1])
order = np.random.default_rng(0).permutation(len(rewritten))
rewritten = Structure.from_sites([rewritten[i] for i in order])
symmetry_string(rewritten) == string

# %%
# What it leaves out
# ------------------
# Lattice constants and free coordinates are not in the string. Stretched evenly, a crystal keeps
# its string; stretched along one axis, it loses symmetry, and with it the string.
from pymatgen.transformations.standard_transformations import DeformStructureTransformation

for name, stretch in {"even, 5 %": [1.05] * 3, "along c, 5 %": [1, 1, 1.05]}.items():
    strained = DeformStructureTransformation(np.diag(stretch)).apply_transformation(crystal)
    print(f"{name:14} {symmetry_string(strained)}")

# %%
# Free coordinates are not in it either. In pyrite, the sulphur atoms can move along the diagonals:
# close together they form pairs, further apart they do not. The string is the same.
for free in (0.35, 0.385, 0.41):
    pyrite = Structure.from_spacegroup(
        "Pa-3", Lattice.cubic(5.42), ["Fe", "S"], [[0, 0, 0], [free] * 3]
    )
    nearest = min(site.nn_distance for site in pyrite.get_neighbors(pyrite[-1], 3.5))
    print(f"x = {free:5}, nearest neighbour {nearest:.2f} angstrom: {symmetry_string(pyrite)}")

# %%
# Crystals with the same string get the same prediction. In practice this is rare:
from sklearn_cloud import SymmetryStringTransformer

strings = SymmetryStringTransformer().fit_transform(example.structures)
print(f"{len(strings)} crystals have {len(set(strings))} different strings")

# %%
# What the encoder sees
# ---------------------
# The string is split into tokens of a closed vocabulary. The letters O, C, B, F and Y are
# translations in the first part and elements in the others, so they are different tokens.
from sklearn_cloud.encoder import SymmetryTokenizer

tokenizer = SymmetryTokenizer()
print(len(tokenizer), "tokens in all")
print(tokenizer.tokens(string))

# %%
# Most strings are short, so the model is fast:
lengths = [len(tokenizer.encode(one)) for one in strings]
figure, axes = plt.subplots(figsize=(6, 2.8), layout="constrained")
axes.hist(lengths, bins=range(min(lengths), max(lengths) + 2))
axes.set(xlabel="tokens", ylabel="example crystals")

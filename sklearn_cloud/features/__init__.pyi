from .bond_features import BondFeatures as BondFeatures
from .element_fractions import ElementFractions as ElementFractions
from .geometry_features import GeometryFeatures as GeometryFeatures
from .magpie import MagpieFeatures as MagpieFeatures
from .physics import PotentialPhysics as PotentialPhysics
from .potentials import PotentialFeatures as PotentialFeatures
from .space_group import SpaceGroupFractions as SpaceGroupFractions
from .voronoi import VoronoiFeatures as VoronoiFeatures

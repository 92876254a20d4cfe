"""Crystals as graphs, and the pre-trained network on the graphs of asymmetric units."""

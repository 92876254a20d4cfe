"""The one way in which a network is fitted: data, targets, net, devices and callbacks."""

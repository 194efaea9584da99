"""Frameworks that people have, each as it is: what ferryman does inside them."""
